"""Fields that are refused. Whatever is wrong, the answer says so in a sentence and nothing is stored."""

import json
from typing import Any

import pytest

from deployments.models import Deploy
from tests.calls import FORM, MULTIPART, SHA, assert_sentence, bearer, call, count_rows, multipart
from tests.conftest import World

BIG = "9" * 5000
LONG = "x" * 5000
TEXTS = ("sha", "environment", "branch", "email")
DATE_FIELDS = ("created_at", "first_review_at", "merged_at")


def in_commit(**members: Any) -> dict[str, Any]:
    return {"commits": [{"revision": "a"} | members]}


def in_file(**members: Any) -> dict[str, Any]:
    return {"files": [{"path": "a"} | members]}


def in_pull(**members: Any) -> dict[str, Any]:
    return {"pull_requests": [{"number": 1} | members]}


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
    "tags": [1, True, {"a": "b"}, [1], [None], [["#a"]], [{}]],
    "ignore_if_duplicate": [2, -1, 1.5, [], [True], {}, "yes", "2", "truee"],
    "email": [1, True, [], ["a@b"], {}],
    "links": [1, True, ["a=http://b.c"], {"a": 1}, {"a": None}, {"a": ["http://b.c"]}, {"a": {}}, {"": "http://b.c"}],
    "commits": [1, True, "a", {}, [1], [None], ["a"], [[]], [{}], [{"revision": None}], [{"message": "x"}]],
    "files": [1, True, "a", {}, [1], [None], ["a"], [[]], [{}], [{"path": None}], [{"path": ""}]],
    "pull_requests": [1, True, "a", {}, [1], [None], ["a"], [[]], [{}], [{"number": None}], [{"number": ""}]],
}


def test_wrong_types(ci: World, subtests: pytest.Subtests) -> None:
    for name in WRONG_TYPES:
        with subtests.test(name=name):
            for value in WRONG_TYPES[name]:
                sentence = refuse(ci, {name: value})
                assert sentence.startswith(("Invalid date", name, f"A name in {name}")), sentence


SAID: list[tuple[dict[str, Any], str]] = [
    *(({name: "a"}, f"{name} must be a list.") for name in ("commits", "files", "pull_requests")),
    ({"commits": 1}, "commits must be a list."),
    ({"files": {}}, "files must be a list."),
    ({"ignore_if_duplicate": "yes"}, "ignore_if_duplicate must be true or false."),
    ({"email": 1}, "email must be text."),
    ({"email": "a"}, "email must be an e-mail address."),
    ({"tags": 1}, "tags must be text or a list."),
    ({"links": 1}, "links must be an object or text."),
    ({"branch": "a\nb"}, "branch must not contain control characters."),
    ({"commits": [{"revision": 1}]}, "commits[0].revision must be text."),
]


@pytest.mark.parametrize(("fields", "sentence"), SAID)
def test_what_a_field_must_be_is_said(fields: dict[str, Any], sentence: str, ci: World) -> None:
    """And not that it may be left out by an empty text or null."""
    assert refuse(ci, fields) == sentence


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        *((in_commit(**{m: 1}), f"commits[0].{m}") for m in ("revision", "message", "author", "files", "url")),
        (in_commit(date={}), "commits[0].date"),
        *((in_commit(**{m: "a"}), f"commits[0].{m}") for m in ("author", "files", "parents")),
        *((in_commit(**{m: [1]}), f"commits[0].{m}[0]") for m in ("files", "parents")),
        *((in_commit(**{m: ["a", None]}), f"commits[0].{m}[1]") for m in ("files", "parents")),
        *((in_commit(author={m: []}), f"commits[0].author.{m}") for m in ("name", "email", "username")),
        *((in_file(**{m: {}}), f"files[0].{m}") for m in ("path", "additions", "deletions", "url")),
        *((in_pull(**{m: {}}), f"pull_requests[0].{m}") for m in ("number", "title", "url", "branch", *DATE_FIELDS)),
        (in_pull(author=[]), "pull_requests[0].author"),
        (in_pull(issue_keys=["A-1", 2]), "pull_requests[0].issue_keys[1]"),
        ({"files": [{"path": "a"}, {"path": "b"}, {"additions": 1}]}, "files[2].path is required."),
    ],
)  # fmt: skip
def test_the_path_of_a_wrong_member_is_named(fields: dict[str, Any], path: str, ci: World) -> None:
    assert refuse(ci, fields).startswith(path)


