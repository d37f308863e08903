from deployments.models.call import Call
from deployments.models.change import ChangedFile, Commit, Link, PullRequest, Tag
from deployments.models.deploy import Deploy, Health
from deployments.models.deployment import BranchMatch, Deployment, Provider, Target
from deployments.models.idempotency import IdempotencyKey

__all__ = [
    "BranchMatch",
    "Call",
    "ChangedFile",
    "Commit",
    "Deploy",
    "Deployment",
    "Health",
    "IdempotencyKey",
    "Link",
    "Provider",
    "PullRequest",
    "Tag",
    "Target",
]
