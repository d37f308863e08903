"""A token's secret is in no log, no answer and no row, wherever it was sent and however the call ended."""

import json
import logging
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import connection
from pytest_django import Settings

from config.logging import JsonFormatter
from tests.calls import BOUNDARY, FORM, JSON, MULTIPART, SHA, RawClient, basic, bearer, multipart
from tests.conftest import World
from tokens import secrets

Call = dict[str, object]


def calls(ci: World, secret: str) -> Iterator[tuple[str, Call]]:
    """The same call with the secret in each place, among them those where it does not belong."""
    fields = {"sha": SHA, "environment": "staging"}
    plain = json.dumps(fields)
    yield "bearer", {"data": plain, "headers": bearer(secret)}
    yield "apikey", {"data": plain, "headers": {"Authorization": f"apikey {secret}"}}
    yield "no scheme", {"data": plain, "headers": {"Authorization": secret}}
    yield "basic", {"data": plain, "headers": basic(secret)}
    yield "another header", {"data": plain, "headers": {"X-Api-Key": secret, "X-Request-Id": f"{secret} "}}
    yield "json", {"data": json.dumps(fields | {"api_key": secret})}
    yield "form", {"data": f"sha={SHA}&api_key={secret}", "content_type": FORM}
    yield "multipart", {"data": multipart(("sha", SHA), ("api_key", secret)), "content_type": MULTIPART}
    yield "query", {"data": plain, "path": f"{ci.path}?api_key={secret}"}
    yield "unquoted", {"data": f'{{"sha": "{SHA}", "api_key": {secret}}}'}
    yield "form labelled json", {"data": f"sha={SHA}&api_key={secret}"}
    yield "charset", {"data": plain, "headers": bearer(secret), "content_type": f"{JSON}; charset=utf-7"}
    yield "cut off", {"data": f'{{"api_key": "{secret}", "sha": "{SHA}'}
    yield "cut off multipart", {"data": f"--{BOUNDARY}\r\n\r\n{secret}".encode(), "content_type": MULTIPART}
    yield "bad field", {"data": json.dumps(fields | {"api_key": secret, "date": "yesterday"})}
    yield "wrong environment", {"data": json.dumps(fields | {"api_key": secret, "environment": "prod"})}
    yield "in a list", {"data": json.dumps(fields | {"api_key": [secret]})}
    yield "get", {"method": "GET", "path": f"{ci.path}?api_key={secret}"}
    yield "slash", {"data": plain, "path": f"{ci.path}/?api_key={secret}"}
    yield "probe", {"data": plain, "path": f"/api/1/deployments/acme/-/register_deploy?api_key={secret}"}
    yield "another organization", {"data": plain, "path": f"/api/1/x/y/register_deploy?api_key={secret}"}
    yield "too many pairs", {"data": plain, "path": f"{ci.path}?api_key={secret}{'&a' * 1100}"}
    yield "remembered", {"data": json.dumps(fields | {"api_key": secret}), "headers": {"Idempotency-Key": "k"}}
    yield "remembered query", {"path": f"{ci.path}?sha={SHA}&api_key={secret}", "headers": {"Idempotency-Key": "q"}}


def send(ci: World, call: Call) -> tuple[int, str]:
    """The status, and everything the caller gets back as one text."""
    arguments = {"method": "POST", "path": ci.path, "data": b"", "content_type": JSON} | call
    response = RawClient(raise_request_exception=False).generic(**arguments)  # type: ignore[arg-type]
    return response.status_code, f"{response.headers} {response.content.decode()}"


def stored() -> str:
    """All rows of all tables, as one text."""
    rows = []
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            cursor.execute(f"SELECT * FROM {model._meta.db_table}")  # noqa: S608 - our own tables
            rows += cursor.fetchall()
    return repr(rows)


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    ("broken", "status"),
    [
        ({}, 200),
        ({"MAX_BODY_BYTES": 10}, 413),
        ({"API_RATE_LIMIT": "1/d"}, 429),
        # Settings that no reader would let pass, for errors that nothing foresees: before the token is known and after.
        ({"MAX_BODY_BYTES": "x"}, 500),
        ({"IDEMPOTENCY_KEY_HOURS": "x"}, 500),
    ],
)
def test_however_the_call_ends(
    broken: dict[str, object], status: int, debug: bool, ci: World, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DEBUG = debug
    for name, value in broken.items():
        setattr(settings, name, value)
    for logger in ("", "django", "django.db.backends"):
        caplog.set_level(logging.DEBUG, logger)
    connection.force_debug_cursor = True  # logs every statement
    wrong = secrets.new_secret()
    statuses = set()
    try:
        for secret in (ci.secret, wrong):
            for place, call in calls(ci, secret):
                answered, text = send(ci, call)
                statuses.add(answered)
                assert secret not in text, place
    finally:
        connection.force_debug_cursor = False

    assert status in statuses
    logged = "\n".join(JsonFormatter().format(record) for record in caplog.records)
    assert "tokens_accesstoken" in logged
    assert (status == 500) == ("Traceback" in logged)
    rows = stored()
    assert ci.token.digest in rows
    for secret in (ci.secret, wrong):
        assert secret not in logged
        assert secret not in rows
        assert secret[4:36] not in logged + rows


@pytest.mark.parametrize("debug", [False, True])
def test_an_unforeseen_error_is_text(debug: bool, ci: World, settings: Settings) -> None:
    settings.DEBUG = debug
    settings.IDEMPOTENCY_KEY_HOURS = "x"

    client = RawClient(raise_request_exception=False)
    headers = bearer(ci.secret) | {"Idempotency-Key": "k", "Accept": "text/html"}
    response = client.generic("POST", ci.path, f'{{"sha": "{SHA}"}}', content_type=JSON, headers=headers)

    assert response.status_code == 500
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode().startswith("Something went wrong on our side")
    assert not ci.organization.deploys.exists()
