"""Where clients put the token, in every encoding of the body; reference: Sleuth's pages and its clients."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import quote, urlencode

import pytest
from django.utils import timezone

from deployments.models import Deploy
from tests.calls import FORM, JSON, SHA, assert_sentence, basic, bearer, call, encoded
from tests.conftest import World
from tests.factories import make_deployment, make_token
from tokens.authentication import NO_SCHEME, NO_TOKEN, UNAUTHORIZED
from tokens.scopes import Scope
from tokens.services import limit_token, revoke_token


@dataclass
class Credentials:
    headers: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    query: str = ""


def header(form: str) -> Callable[[str], Credentials]:
    return lambda secret: Credentials(headers={"Authorization": form.format(secret)})


PLACES: dict[str, Callable[[str], Credentials]] = {
    "Bearer": header("Bearer {}"),
    "bearer in lower case": header("bearer {}"),
    "BEARER in upper case": header("BEARER {}"),
    "bearer with white space": header("  Bearer   {}  "),
    "bearer with a tab": header("Bearer\t{}"),
    "apikey": header("apikey {}"),
    "ApiKey in mixed case": header("ApiKey {}"),
    "APIKEY in upper case": header("APIKEY {}"),
    "name of the header in upper case": lambda secret: Credentials(headers={"AUTHORIZATION": f"Bearer {secret}"}),
    "name of the header in lower case": lambda secret: Credentials(headers={"authorization": f"apikey {secret}"}),
    "basic, no password": lambda secret: Credentials(headers=basic(secret)),
    "basic, any password": lambda secret: Credentials(headers=basic(secret, "x:y")),
    "basic in lower case": lambda secret: Credentials(
        headers={"Authorization": "basic  " + base64.b64encode(secret.encode()).decode()}
    ),
    "body": lambda secret: Credentials(fields={"api_key": secret}),
    "body with white space": lambda secret: Credentials(fields={"api_key": f" {secret}\n"}),
    "query": lambda secret: Credentials(query=f"?api_key={secret}"),
    "query with white space": lambda secret: Credentials(query=f"?api_key=%20{secret}%0A"),
    "query beside an empty api_key": lambda secret: Credentials(query=f"?api_key={secret}", fields={"api_key": ""}),
    "body beside basic without a user": lambda secret: Credentials(headers=basic("", "pw"), fields={"api_key": secret}),
    "body beside an unknown scheme": lambda secret: Credentials(
        headers={"Authorization": "Digest username=x"}, fields={"api_key": secret}
    ),
    "body beside an empty header": lambda secret: Credentials(
        headers={"Authorization": ""}, fields={"api_key": secret}
    ),
}


@pytest.mark.parametrize("encoding", ["json", "form", "multipart"])
def test_a_token_is_found_in_every_place(encoding: str, ci: World, subtests: pytest.Subtests) -> None:
    for place, credentials_of in PLACES.items():
        with subtests.test(place=place):
            for secret, status, text in (("gum_wrong", 401, UNAUTHORIZED), (ci.secret, 200, "Success")):
                sent = credentials_of(secret)
                body, content_type = encoded({"sha": place, **sent.fields}, encoding)

                response = call(ci.path + sent.query, body, content_type=content_type, headers=sent.headers)

                assert (response.status_code, response.content.decode()) == (status, text)
                assert Deploy.objects.filter(sha=place).exists() == (status == 200)


@pytest.mark.parametrize("place", ["Bearer", "apikey", "basic, no password", "query"])
@pytest.mark.parametrize("content_type", [None, "", JSON, FORM])
def test_everything_but_the_token_in_the_query(place: str, content_type: str | None, ci: World) -> None:
    credentials = PLACES[place](ci.secret)
    path = f"{ci.path}{credentials.query or '?'}&sha={SHA}&environment=Staging"

    response = call(path, content_type=content_type, headers=credentials.headers)

    assert (response.status_code, response.content) == (200, b"Success")
    assert Deploy.objects.get().target.environment.slug == "staging"


def test_fields_of_the_body_count_more_than_those_of_the_query(ci: World) -> None:
    path = f"{ci.path}?api_key={ci.secret}&environment=staging&sha=query"

    assert call(path, b'{"sha": "body"}').status_code == 200
    assert Deploy.objects.get().sha == "body"
    assert Deploy.objects.get().target.environment.slug == "staging"


@pytest.mark.parametrize("absent", ["", " ", None])
def test_an_absent_field_of_the_body_hides_none_of_the_query(absent: str | None, ci: World) -> None:
    query = {"environment": "Staging", "branch": "main", "date": "2024-05-01", "tags": "#a", "email": "a@b.c"}
    path = f"{ci.path}?{urlencode(query)}"

    assert (
        call(path, json.dumps({"sha": SHA, **dict.fromkeys(query, absent)}), headers=bearer(ci.secret)).status_code
        == 200
    )
    deploy = Deploy.objects.get()
    assert (deploy.target.environment.slug, deploy.branch, deploy.author_email) == ("staging", "main", "a@b.c")
    assert (deploy.deployed_at.year, [tag.name for tag in deploy.tags.all()]) == (2024, ["a"])


@pytest.mark.parametrize("header", [bearer, basic])
def test_a_header_counts_more_than_query_and_body(
    header: Callable[[str], dict[str, str]], ci: World, other: World
) -> None:
    for good, bad in (("header", "elsewhere"), ("elsewhere", "header")):
        secrets = {good: ci.secret, bad: other.secret}
        body = f'{{"sha": "{SHA}", "api_key": "{secrets["elsewhere"]}"}}'
        for path, sent in ((ci.path, body), (f"{ci.path}?api_key={secrets['elsewhere']}", f'{{"sha": "{SHA}-query"}}')):
            assert call(path, sent, headers=header(secrets["header"])).status_code == (200 if good == "header" else 401)


def test_the_query_counts_before_the_body_is_read(ci: World, other: World) -> None:
    for body in ("{", f'{{"sha": "{SHA}", "api_key": "{ci.secret}"}}'):
        assert call(f"{ci.path}?api_key={other.secret}", body).status_code == 401
    assert call(f"{ci.path}?api_key={ci.secret}", "{").status_code == 400
    assert call(f"{ci.path}?api_key={ci.secret}", f'{{"sha": "{SHA}", "api_key": "wrong"}}').status_code == 200


NO_CREDENTIALS = {
    "none at all": ({}, NO_TOKEN),
    "empty header": ({"Authorization": ""}, NO_TOKEN),
    "scheme only": ({"Authorization": "Bearer"}, NO_TOKEN),
    "scheme and white space": ({"Authorization": "Bearer   "}, NO_TOKEN),
    "token without a scheme": ({"Authorization": "{token}"}, NO_SCHEME),
    "unknown scheme": ({"Authorization": "Token {token}"}, NO_TOKEN),
    "basic that is not base64": ({"Authorization": "Basic {token}"}, NO_TOKEN),
    "basic with letters outside ASCII": ({"Authorization": "Basic é{token}"}, NO_TOKEN),
    "basic of bytes that are no text": ({"Authorization": "Basic //79"}, NO_TOKEN),
    "basic without a user": ({"Authorization": "Basic OnB3"}, NO_TOKEN),
    "basic of nothing": ({"Authorization": "Basic "}, NO_TOKEN),
    "bytes outside latin": ({"Authorization": "Bearer ÿþ\x80"}, UNAUTHORIZED),
    "two tokens": ({"Authorization": "Bearer {token} {token}"}, UNAUTHORIZED),
    "token with something behind it": ({"Authorization": "Bearer {token}x"}, UNAUTHORIZED),
    "token in another case": ({"Authorization": "Bearer {lower}"}, UNAUTHORIZED),
    "a very long token": ({"Authorization": "Bearer " + "x" * 100_000}, UNAUTHORIZED),
    "another header": ({"X-Api-Key": "{token}"}, NO_TOKEN),
}


def test_a_call_without_a_usable_token(ci: World, subtests: pytest.Subtests) -> None:
    for case in NO_CREDENTIALS:
        with subtests.test(case=case):
            headers, expected = NO_CREDENTIALS[case]
            headers = {k: v.format(token=ci.secret, lower=ci.secret.lower()) for k, v in headers.items()}

            response = call(ci.path, f'{{"sha": "{SHA}"}}', headers=headers)

            assert response.status_code == 401
            assert assert_sentence(response) == expected
            assert response["WWW-Authenticate"].startswith("Bearer ")
            assert not Deploy.objects.exists()


def test_an_api_key_that_is_no_text_is_none(ci: World, subtests: pytest.Subtests) -> None:
    for api_key in ["null", "17", "true", "[]", "{}", '["{token}"]', '{"a": "{token}"}', '"\\ud800"']:
        with subtests.test(api_key=api_key):
            response = call(ci.path, f'{{"sha": "{SHA}", "api_key": {api_key.replace("{token}", ci.secret)}}}')

            assert response.status_code == 401
            assert_sentence(response)


def test_an_unquoted_api_key_is_no_json(ci: World) -> None:
    response = call(ci.path, f'{{"sha": "{SHA}", "api_key": {ci.secret}}}')

    assert response.status_code == 400
    assert assert_sentence(response).startswith("The body is not JSON")


def test_tokens_that_ended(ci: World) -> None:
    now = timezone.now()
    for number, (expires_in, status) in enumerate(((timedelta(minutes=1), 200), (timedelta(0), 401))):
        _, secret = make_token(ci.organization, expires_at=now + expires_in)
        response = ci.register(secret=secret, sha=f"sha-{number}")
        assert (response.status_code, "not valid" in response.content.decode()) == (status, status == 401)

    revoke_token(token=ci.token)
    assert ci.register(sha=SHA).content.decode() == UNAUTHORIZED


def test_strangers_cannot_tell_what_exists(ci: World, other: World) -> None:
    body = f'{{"sha": "{SHA}"}}'
    acme, globex = ci.organization.slug, other.organization.slug
    answers = [
        call(path, body, headers=bearer(secret))
        for path, secret in (
            (ci.path, "gum_wrong"),
            (ci.path, other.secret),
            (f"/api/1/deployments/{acme}/no-such-deployment/register_deploy", ci.secret),
            (f"/api/1/deployments/{acme}/no-such-deployment/register_deploy", other.secret),
            (f"/api/1/deployments/nobody/{ci.deployment.slug}/register_deploy", ci.secret),
            (f"/api/1/deployments/{quote('ac me')}/-/register_deploy", ci.secret),
            (f"/api/1/deployments/{globex}/-/register_deploy", ci.secret),
            (f"/api/1/{globex}/{other.deployment.slug}/register_deploy", ci.secret),
        )
    ]
    assert {(answer.status_code, answer.content.decode()) for answer in answers} == {(401, UNAUTHORIZED)}
    assert len({tuple(sorted(set(answer.headers) - {"X-Request-Id"})) for answer in answers}) == 1


@pytest.mark.parametrize(
    ("scopes", "status"),
    [
        ([Scope.REGISTER_DEPLOY], 200),
        ([Scope.ALL], 200),
        ([Scope.READ, Scope.REGISTER_DEPLOY], 200),
        ([Scope.READ], 403),
        ([Scope.REGISTER_IMPACT], 403),
        ([Scope.READ, Scope.REGISTER_IMPACT], 403),
    ],
)
def test_scopes(scopes: list[Scope], status: int, ci: World) -> None:
    _, secret = make_token(ci.organization, *scopes)

    response = ci.register(secret=secret, sha=SHA)

    assert response.status_code == status
    assert Deploy.objects.count() == (status == 200)
    if status == 403:
        assert "REGISTER_DEPLOY" in assert_sentence(response)


def test_a_token_limited_to_deployments(ci: World) -> None:
    make_deployment(ci.project, "Back office")
    limit_token(token=ci.token, deployments=[ci.deployment])

    def status(slug: str) -> int:
        path = f"/api/1/deployments/{ci.organization.slug}/{slug}/register_deploy"
        response = ci.register(path=path, sha=SHA)
        if response.status_code != 200:
            assert_sentence(response)
        return int(response.status_code)

    assert [status(slug) for slug in ("storefront", "back-office", "no-such", "-")] == [200, 403, 403, 404]
    limit_token(token=ci.token, deployments=[])
    assert [status(slug) for slug in ("storefront", "-")] == [403, 404]
    limit_token(token=ci.token, deployments=None)
    assert status("back-office") == 200


def test_a_token_limited_to_environments(ci: World) -> None:
    limit_token(token=ci.token, environments=[ci.project.environments.get(slug="staging")])

    refused = ci.register(sha=SHA)
    assert (refused.status_code, assert_sentence(refused)) == (
        403,
        "This access token is limited to the environments staging.",
    )
    assert ci.register(sha=SHA, environment="production").status_code == 403
    assert ci.register(sha=SHA, environment="no-such").status_code == 400
    assert ci.register(sha=SHA, environment="Staging").status_code == 200
    probe = f"/api/1/deployments/{ci.organization.slug}/-/register_deploy"
    assert ci.register(path=probe, sha="0", environment="TEST").status_code == 404
