"""Writing manual changes that a caller or a member reported."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from deployments.models import ManualChange
from orgs import audit
from orgs.models import Environment, User
from orgs.rows import lock_active, lock_row, store
from orgs.services import save_changes
from orgs.short_lived import move_end


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualChangeFields:
    """``tags`` have no ``#``; ``links`` are pairs of a name and an address."""

    name: str
    changed_at: datetime
    description: str = ""
    author_email: str = ""
    user_email: str = ""
    tags: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()

    def columns(self) -> dict[str, Any]:
        return {**asdict(self), "tags": ",".join(self.tags), "links": [list(link) for link in self.links]}


@transaction.atomic
def register_manual_change(
    *,
    environment: Environment,
    fields: ManualChangeFields,
    token_id: int | None = None,
    member: User | None = None,
) -> ManualChange:
    """Either a token or a member reports it. Outside a transaction, the change is on disk when this returns."""
    project = environment.project
    change = ManualChange(
        organization=project.organization,
        project=project,
        environment=environment,
        token_id=token_id,
        registered_by=member,
        **fields.columns(),
    )
    store(change)
    if environment.ends_at:
        move_end(environment_id=environment.pk, days=project.short_lived_days, now=timezone.now())
    details = {"project": project.name, "environment": environment.name, "changed_at": fields.changed_at}
    record("registered", change, changes=details)
    return change


@transaction.atomic
def change_manual_change(*, change: ManualChange, environment: Environment, fields: ManualChangeFields) -> None:
    """Raises ValidationError if the environment is another project's or the change was deleted meanwhile."""
    change = lock_active(change)
    if environment.project_id != change.project_id:
        raise ValidationError(f"{environment} is not an environment of {change.project}.")
    before = change.environment
    changes = save_changes(change, {**fields.columns(), "environment_id": environment.pk})
    if changes.pop("environment_id", None):
        changes["environment"] = [before.name, environment.name]
    if "links" in changes:
        changes["links"] = [in_words(links) for links in changes["links"]]
    if changes:
        record("changed", change, changes=changes)


@transaction.atomic
def delete_manual_change(*, change: ManualChange) -> None:
    """Keeps the row, so that :func:`restore_manual_change` can restore it."""
    set_deleted_at(change, timezone.now(), "deleted")


@transaction.atomic
def restore_manual_change(*, change: ManualChange) -> None:
    set_deleted_at(change, None, "restored")


def set_deleted_at(change: ManualChange, moment: datetime | None, verb: str) -> None:
    change = lock_row(change)
    if (change.deleted_at is None) == (moment is None):
        return
    change.deleted_at = moment
    change.save(update_fields=["deleted_at", "updated_at"])
    record(verb, change)


def record(verb: str, change: ManualChange, *, changes: dict[str, Any] | None = None) -> None:
    audit.record(f"manual_change.{verb}", change, changes=changes)


def in_words(links: Iterable[Iterable[str]]) -> str:
    return ", ".join("=".join(link) for link in links)
