"""Fields that are refused. Whatever is wrong, the answer says so in a sentence and nothing is stored."""

import json
from typing import Any

import pytest

from deployments.models import Deploy
from tests.calls import FORM, MULTIPART, SHA, assert_sentence, bearer, call, count_rows, multipart
from tests.conftest import World

BIG = "9" * 5000
LONG = "x" * 5000
DATE_FIELDS = ("created_at", "first_review_at", "merged_at")
TEXTS = ("sha", "environment", "branch")


def refuse(ci: World, fields: dict[str, Any] | str) -> str:
    """Post it with a sha, and see that it is refused without a trace; gives the sentence."""
    body = fields if isinstance(fields, str) else json.dumps({"sha": SHA} | fields)
    before = count_rows()

    response = call(ci.path, body, headers=bearer(ci.secret))

    assert response.status_code == 400, response.content
    assert count_rows() == before
    return assert_sentence(response)


WRONG_TYPES: dict[str, list[Any]] = {
    "sha": [1, 1.5, True, [], ["a"], {}, {"a": "b"}],
    "environment": [1, False, ["staging"], {}],
    "date": [5, 1.5, True, [], ["2024-05-01"], {}],
    "branch": [1, True, ["main"], {}],
}


def test_wrong_types(ci: World, subtests: pytest.Subtests) -> None:
    for name in WRONG_TYPES:
        with subtests.test(name=name):
            for value in WRONG_TYPES[name]:
                sentence = refuse(ci, {name: value})
                assert sentence.startswith(("Invalid date", name)), sentence


def test_numbers_that_are_none_anywhere(ci: World, subtests: pytest.Subtests) -> None:
    for number in [BIG, "-" + BIG, "NaN", "1e999", f"1{BIG}.5e-{BIG}", f'[[1, {{"a": {BIG}}}]]']:
        with subtests.test(number=number):
            for body in (f'{{"sha": "{SHA}", "unknown": {number}}}', number, f"[{number}]"):
                if "e-" not in number or body == number:
                    refuse(ci, body)


# fmt: off
DATES = [
    "yesterday", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "2200-01-01", "10000-01-01", "-2024-05-01",
    "2024-13-01", "2023-02-29", "2024-05-01T24:30:00Z", "2024-05-01T12:60:00Z", "2024-05-01T12:35:61Z",
    "2024-05-01T12:35:01+25:00", "2024-05-01T12:35:01+24:00", "2024-05-01T12:35:01.Z",
    "2024-05-01T", "T12:35:01Z", "2024-05-01T12:35:01ZZ", "2024-05-01T12:35:01 CST", "2024-05-01T12:35:01[Europe/Oz]",
    "2024-05-01T12:35:01[../../etc]", "Wed, 31 Feb 2024 12:35:01 GMT", "05/01/2024", "20241301T123501Z",
    "20240501T126001Z", "2024-W54-1", "2023-366", "2024-000", "17145670001", "1e9", "12345", "٢٠٢٤-٠٥-٠١",
    "２０２４-05-01", "2024-05-01\x0012:35", "2024-05-01\n12:35:01", "now", "null", LONG,
]
# fmt: on


def test_dates_that_are_none(ci: World, subtests: pytest.Subtests) -> None:
    for date in DATES:
        with subtests.test(date=date):
            sentence = refuse(ci, {"date": date})
            assert sentence == "Invalid date format.  Must be in ISO 8601 format" or "NUL" in sentence


# What programs write for no time.
ZERO_TIMES = [
    "0000-00-00", "0000-00-00 00:00:00", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00",
    "0001-01-01T00:00:00+14:00", "0001-01-01 00:00:00 +0000 UTC", "1601-01-01T00:00:00Z", "1899-12-30", "1969-12-31",
    "1970-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "Thu Jan 1 00:00:00 1970 +0000", "0", "-62135596800", 0, 946684799,
]  # fmt: skip


def test_a_time_of_zero_is_no_date_of_a_deploy(ci: World, subtests: pytest.Subtests) -> None:
    for date in ZERO_TIMES:
        with subtests.test(date=date):
            assert refuse(ci, {"date": date}) == (
                f"date is {date}, which is before 2000 and means no time: send when it happened, "
                "or leave it out for now."
            )


def test_a_time_of_zero_is_an_unknown_date_of_a_detail(ci: World, subtests: pytest.Subtests) -> None:
    for number, date in enumerate(ZERO_TIMES):
        with subtests.test(date=date):
            details: dict[str, Any] = {
                "commits": [{"revision": "a", "date": date}],
                "pull_requests": [{"number": 1, **dict.fromkeys(DATE_FIELDS, date)}],
            }
            location = ci.register(sha=f"v{number}", **details).headers["Location"]
            deploy = Deploy.objects.get(pk=location.rpartition("/")[2])
            assert (deploy.first_commit_at, deploy.lead_time) == (None, None)
            pull = deploy.pull_requests.get()
            assert (pull.opened_at, pull.first_reviewed_at, pull.merged_at) == (None, None, None)


def test_a_date_in_the_future(ci: World) -> None:
    for date in ("2199-12-31T23:59:59Z", "2100-01-01"):
        assert refuse(ci, {"date": date}).startswith("date is in the future")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"sha": "a" * 256}, "sha is 256 characters long: at most 255 are accepted."),
        ({"environment": "a" * 101}, "environment is 101 characters long: at most 100 are accepted."),
        ({"branch": "a" * 256}, "branch is 256 characters long: at most 255 are accepted."),
        ({"branch": 1}, "branch must be text."),
        ({"sha": "a\ud83d"}, "sha contains half a surrogate pair: send valid Unicode."),
        ({"environment": "\ude00"}, "environment contains half a surrogate pair: send valid Unicode."),
        ({"branch": "a\0"}, "branch contains a NUL character: remove it."),
    ],
)
def test_what_names_a_deploy_is_not_guessed(fields: dict[str, Any], sentence: str, ci: World) -> None:
    """Also if a detail is wrong as well."""
    assert refuse(ci, fields | {"email": 1}) == sentence


CONTROLS = ["a\nb", "a\rb", "a\tb", "a\x1bb", "a\x7fb", "a\x01"]


def test_control_characters(ci: World, subtests: pytest.Subtests) -> None:
    for name in ["sha", "branch", "environment"]:
        with subtests.test(name=name):
            for text in CONTROLS:
                assert refuse(ci, {name: text}) == f"{name} must not contain control characters."


def test_long_texts_in_forms(ci: World, subtests: pytest.Subtests) -> None:
    for name in TEXTS:
        with subtests.test(name=name):
            fields = {"sha": SHA, name: LONG}
            before = count_rows()
            for body, content_type in (
                ("&".join(f"{key}={value}" for key, value in fields.items()), FORM),
                (multipart(*fields.items()), MULTIPART),
            ):
                response = call(ci.path, body, content_type=content_type, headers=bearer(ci.secret))
                assert response.status_code == 400
                assert assert_sentence(response).startswith(f"{name} is 5000 characters long")
            assert count_rows() == before


def test_a_missing_sha(ci: World, subtests: pytest.Subtests) -> None:
    for fields in ["{}", '{"sha": ""}', '{"sha": " "}', '{"sha": null}', '{"SHA": "a"}', '{"environment": "x"}']:
        with subtests.test(fields=fields):
            assert refuse(ci, fields) == "sha is required."


def test_the_body_of_a_manual_change(ci: World) -> None:
    assert "register_manual_deploy" in refuse(ci, '{"name": "Scaled up", "description": "x"}')
