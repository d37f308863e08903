from deployments.models.call import Call
from deployments.models.change import ChangedFile, Commit, Link, PullRequest, Tag
from deployments.models.deploy import Deploy
from deployments.models.deployment import BranchMatch, Deployment, Provider, Target
from deployments.models.history_import import DraftChunk, HistoryImport, ImportDraft
from deployments.models.idempotency import IdempotencyKey

__all__ = [
    "BranchMatch",
    "Call",
    "ChangedFile",
    "Commit",
    "Deploy",
    "Deployment",
    "DraftChunk",
    "HistoryImport",
    "IdempotencyKey",
    "ImportDraft",
    "Link",
    "Provider",
    "PullRequest",
    "Tag",
    "Target",
]
