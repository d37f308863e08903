"""Each line of requests.jsonl, sent as it stands. README.md says what its fields mean."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from deployments.models import Deploy, ImpactKind, ImpactSource, ManualChange
from tests.calls import SHA, assert_sentence, bearer, call
from tests.conftest import World
from tests.factories import make_impact_source, make_token
from tokens.scopes import Scope

Row = dict[str, Any]


ROWS: list[Row] = [
    json.loads(line) for line in (Path(__file__).parent / "requests.jsonl").read_text(encoding="utf-8").splitlines()
]


def registered(*shas: str) -> Callable[[World], None]:
    """A state in which these were registered in production, one after the other."""

    def prepare(ci: World) -> None:
        for sha in shas:
            assert ci.register(sha=sha).status_code == 200

    return prepare


def measured(ci: World) -> None:
    path = f"/api/1/impact/{ImpactSource.objects.get(kind=ImpactKind.METRIC).pk}/register_impact"
    assert call(path, '{"value": 1}', headers=bearer(ci.secret)).status_code == 200


def triggered(ci: World) -> None:
    path = f"/api/1/deployments/acme/shop/production/alerts/register_impact/{ci.secret}"
    body = '{"type": "triggered", "id": "I6HNZGUFG4K11", "date": "2023-09-08T11:28:24.669436Z"}'
    assert call(path, body).status_code == 200


PRECONDITIONS: dict[str | None, Callable[[World], None]] = {
    None: registered(),
    "deployment exists, nothing registered in the environment": registered(),
    "{other_org}/{other_deployment} exists and {token} does not belong to it": registered(),
    "{sha} is already the newest deploy of the default environment": registered(SHA),
    "{sha} is already the newest deploy of {environment}": registered(SHA),
    "{sha} registered in {environment}, then another sha registered after it": registered(SHA, "b" * 40),
    "a value was accepted for {impact_id} less than 120 s ago": measured,
    "the triggered event above was sent": triggered,
}


@pytest.mark.parametrize("row", [pytest.param(row, id=row["name"]) for row in ROWS])
def test_request(row: Row, ci: World, other: World) -> None:
    names = {
        "org": ci.organization.slug,
        "deployment": ci.deployment.slug,
        "project": ci.project.slug,
        "environment": "production",
        "token": ci.secret,
        "sha": SHA,
        "other_org": other.organization.slug,
        "other_deployment": other.deployment.slug,
    }
    if "register_impact" in row["path"]:
        incidents = make_impact_source(ci.project, ImpactKind.INCIDENT, "Alerts")
        metric = make_impact_source(ci.project, ImpactKind.METRIC, "Errors")
        _, ci.secret = make_token(ci.organization, Scope.REGISTER_IMPACT)
        names |= {"impact_source": incidents.slug, "impact_id": str(metric.pk), "token": ci.secret}
    PRECONDITIONS[row.get("precondition")](ci)
    before = Deploy.objects.count(), ManualChange.objects.count()

    def fill(text: str) -> str:
        for name, value in names.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    response = call(
        fill(row["path"]),
        fill(row["body"]),
        method=row["method"],
        content_type=row["content_type"],
        headers={name: fill(value) for name, value in row["headers"].items()},
    )

    assert response.status_code in (row["expect_status"], *row.get("accept_statuses", ())), response.content
    assert_body(response.content.decode(), row)
    for name, value in row.get("expect_headers", {}).items():
        assert_header(response[name], value)
    if response.status_code >= 400:
        assert_sentence(response)
    if row["path"].endswith("/register_deploy") and row["method"] == "POST":
        assert Deploy.objects.count() - before[0] == (response.status_code == 200)
    if row["path"].endswith("/register_manual_deploy"):
        assert ManualChange.objects.count() - before[1] == (response.status_code == 200)
    if "newest known revision" in row.get("effect", ""):
        # Nothing is known of the deployment here but the run.
        assert Deploy.objects.get().sha == json.loads(row["body"])["run_id"]
    if "rollback" in row.get("effect", ""):
        assert Deploy.objects.latest("id").is_rollback


ACCEPTED_JSON = [
    row
    for row in ROWS
    if row["expect_status"] == 200 and row["path"].partition("?")[0].endswith("deploy") and row["body"].startswith("{")
]
# Of every field: what clients send where they leave it out, and white space around what they do not.
ABSENT = ("", " ", None)
SPACED: dict[str, dict[str, Any]] = {
    "register_deploy": {
        "sha": " abc\n", "environment": " Production\n", "branch": "\tmain ", "email": " a@b.c ", "tags": " #a ",
        "date": " 2024-05-01 ", "ignore_if_duplicate": " True\n", "links": " a=https://b.c/ ",
    },
    "register_manual_deploy": {
        "name": " Scaled up\n", "environment": " Production\n", "author": " a@b.c ", "email": "\ta@b.c ",
        "tags": " #a ", "date": " 2024-05-01 ", "description": " a\nb ", "links": " a=https://b.c/ ",
    },
}  # fmt: skip


def served(name: str) -> Draft202012Validator:
    return Draft202012Validator(call(f"/api/1/schema/{name}", method="GET").json())


@pytest.mark.parametrize("row", [pytest.param(row, id=row["name"]) for row in ACCEPTED_JSON])
def test_what_is_accepted_follows_the_served_schema(row: Row) -> None:
    body = json.loads(row["body"])
    name = "terraform_notification" if "payload_version" in body else row["path"].rpartition("/")[2]

    assert [error.message for error in served(name).iter_errors(body)] == []


def test_absent_members_and_white_space_follow_the_served_schema(ci: World, subtests: pytest.Subtests) -> None:
    for name, spaced in SPACED.items():
        validator = served(name)
        required = {key: spaced[key] for key in ("sha", "name") if key in spaced}
        fields = call(f"/api/1/schema/{name}", method="GET").json()["properties"]
        bodies = [
            spaced,
            *({key: value for key in fields if key not in required} | required for value in ABSENT),
        ]
        for number, body in enumerate(bodies):
            with subtests.test(name=name, number=number):
                assert [error.message for error in validator.iter_errors(body)] == []
                path = ci.path if name == "register_deploy" else ci.manual_path
                body = {**body, "sha": f"sha-{number}"} if "sha" in body else body
                assert call(path, json.dumps(body), headers=bearer(ci.secret)).content == b"Success"


def assert_body(body: str, row: Row) -> None:
    expected = row["expect_body"]
    match row.get("expect_body_match"):
        case "json":
            value = json.loads(expected) if isinstance(expected, str) else expected
            assert json.loads(body) == value or value is None
        case "contains":
            assert expected in body
        case None if expected is not None:
            assert body == expected


def assert_header(value: str, expected: str) -> None:
    if bounds := re.fullmatch(r"integer (\d+)\.\.(\d+)", expected):
        assert int(bounds[1]) <= int(value) <= int(bounds[2])
    else:
        assert value == expected
