"""What the request log would have of made-up deploys."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from django.conf import settings

from deployments.models import Call
from deployments.models.call import Outcome
from deployments.provisioning.filling.events import Event
from deployments.provisioning.filling.places import Lane
from deployments.provisioning.made_up_calls import made_up_call
from tokens.models import AccessToken

MISSPELT = "prod"


class CallLog:
    """Made-up lines, as many as the real log would have: not for ever, and not more than so many a day."""

    def __init__(
        self,
        token: AccessToken,
        lanes: Sequence[Sequence[Lane]],
        *,
        share_rejected_before: float,
        now: datetime,
    ) -> None:
        self.token = token
        self.lanes = lanes
        self.share_rejected_before = share_rejected_before
        self.since = now - timedelta(days=settings.REQUEST_LOG_DAYS)
        self.kept: Counter[date] = Counter()
        self.random = Random(token.organization.slug)  # noqa: S311 - no secret comes from it

    def calls_of(self, event: Event) -> Iterator[Call]:
        """The call that registered a deploy; now and then a rejected one before it."""
        day = event.at.date()
        if event.at < self.since or self.kept[day] >= settings.REQUEST_LOG_PER_DAY:
            return
        self.kept[day] += 1
        lanes = self.lanes[event.deployment]
        if self.random.random() < self.share_rejected_before:
            slugs = ", ".join(lane.environment_slug for lane in lanes)
            project = lanes[0].deployment.project.slug
            yield self.call(
                event,
                MISSPELT,
                created_at=event.at - timedelta(minutes=1),
                status=400,
                outcome=Outcome.REJECTED,
                answer=f"No environment '{MISSPELT}' in project {project}: it has {slugs}.",
            )
        yield self.call(
            event,
            lanes[event.environment].environment_slug,
            created_at=event.at,
            status=200,
            outcome=Outcome.ACCEPTED,
            answer="Success",
            deploy_id=event.id,
        )

    def call(self, event: Event, environment: str, **answer: Any) -> Call:
        deployment = self.lanes[event.deployment][0].deployment
        said = event.registration
        fields = {"sha": said.sha, "environment": environment, "email": said.author_email}
        return made_up_call(self.token, deployment, fields, self.random, **answer)
