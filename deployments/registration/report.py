"""What a dry run answers: what the call would have done."""

from collections.abc import Sequence
from typing import Any

from deployments.models import BranchMatch, Deploy
from deployments.registration.new_targets import Creation
from deployments.registration.registration import Registration
from deployments.registration.representation import (
    ChangeType,
    as_text,
    deploy_path,
    represent_deploy,
    with_previous_sha,
)
from deployments.registration.statements import TargetRow
from deployments.registration.targets import branch_mismatch
from deployments.token_limits import deploys_with_place
from tokens.statements import TokenRow

ROLLED_BACK_SHOWN = 100
SHOWN = (
    *("organization", "project", "deployment", "environment", "sha", "version", "deployed_at"),
    *("change_type", "live", "tags"),
)


def report_deploy(
    *,
    token: TokenRow,
    place: TargetRow,
    registration: Registration,
    deploy_id: int,
    is_duplicate: bool,
    created: Sequence[Creation] = (),
) -> dict[str, Any]:
    """``deploy_id`` is of the deploy that stands in the database until the trial ends; of the one that would be
    repeated, where it is a duplicate."""
    deploys = with_previous_sha(deploys_with_place(token.organization_id))
    deploy = deploys.select_related("restores").get(pk=deploy_id)
    shown = represent_deploy(deploy)
    if is_duplicate:
        shown["change_type"] = ChangeType.NO_CHANGE
    slug = token.organization_slug
    restored = None if is_duplicate else deploy.restores
    return {
        **{name: shown[name] for name in SHOWN},
        "branch": {
            "sent": registration.branch or None,
            "mapping": mapping_of(place),
            "matches": branch_mismatch(place, registration) is None,
        },
        "duplicate_of": in_short(deploy, slug) if is_duplicate else None,
        "rollback": restored is not None,
        "restores": in_short(restored, slug) if restored else None,
        "rolls_back": [in_short(other, slug) for other in rolled_back_by(deploy)] if restored else [],
        "would_create": [{"kind": item.kind, "slug": item.slug, "name": item.name} for item in created],
    }


def named(place: TargetRow, organization_slug: str) -> dict[str, str | None]:
    return {
        "organization": organization_slug,
        "project": place.project_slug,
        "deployment": place.deployment_slug,
        "environment": place.environment_slug,
    }


def rolled_back_by(deploy: Deploy) -> Sequence[Deploy]:
    """The newest of them."""
    undone = Deploy.objects.filter(rolled_back_by=deploy.pk)
    return list(undone.order_by("-deployed_at", "-id")[:ROLLED_BACK_SHOWN])


def in_short(deploy: Deploy, organization_slug: str) -> dict[str, Any]:
    return {
        "id": deploy.id,
        "url": deploy_path(organization_slug, deploy.id),
        "sha": deploy.sha,
        "version": deploy.version or None,
        "deployed_at": as_text(deploy.deployed_at),
    }


def mapping_of(place: TargetRow) -> str:
    """As people write it: a branch, or the beginning of one and ``*``."""
    branch = place.branch or ""
    return branch if place.branch_match == BranchMatch.EXACT else f"{branch}*"
