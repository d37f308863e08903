"""Paths, methods and headers that should not matter, and answers down to the byte."""

import json
from typing import Any

import jsonschema_rs
import pytest
from pytest_django import Settings

from deployments.api.schemas import SCHEMA_DIR
from deployments.models import Deploy
from deployments.models.call import Outcome
from tests.calls import SHA, assert_sentence, bearer, call, text_of
from tests.conftest import World
from tests.factories import make_token
from tests.registration.requests import log
from tokens.scopes import Scope

BODY = json.dumps({"sha": SHA}).encode()
PATHS = [
    "/api/1/deployments/acme/storefront/register_deploy",
    "/api/1/deployments/acme/storefront/register-deploy",
    "/api/1/acme/storefront/register_deploy",
]


@pytest.mark.parametrize("path", [*PATHS, PATHS[0].replace("acme/storefront", "Acme/STOREFRONT")])
def test_the_exact_answer(path: str, ci: World) -> None:
    response = call(path, BODY, headers=bearer(ci.secret))

    assert (response.status_code, response.content) == (200, b"Success")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    deploy = Deploy.objects.get()
    assert response["X-Deploy-Id"] == str(deploy.id)
    assert response["Location"] == f"/api/1/organizations/acme/deploys/{deploy.id}"
    assert not response.cookies
    assert call(path, BODY, headers=bearer("gum_wrong")).status_code == 401


HEADERS: dict[str, dict[str, str]] = {
    "no user agent": {},
    "curl": {"User-Agent": "curl/8", "Accept": "*/*"},
    "axios": {"Accept": "application/json, text/plain, */*"},
    "json only": {"Accept": "application/json"},
    "html only": {"Accept": "text/html"},
    "an impossible type": {"Accept": "image/webp"},
    "no type": {"Accept": "nonsense"},
    "a broken accept": {"Accept": ";;q=x,/,*"},
    "another site's page": {"Origin": "https://evil.example", "Referer": "https://evil.example/x"},
    "cookies": {"Cookie": "sessionid=nobody; csrftoken=x"},
    "compression": {"Accept-Encoding": "gzip, deflate, br"},
    "an unknown host": {"Host": "sleuth.example.com:1234"},
    "a long agent": {"User-Agent": "x" * 10_000},
    "an agent of any bytes": {"User-Agent": "agent \xff\x80\x01"},
    "a proxy": {"X-Forwarded-For": "10.0.0.1, nonsense", "X-Forwarded-Proto": "https"},
    "a method override": {"X-HTTP-Method-Override": "DELETE"},
    "a format": {"Prefer": "respond-async, wait=10"},
    "uncompressed": {"Content-Encoding": "identity"},
    "languages": {"Accept-Language": "de, *;q=0.5", "Accept-Charset": "utf-16"},
    "an unusable request id": {"X-Request-Id": "a\tb" * 100},
}


def test_headers_that_do_not_matter(ci: World, subtests: pytest.Subtests) -> None:
    for case in HEADERS:
        with subtests.test(case=case):
            response = call(ci.path, json.dumps({"sha": case}), headers=HEADERS[case] | bearer(ci.secret))

            assert (response.status_code, response.content) == (200, b"Success")
            assert response["Content-Type"] == "text/plain; charset=utf-8"


def test_other_methods(ci: World, subtests: pytest.Subtests) -> None:
    for path in PATHS:
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]:
            with subtests.test(path=path, method=method):
                response = call(path, BODY, method=method, headers=bearer(ci.secret))

                assert response.status_code == 405
                assert response["Allow"] == "POST"
                if method != "HEAD":
                    assert assert_sentence(response) == f"{method} is not allowed here: use POST."
                assert not Deploy.objects.exists()


def test_other_methods_of_a_deploy(ci: World) -> None:
    _, secret = make_token(ci.organization, Scope.READ)
    path = ci.register(sha=SHA)["Location"]

    assert call(path, method="GET", headers=bearer(secret)).json()["sha"] == SHA
    assert call(path, method="HEAD", headers=bearer(secret)).status_code == 200
    response = call(path, b"{}", headers=bearer(secret))
    assert (response.status_code, assert_sentence(response)) == (405, "POST is not allowed here: use GET.")


