"""Who did what to what, written in the transaction that does it.

The actor is set where a call enters (``orgs.access`` for people, commands for themselves), so that services need no
argument for it and cannot forget it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import models

from orgs.models import AuditEvent, Organization, User
from orgs.text import ip_address_or_none


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """``label`` outlives the user. ``address`` is an IP address or empty."""

    label: str
    user_id: int | None = None
    address: str = ""

    @classmethod
    def for_user(cls, user: User, *, address: str = "") -> "Actor":
        return cls(label=user.email, user_id=user.pk, address=address)


SYSTEM = Actor(label="system")
current_actor: ContextVar[Actor] = ContextVar("current_actor", default=SYSTEM)


@contextmanager
def acting_as(actor: Actor) -> Iterator[None]:
    reset = current_actor.set(actor)
    try:
        yield
    finally:
        current_actor.reset(reset)


def organization_of(row: Any) -> Organization | None:
    """The one that ``row`` belongs to. People belong to none."""
    if isinstance(row, Organization):
        return row
    above = (getattr(row, name, None) for name in ("organization", "project", "deployment"))
    return next((organization_of(found) for found in above if found), None)


def record(
    action: str,
    subject: models.Model,
    *,
    organization: Organization | None = None,
    changes: Mapping[str, Any] | None = None,
) -> None:
    """Call it in the transaction that writes ``subject``, and never with a secret.

    ``organization`` is needed only if the subject, such as a user, does not say to which it belongs.

    ``action`` is a noun and a past participle, such as ``token.revoked``. ``changes`` maps fields to
    ``[before, after]``, a list of two, or to what was set.
    """
    actor = current_actor.get()
    owner: Any = organization or organization_of(subject)
    AuditEvent.objects.create(
        organization=owner,
        actor_id=actor.user_id,
        actor_label=actor.label,
        address=ip_address_or_none(actor.address),
        action=action,
        subject_type=str(subject._meta.verbose_name),  # noqa: SLF001 - Django's documented name for it
        subject_id=subject.pk,
        subject_label=str(subject)[:200],
        changes=dict(changes or {}),
    )


def record_changes(
    action: str, subject: models.Model, changes: Mapping[str, list[Any]], *, organization: Organization | None = None
) -> None:
    """:func:`record` what ``save_changes`` returned, unless nothing changed."""
    if changes:
        record(action, subject, organization=organization, changes=changes)


def words_of_action(action: str) -> str:
    """``Token revoked`` for ``token.revoked``."""
    return action.replace(".", " ").replace("_", " ").capitalize()


class Change(NamedTuple):
    field: str
    before: str
    after: str

    @property
    def sentence(self) -> str:
        return f"{self.field}: {self.before} → {self.after}" if self.before else f"{self.field}: {self.after}"


def changes_in_words(changes: Mapping[str, Any]) -> list[Change]:
    """The ``changes`` of :func:`record`, for people. ``before`` is empty if there is only what was set."""
    result = []
    for field, value in changes.items():
        name = field.replace("_", " ")
        if isinstance(value, list) and len(value) == 2:
            before, after = map(value_in_words, value)
            result.append(Change(name, before, after))
        elif value not in (None, ""):
            result.append(Change(name, "", value_in_words(value)))
    return result


def value_in_words(value: Any) -> str:
    if value in (None, "", []):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(value_in_words, value))
    return str(value)