# fmt: off
NUMBERS = [
    "-1", "-0.5", "1.5", "1e-1", str(2**63), str(2**64), str(-(2**63)), "9" * 300, "9" * 4000, BIG, "1e308",
    "2147483648", "1e999", "-1e999", "NaN", "Infinity", "-Infinity", '"1"', "true", "[]", "+1", "01", "0x10", ".5",
    "1_000", "١",
]
# fmt: on


def test_numbers_that_no_column_takes(ci: World, subtests: pytest.Subtests) -> None:
    for number in NUMBERS:
        with subtests.test(number=number):
            for name in ("additions", "deletions"):
                refuse(ci, f'{{"sha": "{SHA}", "files": [{{"path": "a", "{name}": {number}}}]}}')
            if number not in ("2147483648", '"1"'):
                refuse(ci, f'{{"sha": "{SHA}", "pull_requests": [{{"number": {number}}}]}}')


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
    "２０２４-05-01", "2024-05-01\x0012:35", "2024-05-01\n12:35:01", "now", "null", "2024-05-01T12:35:01Z\u200b", LONG,
]
# fmt: on


def test_dates_that_are_none(ci: World, subtests: pytest.Subtests) -> None:
    for date in DATES:
        with subtests.test(date=date):
            sentence = refuse(ci, {"date": date})
            assert sentence == "Invalid date format.  Must be in ISO 8601 format" or "NUL" in sentence
            assert refuse(ci, in_commit(date=date)).startswith(("commits[0].date", "The body contains a NUL"))
            for name in DATE_FIELDS:
                refuse(ci, in_pull(**{name: date}))


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
            details = in_commit(date=date) | in_pull(**dict.fromkeys(DATE_FIELDS, date))
            location = ci.register(sha=f"v{number}", **details).headers["Location"]
            deploy = Deploy.objects.get(pk=location.rpartition("/")[2])
            assert (deploy.first_commit_at, deploy.lead_time) == (None, None)
            pull = deploy.pull_requests.get()
            assert (pull.opened_at, pull.first_reviewed_at, pull.merged_at) == (None, None, None)


def test_a_date_in_the_future(ci: World) -> None:
    for date in ("2199-12-31T23:59:59Z", "2100-01-01"):
        assert refuse(ci, {"date": date}).startswith("date is in the future")


# fmt: off
SCHEMES = [
    "javascript:alert(1)", "JavaScript:alert(1)", "jAvAsCrIpT://example.com/%0aalert(1)", " javascript:alert(1)",
    "java\tscript:alert(1)", "java\nscript:alert(1)", "\x01javascript:alert(1)", "javascript\t:alert(1)",
    "data:text/html,<script>", "DATA:text/html;base64,PHN=", "vbscript:msgbox(1)", "VbScript:x", "file:///etc/passwd",
    "blob:https://example.com/x", "about:blank", "mailto:a@b.c", "javascript://a@b.c/%0aalert(1)", "javascript:a@b.c",
    "javascript&colon;alert(1):", "https:/example.com:1", "http:example.com", "http://", "https:// example.com",
    "http://exa mple.com", "https://example.com/\n", "https://example.com/\x7f", "http://a\u2028b",
    "h\u0442tp://x.y:1",
]
# fmt: on


def test_addresses_that_could_run(ci: World, subtests: pytest.Subtests) -> None:
    for url in SCHEMES:
        with subtests.test(url=url):
            stripped_is_fine = url == "https://example.com/\n"
            for fields in (
                {"links": {"ok": "https://example.com", "bad": url}},
                in_commit(url=url),
                in_file(url=url),
                in_pull(url=url),
                *([] if stripped_is_fine else [{"links": f"name={url}"}]),
            ):
                assert "must be an http or https address." in refuse(ci, fields)


def test_links_must_be_whole(ci: World, subtests: pytest.Subtests) -> None:
    for url in ["example.com", "//example.com", "/path", "ftp://example.com", "git@example.com:a", "", " "]:
        with subtests.test(url=url):
            refuse(ci, {"links": {"a": url}})
            refuse(ci, {"links": f"a={url}"})


def test_links_as_text_need_a_name(ci: World, subtests: pytest.Subtests) -> None:
    for links in ["http://my.link", "=http://my.link", "a", "=", "a=", "  =  ", '{"a": "http://b.c"}']:
        with subtests.test(links=links):
            assert refuse(ci, {"links": links}).startswith(("links", "A name in links"))


