"""The token in the path of an incident is in no log, no answer and no row, however the call ends."""

import http.client
import logging
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from pytest_django import Settings

from config.logging import JsonFormatter
from deployments.request_log.writer import request_log
from tests.calls import JSON, RawClient
from tests.config.test_serve import ROOT, SECONDS, SERVE, environment
from tests.impacts.reporting import Reporter
from tests.request_log.test_secrets_stay_secret import stored
from tokens.secrets import REDACTED

__all__ = ["environment"]

FOREIGN = "0123456789abcdef0123456789abcdef01234567"


def paths(alerts: Reporter, secret: str) -> Iterator[str]:
    path = alerts.path
    yield f"{path}/{secret}"
    yield f"{path}/{secret}/"
    yield f"{path}/{secret}?x=1"
    yield f"{path}//{secret}"
    yield f"{path}/%20{secret}"
    yield f"{path}/{quote(secret[0])}%{ord(secret[1]):02x}{secret[2:]}"
    yield f"{path}%2F{secret}"
    yield f"{path.upper().replace('/API', '/api')}/{secret}"
    yield f"{path.replace('acme', 'nobody')}/{secret}"
    yield f"{path.replace('alerts', 'nothing')}/{secret}"
    for spelling in ("register-impact", "register%2dimpact", "register%5Fimpact"):
        yield f"{path.replace('register_impact', spelling)}/{secret}"
        yield f"{path.replace('register_impact', spelling)}/{secret}/"


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("broken", [{}, {"MAX_BODY_BYTES": 5}, {"API_RATE_LIMIT": "1/d"}, {"MAX_BODY_BYTES": "x"}])
def test_however_the_call_ends(
    broken: dict[str, object], debug: bool, alerts: Reporter, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DEBUG = debug
    for name, value in broken.items():
        setattr(settings, name, value)
    for logger in ("", "django"):
        caplog.set_level(logging.DEBUG, logger)
    statuses = set()
    client = RawClient(raise_request_exception=False)
    for secret in (alerts.secret, FOREIGN):
        for path in paths(alerts, secret):
            for method, body in (("POST", '{"type": "triggered"}'), ("POST", "{"), ("GET", ""), ("OPTIONS", "")):
                answer = client.generic(method, path, body, content_type=JSON)
                statuses.add(answer.status_code)
                assert secret not in f"{answer.headers} {answer.content.decode()}", path
    request_log.flush()

    assert statuses >= ({401, 404} if broken.get("MAX_BODY_BYTES") != "x" else {500})
    logged = "\n".join(JsonFormatter().format(record) for record in caplog.records)
    assert "register_impact/" in logged
    assert "register-impact/" in logged
    everything = logged + stored()
    for secret in (alerts.secret, FOREIGN):
        assert secret not in everything
        assert secret[4:36] not in everything
    for path in (alerts.path, alerts.path.replace("register_impact", "register-impact")):
        assert alerts.world.organization.calls.filter(path=f"{path}/{REDACTED}").exists()


def test_the_output_of_the_real_server(environment: dict[str, str]) -> None:
    """Without tables the token is looked up in vain: what is logged then has a traceback."""
    secret, path = "gum_" + "x" * 38, "/api/1/deployments/acme/shop/production/alerts/register_impact"
    hyphen = path.replace("register_impact", "register-impact")
    output = Path(environment["VAR_DIR"]) / "output"
    with (
        output.open("wb") as file,
        subprocess.Popen(
            SERVE, cwd=ROOT, env={**environment, "LOG_LEVEL": "DEBUG"}, stdout=file, stderr=file, start_new_session=True
        ) as process,
    ):
        try:
            subprocess.run([*SERVE, "wait"], cwd=ROOT, env=environment, check=True)
            statuses = []
            for target in (
                f"{path}/{secret}",
                f"{path}/{secret}/",
                f"{path}/{secret}?x=1",
                f"{path}/{FOREIGN}/",
                f"{hyphen}/{FOREIGN}",
            ):
                with closing(http.client.HTTPConnection("127.0.0.1", int(environment["PORT"]), timeout=SECONDS)) as c:
                    c.request("POST", target, '{"type": "triggered"}', {"Content-Type": JSON, "Host": "localhost"})
                    answer = c.getresponse()
                    statuses.append(answer.status)
                    text = answer.read().decode()
                    assert secret not in text
                    assert FOREIGN not in text
        finally:
            process.terminate()
            assert process.wait(SECONDS) == 0
    written = output.read_text()

    assert statuses == [503, 404, 503, 404, 503]
    assert "register_impact/[redacted]" in written
    assert secret not in written
    assert FOREIGN not in written