NOWHERE = [
    *[f"{path}/" for path in PATHS],
    *[f"{path}%0A" for path in PATHS],
    *[f"{path}%00" for path in PATHS],
    *[f"{path}s" for path in PATHS],
    "/api/1/acme/storefront/register-deploy",
    "/api/1/deployments/acme/storefront/register deploy",
    "/api/1/deployments/acme/storefront",
    "/api/1/deployments//register_deploy",
    "/api/1/deployments/acme//register_deploy/",
    "/api/1/schema/register_deploy/",
    "/api/1/schema/register_deploy%0A",
    "/api/1/schema/unknown_sentence",
    "/api/1/organizations/acme/deploys/x",
    "/api/1/organizations/acme/deploys/1/",
    "/api/1/",
    "/api/1/" + "x" * 5000,
    "/api/1/%FF%FE",
    "/v1/no-such",
    "/graphql/",
    "/graphql-batch",
    "/api/",
    "/api/2/deployments/acme/storefront/register_deploy",
    "/api/v1/deployments/acme/storefront/register_deploy",
    "/API/V1/deployments/acme/storefront/register_deploy",
]


@pytest.mark.parametrize("path", [f"/{PATHS[0]}", PATHS[0].replace("/", "//"), PATHS[0].replace("/api", "///API")])
def test_a_base_address_that_ends_in_a_slash(path: str, ci: World) -> None:
    # As it is: the client would take what follows two slashes for a host.
    answer = call("/", BODY, headers=bearer(ci.secret), PATH_INFO=path)

    assert (answer.status_code, answer.content) == (200, b"Success")
    (logged,) = log()
    assert (logged.path, logged.deploy) == (PATHS[0], Deploy.objects.get())


@pytest.mark.parametrize("path", ["//graphql", "//GraphQL", "/graphql//"])
def test_a_base_address_that_ends_in_a_slash_is_found_by_the_sleuth_cli(path: str, ci: World) -> None:
    body = json.dumps({"query": "{ __typename }"})

    answer = call("/", body, headers=bearer(ci.secret), PATH_INFO=path)

    assert answer.status_code == (404 if path.endswith("/") else 200)


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("/api/v1/deployments/acme/storefront/register_deploy", "begins with /api/1/"),
        ("/graphql-batch", "send each query to /graphql"),
        (f"{PATHS[0]}/", "ends in a slash"),
    ],
)
def test_a_call_that_went_nowhere_is_in_the_log_of_its_token(path: str, hint: str, ci: World) -> None:
    assert hint in text_of(call(path, BODY, headers=bearer(ci.secret)))
    call(path, json.dumps({"sha": SHA, "api_key": ci.secret}))
    call(path, b"{nonsense", headers=bearer("gum_wrong"))

    lines = log()
    assert [(line.path, line.status, line.outcome, line.token) for line in lines] == [
        (path, 404, Outcome.REJECTED, ci.token)
    ] * 2
    assert all(hint in line.answer and ci.secret not in line.body for line in lines)


@pytest.mark.parametrize("debug", [False, True])
def test_a_path_that_leads_nowhere(debug: bool, ci: World, settings: Settings, subtests: pytest.Subtests) -> None:
    settings.DEBUG = debug
    for path in NOWHERE:
        with subtests.test(path=path):
            for method in ("POST", "GET"):
                response = call(path, BODY, method=method, headers=bearer(ci.secret) | {"Accept": "text/html"})

                assert response.status_code == 404
                text = assert_sentence(response)
                assert ("ends in a slash" in text) == path.endswith("/")
            assert not Deploy.objects.exists()


def test_a_page_that_leads_nowhere_is_html(ci: World) -> None:
    for path in ("/no/such/page", "/apis/1/nothing"):
        response = call(path, method="GET", content_type=None)
        assert response.status_code == 404
        assert response["Content-Type"].startswith("text/html")


