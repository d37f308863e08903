"""Revisions for callers that name none: what a Terraform run can have deployed."""

from datetime import datetime

from django.db.models import Q
from django.db.models.functions import Left

from deployments.models import BranchMatch, Deploy
from deployments.registration.statements import Place

TERRAFORM_RUN_ID = r"^run-[0-9A-Za-z]{8,60}$"


def newest_change(place: Place) -> Deploy | None:
    """The newest deploy of the deployment, in whatever environment, whose branch may go to ``place`` or is not known.

    A rollback brought no new change, and a deploy that is called by a Terraform run's id names none.
    """
    deploys = Deploy.objects.filter(deployment=place.deployment_id, restores=None).exclude(sha__regex=TERRAFORM_RUN_ID)
    if place.branch_match == BranchMatch.EXACT:
        deploys = deploys.filter(branch__in=("", place.branch))
    elif place.branch_match == BranchMatch.PREFIX:
        beginning = place.branch or ""
        fits = Q(branch="") | Q(beginning=beginning)
        deploys = deploys.alias(beginning=Left("branch", len(beginning))).filter(fits)
    return deploys.order_by("-deployed_at", "-id").first()


def deploy_with_link(place: Place, *, deployed_at: datetime, url: str) -> Deploy | None:
    """The deploy of that moment in ``place`` that has this link."""
    return Deploy.objects.filter(target=place.target_id, deployed_at=deployed_at, links__url=url).first()