# fmt: off
TAGS = [
    "tag", "#", "##a", "#A", "#a.b", "#a b", "#a#b", "#a;#b", "#é", "#٣", "#a,b", "#a,#", "#a\x0b#b", "#" + "a" * 51,
    "#a\u200b", ["#a", "b"], ["#a b"], ["# a"], [f"#{n}" for n in range(101)], ",".join(f"#{n}" for n in range(101)),
    "," * 5001,
]
# fmt: on


def test_tags(ci: World, subtests: pytest.Subtests) -> None:
    for tags in TAGS:
        with subtests.test(tags=tags):
            assert "tag" in refuse(ci, {"tags": tags})


def test_emails(ci: World, subtests: pytest.Subtests) -> None:
    for email in [
        "jane",
        "@",
        "a@",
        "@b",
        "a@b@c",
        "a b@c.d",
        "a@b c",
        "a@b\nc",
        "a\t@b",
        "Jane <a@b.c>",
        "<a@b.c>",
        "mailto:a@b.c",
        "a,b@c.d",
        "a@b.c;d",
        "a@b,c",
        "a@b..c",
        "a@.b",
        "a@b.",
        "a@-b.c",
        "a@b-.c",
        "(a)@b.c",
        "a\x7f@b",
        "a@b\u2003",
        "a" * 253 + "@b",
    ]:
        with subtests.test(email=email):
            if email.strip() != "a@b":
                assert refuse(ci, {"email": email}).startswith("email ")


CONTROLS = ["a\nb", "a\rb", "a\tb", "a\x1bb", "a\x7fb", "a\x01"]


def test_control_characters(ci: World, subtests: pytest.Subtests) -> None:
    for name in ["sha", "branch", "environment"]:
        with subtests.test(name=name):
            for text in CONTROLS:
                assert refuse(ci, {name: text}) == f"{name} must not contain control characters."


def test_control_characters_in_the_name_of_a_link(ci: World) -> None:
    for text in CONTROLS:
        assert "control characters" in refuse(ci, {"links": {text: "https://example.com"}})


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"sha": "a" * 256}, "sha"),
        ({"environment": "a" * 101}, "environment"),
        ({"branch": "a" * 256}, "branch"),
        ({"email": "a@" + "b" * 253}, "email"),
        ({"links": {"a" * 256: "http://b.c"}}, "A name in links"),
        ({"links": {"a": "http://" + "b" * 1994}}, "links.a"),
        ({"links": "a=http://" + "b" * 1994}, "links.a"),
        ({"links": "a" * 256 + "=http://b.c"}, "A name in links"),
        ({"links": {str(n): "http://b.c" for n in range(101)}}, "links"),
        (in_commit(revision="a" * 256), "commits[0].revision"),
        (in_commit(message="a" * 100_001), "commits[0].message"),
        (in_commit(author={"name": "a" * 256}), "commits[0].author.name"),
        (in_commit(author={"email": "a" * 255}), "commits[0].author.email"),
        (in_commit(author={"username": "a" * 256}), "commits[0].author.username"),
        (in_commit(files=["a" * 4097]), "commits[0].files[0]"),
        (in_commit(parents=["a" * 256]), "commits[0].parents[0]"),
        (in_commit(url="http://" + "b" * 1994), "commits[0].url"),
        (in_commit(files=["a"] * 50_001), "commits[0].files"),
        (in_commit(parents=["a"] * 50_001), "commits[0].parents"),
        ({"commits": [{"revision": "a"}] * 5001}, "commits"),
        ({"files": [{"path": "a"}] * 50_001}, "files"),
        ({"pull_requests": [{"number": 1}] * 5001}, "pull_requests"),
        (in_file(path="a" * 4097), "files[0].path"),
        (in_file(url="http://" + "b" * 1994), "files[0].url"),
        (in_pull(number="9" * 51), "pull_requests[0].number"),
        (in_pull(title="a" * 1001), "pull_requests[0].title"),
        (in_pull(branch="a" * 256), "pull_requests[0].branch"),
        (in_pull(author="a" * 256), "pull_requests[0].author"),
        (in_pull(issue_keys=["a" * 101]), "pull_requests[0].issue_keys[0]"),
        (in_pull(issue_keys=["a"] * 101), "pull_requests[0].issue_keys"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_over_long_texts_and_lists(fields: dict[str, Any], path: str, ci: World) -> None:
    sentence = refuse(ci, fields)
    assert sentence.startswith(f"{path} ")
    assert "at most" in sentence


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
