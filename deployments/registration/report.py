"""What a dry run answers: what the call would have done."""

from typing import Any

from deployments.models import BranchMatch, Deploy
from deployments.registration.receive import Receipt
from deployments.registration.registration import Registration
from deployments.registration.representation import ChangeType, as_text, deploy_path, represent_deploy, with_details
from deployments.registration.statements import TargetRow
from deployments.registration.targets import branch_mismatch

ROLLED_BACK_SHOWN = 100
SHOWN = (
    *("organization", "project", "deployment", "environment", "sha", "version", "deployed_at"),
    *("status", "change_type", "live", "tags"),
)


def report_deploy(*, registration: Registration, receipt: Receipt) -> dict[str, Any]:
    """Call this before the dry run ends, while its deploy is in the database."""
    deploy = with_details(Deploy.objects.all()).select_related("restores").get(pk=receipt.deploy_id)
    target, is_duplicate, slug = receipt.target, receipt.duplicate is not None, deploy.organization.slug
    shown = represent_deploy(deploy)
    if is_duplicate and deploy.has_succeeded:
        shown["change_type"] = ChangeType.NO_CHANGE
    restored = None if is_duplicate else deploy.restores
    undone = Deploy.objects.filter(rolled_back_by=deploy.pk).order_by("-deployed_at", "-id")[:ROLLED_BACK_SHOWN]
    return {
        **{name: shown[name] for name in SHOWN},
        "branch": {
            "sent": registration.branch or None,
            "mapping": mapping_of(target),
            "matches": branch_mismatch(target, registration.branch_to_check) is None,
        },
        "duplicate_of": in_short(deploy, slug) if is_duplicate else None,
        "moves_on": receipt.moved_on,
        "rollback": restored is not None,
        "restores": in_short(restored, slug) if restored else None,
        "rolls_back": [in_short(other, slug) for other in undone] if restored else [],
        "would_create": [item._asdict() for item in receipt.created],
    }


def slugs_of(target: TargetRow, organization_slug: str) -> dict[str, str | None]:
    return {
        "organization": organization_slug,
        "project": target.project_slug,
        "deployment": target.deployment_slug,
        "environment": target.environment_slug,
    }


def in_short(deploy: Deploy, organization_slug: str) -> dict[str, Any]:
    return {
        "id": deploy.id,
        "url": deploy_path(organization_slug, deploy.id),
        "sha": deploy.sha,
        "version": deploy.version or None,
        "deployed_at": as_text(deploy.deployed_at),
    }


def mapping_of(target: TargetRow) -> str:
    """As people write it: a branch, or the beginning of one and ``*``."""
    branch = target.branch or ""
    return branch if target.branch_match == BranchMatch.EXACT else f"{branch}*"
