"""Sending a logged call again: as a curl command, or as a replay by a member."""

import json
import shlex
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from django.conf import settings
from django.utils import timezone

from deployments.api.body import charset_of, fields_to_store, read_fields, read_query
from deployments.api.dropped import HEADER, Dropped, dropped_header
from deployments.api.dry_run import FIELD, asks_for_dry_run
from deployments.errors import InvalidField, RegistrationError, UnknownDeployment
from deployments.models import Call
from deployments.models.call import MAX_BODY_BYTES_KEPT, Outcome
from deployments.registration.formats import FORMATS
from deployments.registration.receive import Receipt, Sender, receive
from deployments.registration.statements import find_targets
from deployments.request_log.sent import in_short
from orgs.audit import Actor
from orgs.models import User
from orgs.text import problem_in_text
from tokens.secrets import REDACTED

# These are not quoted in a path and query. Brackets are, since curl would take them for a pattern.
KEPT_IN_ADDRESSES = "/?&=%+:,;@!$'()*~"


def as_curl(call: Call) -> str:
    """A shell command that sends the call with the token in ``$GUMSHOE_TOKEN``.

    Empty if the log cannot reproduce the call: a body that was cut, or a multipart body, whose line ends a page does
    not keep.
    """
    if call.body_was_cut or call.content_type.startswith("multipart/"):
        return ""
    words = [f"curl --request {shlex.quote(call.method)}", '--header "Authorization: Bearer $GUMSHOE_TOKEN"']
    if content_type := call.content_type:
        if charset_of(content_type) != charset_of(""):
            # A shell sends the body as UTF-8.
            content_type = content_type.partition(";")[0].rstrip()
        words.append(f"--header {shlex.quote(f'Content-Type: {content_type}')}")
    if call.body:
        words.append(f"--data-binary {shlex.quote(call.body)}")
    words.append(shlex.quote(settings.SITE_URL + quote(call.path, safe=KEPT_IN_ADDRESSES)))
    return " \\\n  ".join(words)


# --- Registering a logged call again, after what it was rejected for has been put right ---

# Fields whose values the log always redacts.
CREDENTIALS = ("api_key", "token")


def replay_call(*, call: Call, member: User, body: str | None = None) -> Call:
    """Register what the call said, or what ``body`` says in place of its own, by the member's right instead of its
    token's. Returns the new line of the log.

    A call without a date gets the date on which it came, since that is when it was deployed. A call that was accepted
    gets the date of its deploy, so that this is not stored twice.
    """
    outcome, deploy_id, dropped = Outcome.REJECTED, None, ""
    original = call
    try:
        if body is not None and body != call.body:
            call = edited(call, body)
        receipt, changes = register_again(call, member)
    except RegistrationError as error:
        answer = getattr(error, "explanation", "") or str(error)
    else:
        outcome = Outcome.DUPLICATE if receipt.duplicate else Outcome.ACCEPTED
        answer, deploy_id = str(receipt.duplicate or "Success"), receipt.deploy_id
        dropped = dropped_header(changes).get(HEADER, "")
    return Call.objects.create(
        organization=call.organization,
        kind=call.kind,
        deployment=call.deployment,
        deployment_slug=call.deployment_slug,
        deploy_id=deploy_id,
        replay_of=original,
        sent=call.sent,
        token_name=f"replayed by {member.email}"[:100],
        request_id=uuid4().hex,
        method=call.method,
        path=call.path,
        content_type=call.content_type,
        body=call.body,
        body_bytes=call.body_bytes,
        status=200 if deploy_id else 400,
        outcome=outcome,
        answer=answer[:500],
        dropped=dropped,
    )


def fields_of(call: Call) -> dict[str, Any]:
    """Raises UnreadableBody."""
    return fields_to_store(*query_and_body(call), Dropped())


def query_and_body(call: Call) -> tuple[dict[str, Any], dict[str, Any]]:
    """Raises UnreadableBody."""
    sent = call.body.encode(charset_of(call.content_type) or "utf-8", "replace")
    return read_query(call.path.partition("?")[2]), read_fields(sent, call.content_type)


def edited(call: Call, body: str) -> Call:
    """The call with another body, not stored. Raises InvalidField."""
    if problem := problem_in_text(body):
        raise InvalidField(f"The body {problem}.")
    if len(body.encode()) > MAX_BODY_BYTES_KEPT:
        raise InvalidField("The body is too long to be replayed: let your CI send it.")
    changed = copy(call)
    changed.body, changed.body_bytes = body, len(body.encode())
    changed.sent = in_short(body, call.path)
    return changed


def register_again(call: Call, member: User) -> tuple[Receipt, Sequence[str]]:
    """With what of the call was changed. Creates no deployment or environment: the member does that on their pages."""
    wire = FORMATS.get(call.kind)
    if wire is None or not call.is_whole:
        raise InvalidField("The call was not kept whole: let your CI send it again.")
    targets = find_targets(call.organization_id, call.deployment_slug)
    if not targets:
        raise UnknownDeployment(call.deployment_slug)
    query, body = query_and_body(call)
    dropped = Dropped()
    fields = fields_to_store(query, body, dropped)
    if asks_for_dry_run(in_query=query.get(FIELD), in_body=body.get(FIELD)):
        raise InvalidField("This was a dry run, which stores nothing: send the call itself.")
    if REDACTED in json.dumps({name: value for name, value in fields.items() if name not in CREDENTIALS}):
        raise InvalidField("The log redacted what may have been a secret: send the call itself.")
    registration = wire.read(fields, targets)
    if registration is None:
        raise InvalidField("This notification registers nothing: Terraform sends another when its run has completed.")
    deployed_at = call.deploy.deployed_at if call.deploy else registration.deployed_at or call.created_at
    receipt = receive(
        sender=Sender(organization_id=call.organization_id, token=None, actor=Actor.for_user(member)),
        registration=replace(registration, deployed_at=deployed_at),
        targets=targets,
        now=timezone.now(),
    )
    return receipt, (*dropped.sentences(), *registration.dropped)
