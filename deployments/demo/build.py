"""The demo organization: small and believable, with weeks of history."""

import json
import math
import os
import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.crypto import get_random_string

from deployments.demo.calls import Ci
from deployments.demo.story import Event, author_of, make_history, read_acme
from deployments.impacts.incidents import IncidentReport, record_incident
from deployments.impacts.sources import record_metric_value
from deployments.manual_changes.services import ManualChangeFields, register_manual_change
from deployments.models import Call, Deploy, ImpactSource, IncidentEventType
from deployments.provisioning.applying import provision
from deployments.registration.formats import SLEUTH
from orgs.audit import Actor, acting_as
from orgs.models import Environment, Organization, User
from orgs.text import digest
from tokens.models import AccessToken
from tokens.scopes import Scope
from tokens.services import create_token, revoke_token

SLUG = "acme"
SEED = "acme"
EMAIL = "demo@example.com"
TOKEN_NAME = "demo"


class DatabaseNotEmpty(Exception):
    """The message names the organizations that are there already."""


class LastSuperuser(Exception):
    """The demo's user is the only superuser."""


def find_demo() -> Organization | None:
    """The organization acme, if the demo's user is a member of it: another one may have the same name."""
    return Organization.objects.filter(slug=SLUG, memberships__user__email=EMAIL).first()


def ensure_demo(*, now: datetime, days: int) -> int | None:
    """Build the demo unless it exists, and renew its access. Returns the number of new deploys, if it was built.

    Raises DatabaseNotEmpty if there are other organizations and no demo.
    """
    with transaction.atomic():
        found, added = find_demo(), None
        if found is None:
            check_database_is_empty()
        password = ensure_user()
        if found is None:
            provision({"organizations": read_acme()["organizations"]}, now=now)
        organization = found or Organization.objects.get(slug=SLUG)
        token, secret = ensure_token(organization)
        if found is None:
            make_ending_token(organization, now=now)
            added = send_calls(token, now=now, days=days)
            record_manual_changes(organization, now=now, days=days)
            report_impacts(organization, now=now, days=days)
    write_access(Access(password=password, token=secret))
    return added


@transaction.atomic
def remove_demo() -> None:
    """With all that is in it, and its people. Raises LastSuperuser if there would be no superuser any more.

    Whoever is a member elsewhere by now stays.
    """
    if not User.objects.filter(is_superuser=True, is_active=True).exclude(email=EMAIL).exists():
        raise LastSuperuser
    people = [member["email"] for member in read_acme()["organizations"][0]["members"]]
    if organization := find_demo():
        organization.delete()
    User.objects.filter(email__in=people, memberships=None).delete()
    access_file().unlink(missing_ok=True)


def check_database_is_empty() -> None:
    slugs = list(Organization.objects.order_by("slug").values_list("slug", flat=True)[:5])
    if slugs:
        raise DatabaseNotEmpty(
            f"This database has organizations already ({', '.join(slugs)}): the demo is only for an empty one."
        )


def send_calls(token: AccessToken, *, now: datetime, days: int) -> int:
    """The calls that registered the history and those that were rejected. Returns the number of deploys."""
    rejected = [
        Event(time_before(now, call["days_ago"], call["hours"]), call["deployment"], call["body"])
        for call in read_acme()["rejected_calls"]
    ]
    history = make_history(seed=SEED, now=now, days=days)
    ci = Ci(token, Random(SEED))  # noqa: S311 - no secret comes from it
    deployments = {deployment.slug: deployment for deployment in token.organization.deployments.all()}
    calls = [
        ci.send(deployments[event.deployment], event.body, at=event.at)
        for event in sorted([*history, *rejected], key=lambda event: event.at)
    ]
    # The real log would have pruned those before.
    since = now - timedelta(days=settings.REQUEST_LOG_DAYS)
    Call.objects.bulk_create(call for call in calls if call.created_at > since)
    return len(history)


def time_before(now: datetime, days: int, hours: float) -> datetime:
    return now - timedelta(days=days, hours=hours)


def record_manual_changes(organization: Organization, *, now: datetime, days: int) -> None:
    for change in read_acme()["manual_changes"]:
        if change["days_ago"] >= days:
            continue
        author = author_of(change["person"])["email"]
        register_manual_change(
            environment=Environment.objects.select_related("project__organization").get(
                project__organization=organization, project__slug=change["project"], slug=change["environment"]
            ),
            fields=ManualChangeFields(
                name=change["name"],
                changed_at=time_before(now, change["days_ago"], change["hours"]),
                description=change.get("description", ""),
                author_email=author,
                tags=tuple(change.get("tags", ())),
                links=tuple(change.get("links", {}).items()),
            ),
            member=User.objects.get(email=author),
        )


# --- What the impact sources saw: incidents, and a failure rate that rises while they last ---

MEASURED_EVERY = timedelta(hours=1)
# From when until when, and its title.
Failure = tuple[datetime, datetime | None, str]


