"""Made-up calls: their lines in the request log, and the deploys that they register."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache, partial
from random import Random
from typing import Any

from django.urls import reverse

from deployments.errors import RegistrationError
from deployments.models import Call, Deployment
from deployments.models.call import Outcome
from deployments.registration.formats import SLEUTH
from deployments.registration.receive import Sender, receive
from deployments.registration.sleuth import read_registration
from deployments.registration.statements import find_targets
from deployments.request_log.sent import in_short
from tokens.models import AccessToken
from tokens.services import token_actor
from tokens.statements import find_token


class Ci:
    """A CI server that sends calls with one token."""

    def __init__(self, token: AccessToken, random: Random) -> None:
        self.token = token
        self.random = random
        self.sender = Sender(
            organization_id=token.organization_id,
            token=find_token(token.digest),
            actor=token_actor(token, address=""),
        )
        self.targets = cache(partial(find_targets, token.organization_id))

    def send(self, deployment: Deployment, body: Mapping[str, Any], *, at: datetime) -> Call:
        """Register what a call with this body registers at this time, or nothing if it is rejected.

        Returns its line in the request log, which is not stored.
        """
        try:
            registration = read_registration(dict(body))
            targets = self.targets(deployment.slug)
            receipt = receive(sender=self.sender, registration=registration, targets=targets, now=at)
        except RegistrationError as error:
            return self.line(deployment, body, at=at, status=400, outcome=Outcome.REJECTED, answer=str(error))
        return self.line(deployment, body, at=at, deploy_id=receipt.deploy_id)

    def line(
        self,
        deployment: Deployment,
        body: Mapping[str, Any],
        *,
        at: datetime,
        status: int = 200,
        outcome: Outcome = Outcome.ACCEPTED,
        answer: str = "Success",
        deploy_id: int | None = None,
    ) -> Call:
        """A line of the request log, which is not stored."""
        text = json.dumps(body)
        organization = self.token.organization
        return Call(
            organization=organization,
            kind=SLEUTH.name,
            deployment=deployment,
            deployment_slug=deployment.slug,
            deploy_id=deploy_id,
            token=self.token,
            token_name=self.token.name,
            request_id=f"{self.random.getrandbits(128):032x}",
            method="POST",
            path=reverse(SLEUTH.name, args=[organization.slug, deployment.slug]),
            content_type="application/json",
            body=text,
            sent=in_short(text, ""),
            body_bytes=len(text),
            status=status,
            outcome=outcome,
            answer=answer,
            # An address that belongs to nobody (RFC 5737).
            address="192.0.2.17",
            agent="curl/8.5.0",
            duration=self.random.randint(4, 30),
            created_at=at,
        )
