"""Credentials that the request log and the server's log blot out, however and wherever they are written."""

import logging
from time import process_time

import pytest

from config.logging import JsonFormatter
from deployments.models import Call, Deploy, ManualChange
from deployments.request_log.writer import request_log
from tests.calls import FORM, JSON
from tests.conftest import World
from tests.imports.importing import post_file
from tokens.secrets import redact


def only_line() -> Call:
    request_log.flush()
    return Call.objects.get()


# A token of another system is one by its place only.
FOREIGN = "a-token-of-another-system"
IN_JSON = f'{{"api_key": "{FOREIGN}", "sha": "ä"}}'
HIDDEN = {
    "utf-16": (f"{JSON}; charset=utf-16", IN_JSON.encode("utf-16")),
    "utf-16, little end first": (f"{JSON}; charset=utf-16le", IN_JSON.encode("utf-16-le")),
    "utf-16, cut in a letter": (f"{JSON}; charset=utf-16", IN_JSON.encode("utf-16")[:-1]),
    "utf-16 without a label": (JSON, IN_JSON.encode("utf-16")),
    "utf-8 labelled utf-16": (f"{JSON}; charset=utf-16", IN_JSON.encode()),
    "latin-1": (f"{JSON}; charset=latin-1", IN_JSON.encode("latin-1")),
    "an unknown charset": (f"{JSON}; charset=nonsense", IN_JSON.encode()),
    "a name with an escape": (JSON, IN_JSON.replace("_", "\\u005f").encode()),
    "a name of escapes": (JSON, IN_JSON.replace("api_key", "".join(f"\\u{ord(c):04X}" for c in "api_key")).encode()),
    "a form's name with an escape": (FORM, f"sha=abc&%61pi_key={FOREIGN}".encode()),
    "a NUL before": (FORM, f"sha=a\0&api_key={FOREIGN}".encode()),
}


@pytest.mark.parametrize("case", HIDDEN)
def test_a_credential_is_found_however_its_place_is_written(ci: World, case: str) -> None:
    content_type, body = HIDDEN[case]
    ci.client.generic("POST", f"{ci.path}?token={FOREIGN}&x=1", body, content_type=content_type)

    call = only_line()

    assert (call.path, "[redacted]" in call.body) == (f"{ci.path}?token=[redacted]&x=1", True)
    for charset in ("utf-8", "utf-16-le", "utf-16-be", "latin-1"):
        assert FOREIGN.encode() not in call.body.encode(charset, "replace").replace(b"\0", b"")


def test_what_is_no_credential_is_kept_as_it_came(ci: World) -> None:
    ci.client.generic("POST", ci.path, '{"sha": "ä\0"}'.encode(), content_type=JSON)
    ci.client.generic("POST", ci.path, '{"sha": "ä"}'.encode("utf-16"), content_type=f"{JSON}; charset=utf-16")

    request_log.flush()
    assert [call.body for call in Call.objects.order_by("id")] == [
        '{"sha": "ä\N{REPLACEMENT CHARACTER}"}',
        '{"sha": "ä"}',
    ]


@pytest.mark.parametrize("spelling", ["gum_{}", "gum%5f{}", "gum%5F{}", "gum\\u005f{}"])
def test_what_looks_like_a_secret_of_ours_is_blotted_out_wherever_it_stands(
    ci: World, spelling: str, caplog: pytest.LogCaptureFixture
) -> None:
    secret = spelling.format(ci.secret[4:])
    ci.client.generic(
        "POST",
        f"/api/1/deployments/acme/{secret}/register_deploy?x={secret}",
        f'{{"sha": "{secret}"}}',
        content_type=f"{JSON}; x={secret}",
        headers={"Authorization": f"Bearer {ci.secret}"},
    )
    logging.getLogger("django.request").error("%s", secret, exc_info=ValueError(secret))

    call = only_line()

    assert ci.secret[4:] not in " ".join(str(value) for value in vars(call).values())
    assert ci.secret[4:].lower() not in call.explanation
    assert ci.secret[4:] not in "".join(JsonFormatter().format(record) for record in caplog.records)


def test_a_token_in_a_field_is_not_stored(ci: World) -> None:
    response = ci.register(
        sha="abc",
        branch="gum_components",
        links={"build": f"https://ci.example.com/7?token={ci.secret}"},
        commits=[{"revision": "abc", "message": f"Try {ci.secret}"}],
    )
    ci.record(name="Resize", description=f"with {ci.secret}")

    assert response.status_code == 200
    deploy = Deploy.objects.get()
    assert (deploy.title, deploy.branch) == ("Try [redacted]", "gum_components")
    assert deploy.links.get().url == "https://ci.example.com/7?token=[redacted]"
    assert deploy.commits.get().message == "Try [redacted]"
    assert ManualChange.objects.get().description == "with [redacted]"


def test_a_token_in_a_file_is_not_stored(ci: World) -> None:
    post_file(ci, f"sha,date,title\nabc,2024-05-01T12:00:00Z,Try {ci.secret}\n")

    assert Deploy.objects.get().title == "Try [redacted]"


def test_a_token_in_the_path_is_not_in_the_answer(ci: World) -> None:
    response = ci.register(sha="abc", path=f"/api/1/deployments/acme/{ci.secret}!/register_deploy")

    assert (response.status_code, response.content) == (404, b"Deployment [redacted]! Not Found")


def test_what_follows_a_credential_in_json_is_kept(ci: World) -> None:
    body = '{"sha": "a", "links": {"b": "https://ci/?token=public"}, "branch": "main"}'
    ci.client.generic("POST", ci.path, body, content_type=JSON)

    assert only_line().body == body.replace("public", "[redacted]")


@pytest.mark.parametrize("value", ["a-token", '"a-token"', "'a-token'"])
def test_a_credential_of_a_form_is_blotted_out_in_quotes_as_well(ci: World, value: str) -> None:
    ci.client.generic("POST", ci.path, f"sha=a&api_key={value}&branch=main", content_type=FORM)

    assert only_line().body == "sha=a&api_key=[redacted]&branch=main"


@pytest.mark.parametrize(
    "piece", ["name=api_key\n", 'name="api_key"\r\n', 'name="api_key"\r\n\r\n', "api_key=", "token='"]
)
def test_no_body_keeps_the_log_busy(piece: str) -> None:
    """Python's regular expressions let no other thread run."""
    started = process_time()
    redact(piece * (64 * 1024 // len(piece)))

    assert process_time() - started < 1