def report_impacts(organization: Organization, *, now: datetime, days: int) -> None:
    random = Random(f"{SEED} impacts")  # noqa: S311 - no secret comes from it
    begun_at = now - timedelta(days=days)
    sources = ImpactSource.objects.filter(organization=organization)
    sources.update(created_at=begun_at)
    on_call, failed_checkouts = sources.get(slug="on-call"), sources.get(slug="failed-checkouts")
    failures = list(failures_of(on_call, begun_at, now, random))
    with acting_as(Actor(label="access token on-call")):
        for number, (started_at, ended_at, title) in enumerate(failures, start=301):
            for type_, at in ((IncidentEventType.TRIGGERED, started_at), (IncidentEventType.RESOLVED, ended_at)):
                if at:
                    report = IncidentReport(
                        type=type_,
                        external_id=f"ALERT-{number}",
                        occurred_at=at,
                        title=title,
                        url=f"https://alerts.example.com/{number}",
                    )
                    record_incident(source=on_call, report=report, now=at)
    moment = begun_at.replace(minute=0, second=0, microsecond=0) + MEASURED_EVERY
    while moment < now:
        value = failure_rate(moment, failures, random)
        record_metric_value(source=failed_checkouts, value=value, measured_at=moment, now=moment)
        moment += MEASURED_EVERY


def failures_of(source: ImpactSource, begun_at: datetime, now: datetime, random: Random) -> Iterator[Failure]:
    """A failure starts some minutes after the deploy that caused it and ends soon after the rollback."""
    titles = read_acme()["incidents"]
    rollbacks = Deploy.objects.filter(environment=source.environment_id, restores__isnull=False)
    for rollback in rollbacks.order_by("deployed_at"):
        cause = Deploy.objects.filter(rolled_back_by=rollback).order_by("-deployed_at").first()
        if cause:
            started_at = cause.deployed_at + (rollback.deployed_at - cause.deployed_at) * random.uniform(0.2, 0.5)
            ended_at = rollback.deployed_at + timedelta(minutes=random.uniform(2, 12))
            yield started_at, ended_at, random.choice(titles["of_deploys"])
    for title in titles["of_others"]:
        started_at = begun_at + (now - begun_at) * random.uniform(0.1, 0.9)
        yield started_at, min(started_at + timedelta(minutes=random.uniform(20, 240)), now), title
    yield now - timedelta(minutes=25), None, titles["open"]


def failure_rate(moment: datetime, failures: Sequence[Failure], random: Random) -> float:
    """In per cent: higher in the evening, when many people buy, and much higher during a failure."""
    evening = 1 + 0.4 * math.cos((moment.hour - 20) / 24 * 2 * math.pi)
    rate = 0.6 * evening * random.uniform(0.8, 1.2)
    # Measured hourly, so that even a short failure raises the next value.
    if any(start <= moment and (end or moment) > moment - MEASURED_EVERY for start, end, _ in failures):
        rate += random.uniform(1.5, 5)
    return round(rate, 2)


# --- How people and machines get into the demo: kept in a file that only its owner can read, so that it stays valid ---


class Access(NamedTuple):
    password: str
    token: str


def access_file() -> Path:
    return Path(settings.VAR_DIR) / "demo.json"


def read_access() -> Access | None:
    try:
        return Access(**json.loads(access_file().read_text()))
    except (OSError, ValueError, TypeError):
        return None


def write_access(access: Access) -> None:
    path = access_file()
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(access._asdict(), file)
    beside.replace(path)


def ensure_user() -> str:
    """The superuser's saved password, or a new one if none was saved. A password set by hand since then is kept."""
    saved = read_access()
    password = saved.password if saved else get_random_string(16)
    user = User.objects.filter(email=EMAIL).first()
    if user is None:
        User.objects.create_superuser(EMAIL, password)
    elif saved is None:
        user.set_password(password)
        user.save(update_fields=["password"])
    return password


def ensure_token(organization: Organization) -> tuple[AccessToken, str]:
    """The token in the file while it is active, otherwise a new one in its place."""
    saved = read_access()
    token = organization.tokens.filter(name=TOKEN_NAME, revoked_at=None).first()
    if token and saved and token.digest == digest(saved.token) and token.state() == "active":
        return token, saved.token
    if token:
        revoke_token(token=token)
    return create_token(
        organization=organization,
        name=TOKEN_NAME,
        scopes=[Scope.REGISTER_DEPLOY],
        created_by=User.objects.filter(email=EMAIL).first(),
    )


def make_ending_token(organization: Organization, *, now: datetime) -> None:
    """One that needs somebody's attention. Nobody knows its secret."""
    create_token(
        organization=organization,
        name="nightly-jobs",
        scopes=[Scope.REGISTER_DEPLOY],
        expires_at=now + timedelta(days=6),
        created_by=User.objects.filter(email=author_of("Mira Castell")["email"]).first(),
    )


def closing_lines(access: Access) -> list[str]:
    """How to sign in and, last, a command that registers a deploy: one line for any shell, with a new sha each time."""
    path = reverse(SLEUTH.name, args=[SLUG, "storefront"])
    sha = "$(od -An -N20 -tx1 /dev/urandom | tr -d ' \\n')"
    return [
        f"Look around at {settings.SITE_URL} as {EMAIL} with the password {access.password}",
        "Register a deploy:",
        f"curl -X POST {shlex.quote(settings.SITE_URL + path)} -H 'Authorization: Bearer {access.token}' "
        f'-d "sha={sha}" -d environment=production',
    ]
