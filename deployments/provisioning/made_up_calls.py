"""Lines of the request log that nobody sent: those of the demo and of a filled organization."""

import json
from collections.abc import Mapping
from random import Random
from typing import Any

from deployments.models import Call, Deployment
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
        deployment=deployment,
        deployment_slug=deployment.slug,
        token=token,
        token_name=token.name,
        request_id=f"{random.getrandbits(128):032x}",
        method="POST",
        path=f"/api/1/deployments/{organization.slug}/{deployment.slug}/register_deploy",
        content_type="application/json",
        body=body,
        body_bytes=len(body),
        address=CI_ADDRESS,
        agent=AGENT,
        duration=random.randint(4, 30),
        **answer,
    )
