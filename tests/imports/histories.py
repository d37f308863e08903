"""What is stored of a target's history, and posting to one in short."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from deployments.models import Deploy, Target
from tests.conftest import World

# Histories in tests are written in minutes after this moment.
START = datetime(2024, 5, 1, 12, tzinfo=UTC)


def minute(number: float) -> str:
    """The date of a call: ``number`` minutes after START."""
    return (START + timedelta(minutes=number)).isoformat()


class Event(NamedTuple):
    """A deploy as its history shows it; ``restores`` and ``rolled_back_by`` are places in the history."""

    sha: str
    restores: int | None
    rolled_back_by: int | None
    is_live: bool


def history(world: World, environment: str = "production") -> list[Event]:
    """The deploys of a target, the oldest first."""
    target = Target.objects.get(deployment=world.deployment, environment__slug=environment)
    deploys = list(Deploy.objects.filter(target=target).order_by("deployed_at", "id"))
    places = {deploy.id: place for place, deploy in enumerate(deploys)}
    return [
        Event(
            deploy.sha,
            places[deploy.restores_id] if deploy.restores_id else None,
            places[deploy.rolled_back_by_id] if deploy.rolled_back_by_id else None,
            deploy.id == target.live_deploy_id,
        )
        for deploy in deploys
    ]


def in_short(events: list[Event]) -> str:
    """Such as ``a b[rolled back] a[rollback, live]``."""
    return " ".join(event.sha + marks_of(event) for event in events)


def marks_of(event: Event) -> str:
    marks = {
        "rollback": event.restores is not None,
        "rolled back": event.rolled_back_by is not None,
        "live": event.is_live,
    }
    found = ", ".join(mark for mark, is_set in marks.items() if is_set)
    return f"[{found}]" if found else ""


def post_history(world: World, shas: str, **body: Any) -> None:
    """Register one deploy a minute from START on: ``"a b a"``."""
    for number, sha in enumerate(shas.split()):
        response = world.register(sha=sha, date=minute(number), **body)
        assert (response.status_code, response.content) == (200, b"Success")
