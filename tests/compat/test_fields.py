"""What each field of register_deploy accepts, and what becomes of it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.utils import timezone

from deployments.models import Deploy
from tests.calls import FORM, MULTIPART, SHA, assert_sentence, bearer, call, encoded, multipart
from tests.conftest import World

ENCODINGS = ("json", "form", "multipart")


def post(ci: World, fields: dict[str, Any], encoding: str = "json") -> Any:
    body, content_type = encoded(fields, encoding)
    return call(ci.path, body, content_type=content_type, headers=bearer(ci.secret))


@pytest.mark.parametrize(
    "name",
    ["environment", "date", "branch", "tags", "ignore_if_duplicate", "email", "links", "commits", "files",
     "pull_requests", "api_key"],
)  # fmt: skip
def test_an_empty_text_means_absent(name: str, ci: World) -> None:
    for encoding in ENCODINGS:
        for empty in ("", "   ", "\n"):
            assert post(ci, {"sha": f"{encoding} {empty!r}", name: empty}, encoding).content == b"Success"
    assert Deploy.objects.filter(target__environment__slug="production").count() == 9


@pytest.mark.parametrize(
    "fields",
    [
        {"environment": None, "date": None, "branch": None, "tags": None, "email": None, "links": None},
        {"ignore_if_duplicate": None, "commits": None, "files": None, "pull_requests": None, "api_key": None},
        {"tags": [], "links": {}, "commits": [], "files": [], "pull_requests": []},
        {"tags": [""], "pull_requests": []},
        {"commits": [{"revision": "a", "message": None, "author": None, "date": None, "files": None, "url": None}]},
        {"commits": [{"revision": "a", "message": "", "author": {}, "date": "", "parents": None, "url": ""}]},
        {"commits": [{"revision": "a", "author": {"name": None, "email": None, "username": None}}]},
        {"files": [{"path": "a", "additions": None, "deletions": None, "url": None}]},
        {"pull_requests": [{"number": 1, "title": None, "created_at": "", "merged_at": None, "issue_keys": None}]},
        {"Author": "jane", "deployed_at": "yesterday", "author": {"x": [1, 2.5, None]}, "": "", "a b": True},
        {"commits": [{"revision": "a", "unknown": {"deep": [[]]}}], "files": [{"path": "x", "status": "M"}]},
        {"big": 2**63 - 1, "small": -(2**63), "float": 1.5e300},
    ],
)
def test_null_empty_and_unknown_members(fields: dict[str, Any], ci: World) -> None:
    assert post(ci, {"sha": SHA, **fields}).content == b"Success"
    assert Deploy.objects.get().target.environment.slug == "production"


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    "sha", [SHA, SHA[:7], "release-2024.05.1", "v1.2.3+build.7", "registry:5000/app@sha256:ab", "0"]
)
def test_shas(sha: str, encoding: str, ci: World) -> None:
    assert post(ci, {"sha": f" \t{sha}\r\n"}, encoding).status_code == 200
    assert Deploy.objects.get().sha == sha


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_environments_by_slug_or_name_in_any_case(encoding: str, ci: World) -> None:
    for number, environment in enumerate(["staging", "Staging", "STAGING", " staging\n", "sTaGiNg"], start=1):
        assert post(ci, {"sha": str(number), "environment": environment}, encoding).status_code == 200
        assert Deploy.objects.filter(target__environment__slug="staging").count() == number


def test_an_environment_by_a_name_that_is_not_its_slug(ci: World) -> None:
    ci.project.environments.filter(slug="staging").update(name="Übung EINS (EU)")

    assert post(ci, {"sha": SHA, "environment": "übung eins (eu)"}, "form").status_code == 200
    assert Deploy.objects.get().target.environment.slug == "staging"


def test_an_unknown_environment_is_told_the_known_ones(ci: World) -> None:
    response = post(ci, {"sha": SHA, "environment": "prod"})

    assert response.status_code == 400
    assert assert_sentence(response) == "No environment 'prod' in project shop: it has staging, production."


DATES = {
    "2024-05-01T12:35:01Z": "2024-05-01T12:35:01+00:00",
    "2024-05-01t12:35:01z": "2024-05-01T12:35:01+00:00",
    "2024-05-01T12:35:01": "2024-05-01T12:35:01+00:00",
    "2024-05-01 12:35:01": "2024-05-01T12:35:01+00:00",
    "2024-05-01T12:35": "2024-05-01T12:35:00+00:00",
    "2024-05-01": "2024-05-01T00:00:00+00:00",
    "2024-05-01T12:35:01.269676": "2024-05-01T12:35:01.269676+00:00",
    "2024-05-01 12:35:01.269676": "2024-05-01T12:35:01.269676+00:00",
    "2024-05-01T12:35:01.2Z": "2024-05-01T12:35:01.200000+00:00",
    "2024-05-01T12:35:01,269Z": "2024-05-01T12:35:01.269000+00:00",
    "2024-05-01T12:35:01.123456789Z": "2024-05-01T12:35:01.123456+00:00",
    "2024-05-01T12:35:01.1234567+02:00": "2024-05-01T10:35:01.123456+00:00",
    "2024-05-01T12:35:01+02:00": "2024-05-01T10:35:01+00:00",
    "2024-05-01T12:35:01-05:30": "2024-05-01T18:05:01+00:00",
    "2024-05-01T12:35:01+0200": "2024-05-01T10:35:01+00:00",
    "2024-05-01T12:35:01+02": "2024-05-01T10:35:01+00:00",
    "2024-05-01 12:35:01 +0200": "2024-05-01T10:35:01+00:00",
    "2024-02-29T23:59:59+00:00": "2024-02-29T23:59:59+00:00",
    " 2024-05-01T12:35:01Z\n": "2024-05-01T12:35:01+00:00",
    "2024-01-01T00:30:00+01:00": "2023-12-31T23:30:00+00:00",
    "20240501T123501Z": "2024-05-01T12:35:01+00:00",
    "20240501T123501": "2024-05-01T12:35:01+00:00",
    "20240501T1235Z": "2024-05-01T12:35:00+00:00",
    "20240501T123501.269676+0200": "2024-05-01T10:35:01.269676+00:00",
    "2018-11-11 13:23:52 UTC": "2018-11-11T13:23:52+00:00",
    "Wed May 1 14:35:01 2024 +0200": "2024-05-01T12:35:01+00:00",
    "2024-05-01T14:35:01+02:00[Europe/Berlin]": "2024-05-01T12:35:01+00:00",
    "1714566901": "2024-05-01T12:35:01+00:00",
    "1714566901123": "2024-05-01T12:35:01.123000+00:00",
}


@pytest.mark.parametrize("date", DATES)
def test_dates(date: str, ci: World) -> None:
    for encoding in ENCODINGS:
        assert post(ci, {"sha": encoding, "date": date}, encoding).content == b"Success"
    assert {deploy.deployed_at for deploy in Deploy.objects.all()} == {datetime.fromisoformat(DATES[date])}


@pytest.mark.parametrize(
    "date",
    ["2024-05-01T12:35:01+02:00", "2024-05-01T12:35:01+0200", "2024-05-01+12:35:01+02:00", "20240501T123501+0200"],
)
def test_a_plus_that_curl_did_not_encode(date: str, ci: World) -> None:
    response = call(ci.path, f"sha={SHA}&date={date}", content_type=FORM, headers=bearer(ci.secret))

    assert response.content == b"Success"
    assert Deploy.objects.get().deployed_at == datetime(2024, 5, 1, 10, 35, 1, tzinfo=UTC)


def test_without_a_date_it_is_now(ci: World) -> None:
    earliest = timezone.now()
    assert post(ci, {"sha": SHA, "date": ""}).status_code == 200
    assert earliest <= Deploy.objects.get().deployed_at <= timezone.now()


def test_a_clock_that_is_ahead(ci: World) -> None:
    """No deploy is stored later than its arrival, so that it does not hide the next one."""
    ahead = timezone.now() + timedelta(hours=5, minutes=30)
    assert post(ci, {"sha": SHA, "date": ahead.isoformat()}).status_code == 200
    assert post(ci, {"sha": "next", "date": timezone.now().isoformat()}).status_code == 200

    first, second = Deploy.objects.order_by("id")
    assert first.deployed_at == first.created_at < ahead
    assert second.target.live_deploy == second


IGNORED = ["true", "True", "TRUE", " true\n", True, "1", 1]
REPORTED = ["false", "False", "FALSE", " false ", "", None, False, "0", 0, ...]


@pytest.mark.parametrize("value", IGNORED + REPORTED)
def test_a_duplicate(value: Any, ci: World) -> None:
    expected = 200 if value in IGNORED else 400
    fields = {"sha": SHA} if value is ... else {"sha": SHA, "ignore_if_duplicate": value}
    assert ci.register(sha=SHA, environment="production").status_code == 200

    for encoding in ENCODINGS if isinstance(value, str) else ENCODINGS[:1]:
        response = post(ci, fields, encoding)
        assert response.status_code == expected, response.content
        if expected == 200:
            assert response.content == b"Success"
        else:
            assert "ignore_if_duplicate" in assert_sentence(response)
    assert Deploy.objects.count() == 1


EMAILS = [
    "jane@example.com",
    "github-actions[bot]@users.noreply.github.com",
    "49699333+dependabot[bot]@users.noreply.github.com",
    "jane.o'hara+ci@sub.example.co.uk",
    "jané@exämple.com",
    "root@localhost",
    " jane@example.com ",
]


@pytest.mark.parametrize("email", EMAILS)
def test_emails(email: str, ci: World) -> None:
    for encoding in ENCODINGS:
        assert post(ci, {"sha": encoding, "email": email}, encoding).content == b"Success"
    assert {deploy.author_email for deploy in Deploy.objects.all()} == {email.strip()}


LINKS = [
    "http://www.commits/aaa",
    "https://example.com",
    "HTTPS://EXAMPLE.com/a?b=c#d",
    "http://[::1]:8000/x",
    "http://ü.example/é",
]
URLS = [*LINKS, "ssh://git@example.com/a", "git@github.com:acme/shop.git/commit/abc", "../relative/path", "", None]


@pytest.mark.parametrize("url", URLS)
def test_addresses(url: str | None, ci: World) -> None:
    fields: dict[str, Any] = {
        "commits": [{"revision": "a", "url": url}],
        "files": [{"path": "http://www.example.com/some/path.txt", "url": url}],
        "pull_requests": [{"number": 1, "url": url}],
    }
    if url in LINKS:
        fields["links"] = {"link": url}

    assert post(ci, {"sha": SHA, **fields}).content == b"Success"
    deploy = Deploy.objects.get()
    stored = [deploy.commits.get().url, deploy.files.get().url, deploy.pull_requests.get().url]
    assert stored == [url or ""] * 3
    assert [link.url for link in deploy.links.all()] == ([url] if url in LINKS else [])


def test_numbers_of_pull_requests(ci: World) -> None:
    numbers = [1, 12.0, "34", "MR!5", 2**63 - 1]
    assert post(ci, {"sha": SHA, "pull_requests": [{"number": n} for n in numbers]}).content == b"Success"
    stored = [pull.number for pull in Deploy.objects.get().pull_requests.all()]
    assert stored == ["1", "12", "34", "MR!5", "9223372036854775807"]


def test_the_largest_counts(ci: World) -> None:
    most = 2**31 - 1
    files = [{"path": str(n), "additions": most, "deletions": 3.0} for n in range(50)]
    assert post(ci, {"sha": SHA, "files": files}).content == b"Success"
    assert (Deploy.objects.get().additions, Deploy.objects.get().deletions) == (50 * most, 150)


def test_the_longest_texts(ci: World) -> None:
    """In characters of four bytes."""
    long = "🚀"
    url = "https://" + long * 1992
    person = {"name": long * 255, "email": "a@" + long * 252, "username": long * 255}
    fields: dict[str, Any] = {
        "sha": long * 255,
        "branch": long * 255,
        "email": "a@" + long * 252,
        "tags": ["#" + "a" * 50],
        "links": {long * 255: url},
        "commits": [{"revision": long * 255, "message": long * 100_000, "author": person, "files": [long * 4096],
                     "parents": [long * 255], "url": url}],
        "files": [{"path": long * 4096, "url": url}],
        "pull_requests": [{"number": "9" * 50, "title": long * 1000, "url": url, "branch": long * 255,
                           "author": long * 255, "issue_keys": [long * 100]}],
    }  # fmt: skip
    assert post(ci, fields).content == b"Success"
    deploy = Deploy.objects.get()
    deploy.full_clean()
    for row in (*deploy.tags.all(), *deploy.links.all(), *deploy.commits.all(), *deploy.files.all(),
                *deploy.pull_requests.all()):  # fmt: skip
        row.full_clean()


def test_a_duplicated_field_of_a_form(ci: World) -> None:
    for body, content_type in (
        (urlencode([("sha", SHA), ("sha", "b")]), FORM),
        (multipart(("sha", SHA), ("sha", "b")), MULTIPART),
    ):
        response = call(ci.path, body, content_type=content_type, headers=bearer(ci.secret))
        assert (response.status_code, assert_sentence(response)) == (400, "sha must be text.")
    assert not Deploy.objects.exists()


def test_a_name_twice_in_json_counts_as_the_last(ci: World) -> None:
    response = call(ci.path, f'{{"sha": 1, "sha": {json.dumps(SHA)}}}', headers=bearer(ci.secret))
    assert response.status_code == 200


def test_the_query_is_utf8_whatever_the_body(ci: World) -> None:
    ci.project.environments.filter(slug="staging").update(name="Übung")
    for content_type in ("application/json; charset=iso-8859-1", "application/json; charset=rot13"):
        path = f"{ci.path}?environment={quote('übung')}&sha={quote('é')}&api_key={ci.secret}"
        response = call(path, content_type=content_type)
        assert response.content == b"Success"
        deploy = Deploy.objects.get()
        assert (deploy.sha, deploy.target.environment.slug) == ("é", "staging")
        deploy.delete()