SEGMENTS = {
    "-": "Deployment - Not Found",
    "--": "Deployment -- Not Found",
    "_": "Deployment _ Not Found",
    "a b": "Deployment a b Not Found",
    "a%20b": "Deployment a b Not Found",
    "a%2Fb": "Deployment a/b Not Found",
    "a/b": "Deployment a/b Not Found",
    "a%00b": "Deployment a\\x00b Not Found",
    "%00": "Deployment \\x00 Not Found",
    "a%0Ab": "Deployment a\\nb Not Found",
    "%0D%0A": "Deployment \\r\\n Not Found",
    "a%1Bb": "Deployment a\\x1bb Not Found",
    "%C3%A9": "Deployment é Not Found",
    "%FF": "Deployment %FF Not Found",
    "%ED%A0%80": "Deployment %ED%A0%80 Not Found",
    "a.b": "Deployment a.b Not Found",
    "%E2%80%A8": "Deployment \\u2028 Not Found",
    "..": "Deployment .. Not Found",
    "x" * 101: f"Deployment {'x' * 100}… Not Found",
    "x" * 8000: f"Deployment {'x' * 100}… Not Found",
}


def test_a_segment_that_can_be_no_slug(ci: World, subtests: pytest.Subtests) -> None:
    for segment in SEGMENTS:
        with subtests.test(segment=segment):
            for word in ("register_deploy", "register-deploy"):
                path = f"/api/1/deployments/acme/{segment}/{word}"
                response = call(path, BODY, headers=bearer(ci.secret))
                assert (response.status_code, text_of(response)) == (404, SEGMENTS[segment])
                assert call(path, BODY, headers=bearer("gum_wrong")).status_code == 401


def test_the_health_probe(ci: World, subtests: pytest.Subtests) -> None:
    """A Go library demands exactly this of a good token."""
    for body in [b'{"sha":"0","environment":"TEST","ignore_if_duplicate":true}\n', b"", b"{}", b"nonsense"]:
        with subtests.test(body=body):
            path = "/api/1/deployments/acme/-/register_deploy"
            for scheme, secret, status in (
                ("apikey", ci.secret, 404),
                ("Bearer", ci.secret, 404),
                ("apikey", "gum_x", 401),
            ):
                response = call(
                    path, body, headers={"Authorization": f"{scheme} {secret}", "Accept": "application/json"}
                )
                assert response.status_code == status
                if status == 404:
                    assert response.content == b"Deployment - Not Found"
                    assert response["Content-Type"] == "text/plain; charset=utf-8"
            _, reader = make_token(ci.organization, Scope.READ)
            assert call(path, body, headers=bearer(reader)).status_code == 403


def test_the_schema() -> None:
    response = call("/api/1/schema/register_deploy", method="GET", content_type=None)

    assert response.status_code == 200
    assert response.content == (SCHEMA_DIR / "register_deploy.json").read_bytes()
    jsonschema_rs.meta.validate(json.loads(response.content))
    head = call("/api/1/schema/register_deploy", method="HEAD", content_type=None)
    assert (head.status_code, head.content) == (200, b"")
    refused = call("/api/1/schema/register_deploy", b"{}")
    assert (refused.status_code, assert_sentence(refused)) == (405, "POST is not allowed here: use GET.")


def test_a_representation(ci: World) -> None:
    for preference in ("return=representation", "RETURN = representation; x=1"):
        headers = bearer(ci.secret) | {"Prefer": preference}
        response = call(ci.path, json.dumps({"sha": preference, "tags": "#one"}), headers=headers)
        body: dict[str, Any] = response.json()
        assert (body["sha"], body["tags"], body["live"]) == (preference, ["#one"], True)
        assert response["Preference-Applied"] == "return=representation"
    assert call(ci.path, BODY, headers=bearer(ci.secret) | {"Prefer": "return=minimal"}).content == b"Success"
