"""Manual changes: what a caller or a member said becomes one row, which can be edited, deleted and restored."""

from collections.abc import Iterable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualChangeFields:
    """``tags`` are without their ``#``, ``links`` pairs of name and address."""

    name: str
    changed_at: datetime
    description: str = ""
    author_email: str = ""
    user_email: str = ""
    tags: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()

    def columns(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "changed_at": self.changed_at,
            "description": self.description,
            "author_email": self.author_email,
            "user_email": self.user_email,
            "tags": ",".join(self.tags),
            "links": [list(link) for link in self.links],
        }


@transaction.atomic
def register_manual_change(
    *,
    environment: Environment,
    fields: ManualChangeFields,
    token_id: int | None = None,
    member: User | None = None,
) -> ManualChange:
    """By a token or by a member. When this returns outside a transaction, the change is on disk."""
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
    facts = {"project": project.name, "environment": environment.name, "changed_at": fields.changed_at}
    record("registered", change, changes=facts)
    return change


@transaction.atomic
def change_manual_change(*, change: ManualChange, environment: Environment, fields: ManualChangeFields) -> None:
    """Raises ValidationError for another project's environment and where the change was deleted meanwhile."""
    change = lock_active(change)
    if environment.project_id != change.project_id:
        raise ValidationError(f"{environment} is no environment of {change.project}.")
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
    """It stays in the database for :func:`restore_manual_change`."""
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
    audit.record(f"manual_change.{verb}", change, organization=change.organization, changes=changes)


def in_words(links: Iterable[Iterable[str]]) -> str:
    return ", ".join("=".join(link) for link in links)
