"""Lines of the request log that nobody sent: those of the demo and of a filled organization."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.conf import settings
from django.urls import reverse

from deployments.demo.history import Event
from deployments.errors import RegistrationError
from deployments.models import Call, Deployment
from deployments.models.call import Outcome
from deployments.registration.formats import SLEUTH
from deployments.registration.registration import NewCommit, NewPullRequest, Registration
from deployments.registration.statements import TargetRow
from deployments.registration.targets import choose_target
from tokens.models import AccessToken

# An address that belongs to nobody (RFC 5737).
CI_ADDRESS = "192.0.2.17"
AGENT = "curl/8.5.0"


def made_up_call(
    token: AccessToken, deployment: Deployment, fields: Mapping[str, Any], random: Random, **answer: Any
) -> Call:
    """A ``register_deploy`` with the body ``fields``, not stored; ``answer`` has the columns about what came of it."""
    body = json.dumps(fields)
    organization = token.organization
    return Call(
        organization=organization,
        kind=SLEUTH.name,
        deployment=deployment,
        deployment_slug=deployment.slug,
        token=token,
        token_name=token.name,
        request_id=f"{random.getrandbits(128):032x}",
        method="POST",
        path=reverse(SLEUTH.name, args=[organization.slug, deployment.slug]),
        content_type="application/json",
        body=body,
        body_bytes=len(body),
        address=CI_ADDRESS,
        agent=AGENT,
        duration=random.randint(4, 30),
        **answer,
    )


# --- What the demo's CI sent: the calls that registered its deploys, and some as they are turned away every day ---


@dataclass(frozen=True, slots=True)
class Mishap:
    """A call that is refused: ``fields`` are its body."""

    days_ago: int
    hours: float
    deployment: str
    fields: Mapping[str, Any] = field(default_factory=dict)


MISHAPS = (
    Mishap(0, 0.9, "storefront", {"sha": "4f0c2a97", "environment": "prod", "email": "jonas.falk@example.com"}),
    Mishap(0, 0.8, "storefront", {"sha": "4f0c2a97", "environment": "live", "email": "jonas.falk@example.com"}),
    Mishap(1, 4.2, "billing", {"environment": "staging", "email": "priya.nair@example.com"}),
    Mishap(3, 2.5, "api-gateway", {"sha": "v1.131.2", "environment": "staging", "date": "yesterday"}),
    Mishap(8, 6.1, "checkout", {"sha": "9b1d77e0", "environment": "production", "links": "build: 4711"}),
)


def log_calls(
    token: AccessToken,
    registered: Sequence[tuple[Event, int]],
    places: Mapping[str, Sequence[TargetRow]],
    *,
    now: datetime,
    seed: str,
) -> None:
    """``registered`` are the events with the ids of their deploys. What the log would have pruned is left out."""
    since = now - timedelta(days=settings.REQUEST_LOG_DAYS)
    deployments = {deployment.slug: deployment for deployment in token.organization.deployments.all()}
    log = DemoLog(token, deployments, Random(seed))  # noqa: S311 - no secret comes from it
    calls = [log.accepted(event, deploy_id) for event, deploy_id in registered if event.at > since]
    for mishap in MISHAPS:
        at = now - timedelta(days=mishap.days_ago, hours=mishap.hours)
        if at > since:
            calls.append(log.rejected(mishap, places[mishap.deployment], at))
    Call.objects.bulk_create(sorted(calls, key=lambda call: call.created_at))


class DemoLog:
    def __init__(self, token: AccessToken, deployments: Mapping[str, Deployment], random: Random) -> None:
        self.token = token
        self.deployments = deployments
        self.random = random

    def accepted(self, event: Event, deploy_id: int) -> Call:
        fields = fields_of(event.registration)
        answer = {"status": 200, "outcome": Outcome.ACCEPTED, "answer": "Success", "deploy_id": deploy_id}
        return self.call(event.deployment, fields, created_at=event.at, **answer)

    def rejected(self, mishap: Mishap, places: Sequence[TargetRow], at: datetime) -> Call:
        """With the very sentence that the body is answered with."""
        answer = {"status": 400, "outcome": Outcome.REJECTED, "answer": refusal_of(mishap.fields, places)}
        return self.call(mishap.deployment, mishap.fields, created_at=at, **answer)

    def call(self, slug: str, fields: Mapping[str, Any], **answer: Any) -> Call:
        return made_up_call(self.token, self.deployments[slug], fields, self.random, **answer)


def refusal_of(fields: Mapping[str, Any], places: Sequence[TargetRow]) -> str:
    try:
        registration = SLEUTH.read(dict(fields), places)
        choose_target(places, environment=registration.environment if registration else "")
    except RegistrationError as error:
        return str(error)
    raise AssertionError(f"{fields} would be accepted")


def fields_of(registration: Registration) -> dict[str, Any]:
    """The body that says it."""
    return told(
        sha=registration.sha,
        environment=registration.environment,
        branch=registration.branch,
        email=registration.author_email,
        tags=[f"#{tag}" for tag in registration.tags or ()],
        links=dict(registration.links),
        commits=[fields_of_commit(commit) for commit in registration.commits],
        files=[told(path=file.path, additions=file.additions, deletions=file.deletions) for file in registration.files],
        pull_requests=[fields_of_pull_request(pull) for pull in registration.pull_requests],
    )


def fields_of_commit(commit: NewCommit) -> dict[str, Any]:
    return told(
        revision=commit.revision,
        message=commit.message,
        author=told(name=commit.author_name, email=commit.author_email, username=commit.author_username),
        date=moment(commit.committed_at),
        files=list(commit.files),
    )


def fields_of_pull_request(pull: NewPullRequest) -> dict[str, Any]:
    return told(
        number=pull.number,
        title=pull.title,
        url=pull.url,
        branch=pull.branch,
        author=pull.author,
        created_at=moment(pull.opened_at),
        first_review_at=moment(pull.first_reviewed_at),
        merged_at=moment(pull.merged_at),
        issue_keys=list(pull.issue_keys),
    )


def told(**fields: Any) -> dict[str, Any]:
    """Without what is empty."""
    return {name: value for name, value in fields.items() if value}


def moment(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""
