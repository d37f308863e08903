"""Revisions for callers that name none: what a Terraform run can have deployed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.db.models.functions import Left

from deployments.api.body import without_absent
from deployments.api.fields import read_date
from deployments.api.schemas import check_fields
from deployments.errors import InvalidField
from deployments.models import BranchMatch, Deploy
from deployments.models.deploy import MAX_NAME_LENGTH, MAX_TITLE_LENGTH
from deployments.registration.registration import Registration
from deployments.registration.statements import TargetRow
from deployments.registration.targets import choose_target
from orgs.text import shortened

TERRAFORM_RUN_ID = r"^run-[0-9A-Za-z]{8,60}$"


def newest_change(target: TargetRow) -> Deploy | None:
    """The newest deploy of the deployment, in whatever environment, whose branch may go to ``place`` or is not known.

    A rollback brought no new change, and a deploy that is called by a Terraform run's id names none.
    """
    deploys = Deploy.objects.filter(deployment=target.deployment_id, restores=None).exclude(sha__regex=TERRAFORM_RUN_ID)
    if target.branch_match == BranchMatch.EXACT:
        deploys = deploys.filter(branch__in=("", target.branch))
    elif target.branch_match == BranchMatch.PREFIX:
        beginning = target.branch or ""
        fits = Q(branch="") | Q(beginning=beginning)
        deploys = deploys.alias(beginning=Left("branch", len(beginning))).filter(fits)
    return deploys.order_by("-deployed_at", "-id").first()


def deploy_with_link(target: TargetRow, *, deployed_at: datetime, url: str) -> Deploy | None:
    """The deploy of that moment in ``place`` that has this link."""
    return Deploy.objects.filter(target=target.target_id, deployed_at=deployed_at, links__url=url).first()


# --- Terraform Cloud's notifications, which it posts to register_deploy without a sha ---
# https://developer.hashicorp.com/terraform/cloud-docs/api-docs/notification-configurations. Nobody gave us the secret
# that their X-TFE-Notification-Signature is made with: the access token in the address is what we trust.

COMPLETED = "run:completed"
LINK_NAME = "Terraform run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run that completed. Texts are empty and the moment is none where the notification does not have them."""

    environment: str
    sha: str
    run_id: str
    url: str
    title: str
    author: str
    completed_at: datetime | None


def read_run(fields: dict[str, Any]) -> Run | None:
    """None where there is nothing to register: for the ``verification`` that switches the webhook on, and for runs that
    have not completed: of these nothing is read but their triggers, so that nothing in them can be wrong. Raises
    InvalidField."""
    notifications = fields.get("notifications")
    if notifications is None or registers_nothing(notifications):
        return None
    check_fields("terraform_notification", fields)
    completed = [item for item in notifications if item["trigger"] == COMPLETED]
    fields = without_absent(fields)
    return Run(
        environment=fields.get("environment", ""),
        sha=fields.get("sha", ""),
        run_id=fields.get("run_id", ""),
        url=fields.get("run_url", ""),
        title=first_line(fields.get("run_message", ""))[:MAX_TITLE_LENGTH],
        author=fields.get("run_created_by", "")[:MAX_NAME_LENGTH],
        completed_at=read_date(without_absent(completed[-1]).get("run_updated_at")),
    )


def registers_nothing(notifications: Any) -> bool:
    if not isinstance(notifications, list):
        return False
    triggers = [item.get("trigger") if isinstance(item, dict) else None for item in notifications]
    return all(isinstance(trigger, str) and trigger != COMPLETED for trigger in triggers)


def read_registration(fields: dict[str, Any], targets: Sequence[TargetRow]) -> Registration | None:
    """None for a notification that registers nothing. Raises InvalidField and UnknownEnvironment."""
    run = read_run(fields)
    return registration_of(run, choose_target(targets, environment=run.environment)) if run else None


def environment_of(fields: Mapping[str, Any]) -> str:
    """Empty where the call names none."""
    named = fields.get("environment")
    return shortened(named.strip(), 100) if isinstance(named, str) else ""


def first_line(text: str) -> str:
    lines = text.splitlines()
    return lines[0].strip() if lines else ""


def registration_of(run: Run, target: TargetRow) -> Registration:
    """Of the revision that the call names, else of the newest change known of the deployment, else of the run itself,
    so that nothing that was deployed is missing. Raises InvalidField where there is none of them.

    Terraform repeats what it got no answer to. A run that is registered already names the same revision again,
    whatever became known since, and so is a duplicate, which is no error.
    """
    known = None
    if not run.sha:
        if run.url and run.completed_at:
            known = deploy_with_link(target, deployed_at=run.completed_at, url=run.url)
        known = known or newest_change(target)
    sha = run.sha or (known.sha if known else run.run_id)
    if not sha:
        raise InvalidField(
            f"No change of {target.deployment_slug} is known yet: register one with its sha, "
            "or add &sha=… to the webhook's address."
        )
    return Registration(
        sha=sha,
        version=known.version if known else "",
        environment=run.environment,
        deployed_at=run.completed_at,
        branch=known.branch if known else "",
        # The page lists what a notification has, and no branch is among it; that of the change is only what is known.
        names_branch=False,
        ignore_if_duplicate=True,
        title=run.title,
        author_name=run.author,
        links=((LINK_NAME, run.url),) if run.url else (),
    )
