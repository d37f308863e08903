"""Terraform Cloud's notifications, which it posts to register_deploy: fields → Registration.

https://developer.hashicorp.com/terraform/cloud-docs/api-docs/notification-configurations. We do not have the
secret with which their X-TFE-Notification-Signature is made: we trust the access token in the address.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.db.models.functions import Left

from deployments.api.body import without_absent
from deployments.api.dates import read_date
from deployments.api.dropped import Dropped, cut
from deployments.api.schemas import accepted_fields
from deployments.errors import InvalidField
from deployments.models import BranchMatch, Deploy
from deployments.models.deploy import MAX_NAME_LENGTH, MAX_TITLE_LENGTH
from deployments.registration.registration import Registration
from deployments.registration.statements import TargetRow
from deployments.registration.targets import choose_target
from orgs.text import shortened

TERRAFORM_RUN_ID = r"^run-[0-9A-Za-z]{8,60}$"
COMPLETED = "run:completed"
LINK_NAME = "Terraform run"


def read_registration(fields: dict[str, Any], targets: Sequence[TargetRow]) -> Registration | None:
    """Of the sha that the call names, or else the newest known change, or else the run's id, so that no deploy is lost.

    None if there is nothing to register. Raises UnknownEnvironment, and InvalidField, also if no sha is known.
    """
    notifications = fields.get("notifications")
    if notifications is None or registers_nothing(notifications):
        return None
    dropped = Dropped()
    fields = accepted_fields("terraform_notification", without_absent(fields), dropped)
    completed = [item for item in notifications if item["trigger"] == COMPLETED]
    completed_at = read_date(without_absent(completed[-1]).get("run_updated_at"))
    environment, url = fields.get("environment", ""), fields.get("run_url", "")
    target = choose_target(targets, environment=environment)
    known = None if "sha" in fields else known_change(target, completed_at, url)
    sha = fields.get("sha") or (known.sha if known else fields.get("run_id"))
    if not sha:
        raise InvalidField(
            f"No change of {target.deployment_slug} is known yet: register one with its sha, "
            "or add &sha=… to the webhook's address."
        )
    return Registration(
        sha=sha,
        version=known.version if known else "",
        environment=environment,
        deployed_at=completed_at,
        branch=known.branch if known else "",
        # A notification has no branch, and that of the change is only what is known.
        names_branch=False,
        ignore_if_duplicate=True,
        # Its body has the id of its run.
        may_come_twice=True,
        title=cut("run_message", first_line(fields.get("run_message", "")), MAX_TITLE_LENGTH, dropped),
        author_name=cut("run_created_by", fields.get("run_created_by", ""), MAX_NAME_LENGTH, dropped),
        links=((LINK_NAME, url),) if url else (),
        dropped=dropped.sentences(),
    )


def registers_nothing(notifications: Any) -> bool:
    """Whether these are a ``verification``, or runs that have not completed.

    Only the triggers of those are read, so that nothing else in them can be wrong.
    """
    if not isinstance(notifications, list):
        return False
    triggers = [item.get("trigger") if isinstance(item, dict) else None for item in notifications]
    return all(isinstance(trigger, str) and trigger != COMPLETED for trigger in triggers)


def known_change(target: TargetRow, completed_at: datetime | None, url: str) -> Deploy | None:
    """The deploy that this run registered before, else the newest change.

    Terraform repeats a call that got no answer. A run that is already registered gets the same sha again, even if
    others were registered since: it is a duplicate, which is not an error.
    """
    if url and completed_at:
        deploys = Deploy.objects.filter(target=target.target_id, deployed_at=completed_at, links__url=url)
        return deploys.first() or newest_change(target)
    return newest_change(target)


def newest_change(target: TargetRow) -> Deploy | None:
    """The newest deploy of the deployment, in any environment, whose branch may go to ``target`` or is not known.

    A rollback brought no new change, and the id of a Terraform run names none.
    """
    deploys = Deploy.succeeded.filter(deployment=target.deployment_id, restores=None)
    deploys = deploys.exclude(sha__regex=TERRAFORM_RUN_ID)
    if target.branch_match == BranchMatch.EXACT:
        deploys = deploys.filter(branch__in=("", target.branch))
    elif target.branch_match == BranchMatch.PREFIX:
        beginning = target.branch or ""
        fits = Q(branch="") | Q(beginning=beginning)
        deploys = deploys.alias(beginning=Left("branch", len(beginning))).filter(fits)
    return deploys.order_by("-deployed_at", "-id").first()


def environment_of(fields: Mapping[str, Any]) -> str:
    """Empty if the call names none."""
    named = fields.get("environment")
    return shortened(named.strip(), 100) if isinstance(named, str) else ""


def first_line(text: str) -> str:
    lines = text.splitlines()
    return lines[0].strip() if lines else ""
