"""Details that are too long or wrong are cut, cleaned or left out, and the answer says so."""

import json
from typing import Any

import pytest
from django.test import Client

from deployments.deploys.consistency import check_all_targets
from deployments.models import Call, Deploy, ImpactKind
from tests.calls import FORM, SHA, bearer, call
from tests.conftest import World
from tests.impacts.reporting import make_reporter
from tests.registration.requests import log, url

BIG = "9" * 5000
DATE_FIELDS = ("created_at", "first_review_at", "merged_at")


def in_commit(**members: Any) -> dict[str, Any]:
    return {"commits": [{"revision": "a"} | members]}


def in_file(**members: Any) -> dict[str, Any]:
    return {"files": [{"path": "a"} | members]}


def in_pull(**members: Any) -> dict[str, Any]:
    return {"pull_requests": [{"number": 1} | members]}


def dropped(ci: World, fields: dict[str, Any] | str) -> str:
    """Register it, and forget the deploy: what the answer says was changed."""
    body = fields if isinstance(fields, str) else json.dumps({"sha": SHA} | fields)

    response = call(ci.path, body, headers=bearer(ci.secret))

    assert (response.status_code, response.content) == (200, b"Success"), fields
    Deploy.objects.get(pk=response.headers["X-Deploy-Id"], sha=SHA).delete()
    header: str = response.headers.get("X-Dropped", "")
    assert header.isascii()
    assert len(header) <= 500
    return header


LONG_MESSAGE = "Sell socks\n" + "x" * 100_000
LONG_EMAIL = "a" * 260 + "@example.com"


# fmt: off
SAID: list[tuple[dict[str, Any], str]] = [
    ({}, ""),
    (in_commit(message="a" * 100_000, author={"name": "a" * 255, "email": "a@b.c"}), ""),
    # Empty members are absent.
    ({"email": "", "links": {"build": "", "log": None}, "tags": [""], "commits": None, "files": " "}, ""),
    (in_commit(message="a" * 100_001), "commits[0].message cut at 100,000 characters"),
    (in_commit(author={"email": LONG_EMAIL}),
     "commits[0].author.email left out: it is 272 characters long, at most 254 are accepted"),
    (in_commit(author={"name": "a" * 300}), "commits[0].author.name cut at 255 characters"),
    (in_commit(author={"username": "a" * 256}), "commits[0].author.username cut at 255 characters"),
    (in_commit(revision="a" * 256),
     "commits[0] left out: its revision is 256 characters long, at most 255 are accepted"),
    (in_commit(files=["b", "a" * 4097]),
     "commits[0].files[1] left out: it is 4097 characters long, at most 4096 are accepted"),
    (in_commit(parents=["a"] * 50_001), "commits[0].parents cut at 50,000 of 50,001 entries"),
    (in_commit(url="http://" + "b" * 1994),
     "commits[0].url left out: it is 2001 characters long, at most 2000 are accepted"),
    (in_commit(date="yesterday"),
     "commits[0].date left out: it must be a date in ISO 8601, such as 2024-05-01T12:35:00Z"),
    (in_commit(message=1), "commits[0].message left out: it must be text"),
    (in_pull(title="a" * 1001), "pull_requests[0].title cut at 1,000 characters"),
    (in_pull(author="a" * 256), "pull_requests[0].author cut at 255 characters"),
    (in_pull(branch="a" * 256),
     "pull_requests[0].branch left out: it is 256 characters long, at most 255 are accepted"),
    (in_pull(issue_keys=["a"] * 101), "pull_requests[0].issue_keys cut at 100 of 101 entries"),
    (in_pull(issue_keys=["a" * 101, "b"]),
     "pull_requests[0].issue_keys[0] left out: it is 101 characters long, at most 100 are accepted"),
    (in_file(path="a" * 4097), "files[0] left out: its path is 4097 characters long, at most 4096 are accepted"),
    (in_file(additions=-1), "files[0].additions left out: it must be at least 0"),
    ({"files": [{"path": "a"}, {"additions": 1}]}, "files[1] left out: it has no path"),
    ({"email": LONG_EMAIL}, "email left out: it is 272 characters long, at most 254 are accepted"),
    ({"email": "jane"}, "email left out: it must be an e-mail address"),
    ({"email": 1}, "email left out: it must be text"),
    ({"ignore_if_duplicate": "yes"}, "ignore_if_duplicate left out: it must be true or false"),
    ({"tags": ["#a", "B"]},
     "tag 'B' left out: write # and up to 50 lower-case letters, digits, - or _, with commas between tags"),
    ({"tags": ",".join(f"#{n}" for n in range(101))}, "tags cut at 100 of 101 entries"),
    ({"tags": 1}, "tags left out: it must be text or a list"),
    ({"links": {"a": "javascript:alert(1)"}}, "links.a left out: it must be an http or https address"),
    ({"links": {"a\n": "http://b.c"}}, "links.a\\n left out: its name must not contain control characters"),
    ({"links": {str(n): "http://b.c" for n in range(101)}}, "links cut at 100 of 101 entries"),
    ({"links": "http://b.c"}, "links left out: write name=url, or an object of names and addresses"),
    ({"links": []}, "links left out: it must be an object or text"),
    ({"commits": {}}, "commits left out: it must be a list"),
    ({"commits": [{"revision": "a"}] * 5_001}, "commits cut at the newest 5,000 of 5,001 entries"),
    ({"files": [{"path": "a"}] * 50_001}, "files cut at 50,000 of 50,001 entries"),
    ({"pull_requests": [{"number": 1}] * 5_001}, "pull_requests cut at 5,000 of 5,001 entries"),
    ({"commits": [{"revision": "a", "message": 1}] * 3}, "commits[0].message left out: it must be text (and 2 more)"),
    (in_commit(message="half \ud83d"), "commits[0].message cleaned of what is no valid Unicode"),
    ({"links": {"é": 1}}, "links.\\xe9 left out: it must be text"),
]
# fmt: on


@pytest.mark.parametrize(("fields", "said"), SAID)
def test_what_is_said(ci: World, fields: dict[str, Any], said: str) -> None:
    assert dropped(ci, fields) == said


WRONG_TYPES: dict[str, list[Any]] = {
    "tags": [1, True, {"a": "b"}, [1], [None], [["#a"]], [{}]],
    "ignore_if_duplicate": [2, 1.5, [], [True], {}, "truee"],
    "email": [1, True, [], ["a@b"], {}],
    "links": [1, True, ["a=http://b.c"], {"a": 1}, {"a": ["http://b.c"]}, {"a": {}}, {"": "http://b.c"}],
    "commits": [1, True, "a", {}, [1], [None], ["a"], [[]], [{}], [{"revision": None}], [{"message": "x"}]],
    "files": [1, True, "a", {}, [1], [None], ["a"], [[]], [{}], [{"path": None}], [{"path": ""}]],
    "pull_requests": [1, True, "a", {}, [1], [None], ["a"], [[]], [{}], [{"number": None}], [{"number": ""}]],
}


def test_wrong_types(ci: World, subtests: pytest.Subtests) -> None:
    for name, values in WRONG_TYPES.items():
        with subtests.test(name=name):
            for value in values:
                said = dropped(ci, {name: value})
                assert value in ([None], [""]) or said.startswith(name), (value, said)


NUMBERS = ("-1", "-0.5", "1.5", "1e-1", str(-(2**63)), "1e308", "true", "[]", '"1.5"')


def test_numbers_that_no_column_takes(ci: World, subtests: pytest.Subtests) -> None:
    for number in NUMBERS:
        with subtests.test(number=number):
            for name in ("additions", "deletions"):
                said = dropped(ci, f'{{"sha": "{SHA}", "files": [{{"path": "a", "{name}": {number}}}]}}')
                assert said.startswith(f"files[0].{name} left out: it must be ")
            if number[0] != '"':
                said = dropped(ci, f'{{"sha": "{SHA}", "pull_requests": [{{"number": {number}}}]}}')
                assert said.startswith("pull_requests[0] left out: its number must be ")


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
    for address in SCHEMES:
        with subtests.test(address=address):
            stripped_is_fine = address == "https://example.com/\n"
            for fields in (
                {"links": {"ok": "https://example.com", "bad": address}},
                in_commit(url=address),
                in_file(url=address),
                in_pull(url=address),
                *([] if stripped_is_fine else [{"links": f"name={address}"}]),
            ):
                assert dropped(ci, fields).endswith(" left out: it must be an http or https address")


def test_links_must_be_whole(ci: World, subtests: pytest.Subtests) -> None:
    for address in ["example.com", "//example.com", "/path", "ftp://example.com", "git@example.com:a"]:
        with subtests.test(address=address):
            for links in ({"a": address}, f"a={address}"):
                assert dropped(ci, {"links": links}) == "links.a left out: it must be an http or https address"


def test_links_as_text_need_a_name(ci: World, subtests: pytest.Subtests) -> None:
    for links in ["http://my.link", "=http://my.link", "a", '{"a": "http://b.c"}']:
        with subtests.test(links=links):
            assert dropped(ci, {"links": links}).startswith("links")


# fmt: off
TAGS = [
    "tag", "#", "##a", "#A", "#a.b", "#a b", "#a#b", "#a;#b", "#é", "#٣", "#a,b", "#a,#", "#a\x0b#b", "#" + "a" * 51,
    "#a\u200bb", ["#a", "b"], ["#a b"], ["# a"], [f"#{n}" for n in range(101)], ",".join(f"#{n}" for n in range(101)),
]
# fmt: on


def test_tags(ci: World, subtests: pytest.Subtests) -> None:
    for tags in TAGS:
        with subtests.test(tags=tags):
            assert "tag" in dropped(ci, {"tags": tags})


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
                assert dropped(ci, {"email": email}).startswith("email left out: it ")


DETAILS_WITH_NUL: dict[str, dict[str, Any]] = {
    "email": {"email": "a\0@b"},
    "tags": {"tags": "#a\0"},
    "a tag": {"tags": ["#a", "#b\0"]},
    "ignore_if_duplicate": {"ignore_if_duplicate": "true\0"},
    "links as text": {"links": "a\0=http://b.c"},
    "a link": {"links": {"a": "http://b.c/\0"}},
    "the name of a link": {"links": {"a\0": "http://b.c/"}},
    "api_key": {"api_key": "a\0"},
    "an unknown field": {"unknown": "a\0"},
    "deep in an unknown field": {"unknown": [{"a": [{"b": "\0"}]}]},
    "the name of a field": {"a\0": 1},
    "a name deep in an unknown field": {"unknown": [[{"\0": None}]]},
    **{f"commits.{m}": {"commits": [{"revision": "a", m: "a\0"}]} for m in ("revision", "message", "url", "x\0")},
    **{f"commits.{m}": {"commits": [{"revision": "a", m: ["\0"]}]} for m in ("files", "parents")},
    **{f"author.{m}": {"commits": [{"revision": "a", "author": {m: "\0"}}]} for m in ("name", "email", "username")},
    **{f"files.{m}": {"files": [{"path": "a", m: "\0"}]} for m in ("path", "url")},
    **{f"pulls.{m}": {"pull_requests": [{"number": 1, m: "\0"}]} for m in ("number", "title", "branch", "author")},
    "issue keys": {"pull_requests": [{"number": 1, "issue_keys": ["\0"]}]},
}  # fmt: skip


def test_nul_and_half_surrogates(ci: World, subtests: pytest.Subtests) -> None:
    for case, fields in DETAILS_WITH_NUL.items():
        with subtests.test(case=case):
            escaped = json.dumps({"sha": SHA} | fields)
            for character in ("\\u0000", "\\ud800", "\\udfff", "\\ud83d x", "\\udc00\\ud800"):
                said = dropped(ci, escaped.replace("\\u0000", character))
                assert case == "api_key" or "cleaned of what is no valid Unicode" in said, said


# --- What is stored, and where people see what was changed ---


def test_what_is_right_is_kept(ci: World) -> None:
    answer = ci.register(
        sha=SHA,
        email=LONG_EMAIL,
        tags=["#a", "B b"],
        links={"build": "https://ci.example.com/1", "bad": "javascript:x"},
        commits=[
            {
                "revision": "a",
                "message": "Sell socks\n" + "x" * 100_000,
                "author": {"name": "Ann", "email": LONG_EMAIL},
            },
            {"message": "nameless"},
            {"revision": "b", "date": "0000", "files": ["x", 1]},
        ],
        headers={"Prefer": "return=representation"},
    )

    shown = answer.json()
    assert answer.headers["X-Dropped"] == "; ".join(shown["dropped"])
    assert shown["dropped"][0] == "email left out: it is 272 characters long, at most 254 are accepted"
    assert (shown["title"], shown["author"]) == ("Sell socks", {"name": "Ann", "email": None})
    assert (shown["tags"], shown["links"]) == (["#a"], {"build": "https://ci.example.com/1"})
    first, second = shown["commits"]
    assert len(first["message"]) == 100_000
    assert (second["revision"], second["date"], second["files"]) == ("b", None, ["x"])
    assert shown["commit_count"] == 2


def test_all_changes_count_and_the_newest_are_kept(ci: World) -> None:
    days = [f"2024-05-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z" for n in range(5_001)]
    commits = [{"revision": f"{n}", "date": day, "message": f"number {n}"} for n, day in enumerate(days)]

    ci.register(sha=SHA, date="2024-05-02", commits=commits, files=[{"path": "a", "additions": 1}] * 50_001)

    deploy = Deploy.objects.get()
    kept = list(deploy.commits.order_by("id").values_list("revision", flat=True))
    assert kept == [f"{n}" for n in range(1, 5_001)]
    assert (deploy.commit_count, deploy.file_count, deploy.additions) == (5_001, 50_001, 50_001)
    assert (deploy.files.count(), deploy.title, deploy.lead_time) == (50_000, "number 5000", 24 * 3600)
    assert list(check_all_targets(fix=False)) == []


def test_a_dry_run_says_it(ci: World) -> None:
    answer = ci.register(sha=SHA, email="jane", dry_run=True)

    said = "email left out: it must be an e-mail address"
    assert answer.json()["dropped"] == [said]
    assert answer.headers["X-Dropped"] == said
    assert ci.register(sha=SHA, dry_run=True).json()["dropped"] == []


def test_the_request_log_says_it(ci: World, page: Client) -> None:
    ci.register(sha=SHA, email="jane")
    ci.register(sha="other")
    said, silent = log()

    shown = page.get(url("request", call_id=said.pk)).content.decode()
    assert "need not be rejected: email left out: it must be an e-mail address</p>" in shown
    assert "need not be rejected" not in page.get(url("request", call_id=silent.pk)).content.decode()

    Deploy.objects.all().delete()
    page.post(url("replay-request", call_id=said.pk))
    assert Call.objects.latest("id").dropped == said.dropped


def test_a_repeated_call_hears_it_again(ci: World) -> None:
    key = {"Idempotency-Key": "k"}

    first, again = (ci.register(sha=SHA, email="jane", headers=key) for _ in range(2))

    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["X-Dropped"] == first.headers["X-Dropped"]


def test_forms(ci: World) -> None:
    answer = call(ci.path, f"sha={SHA}&email=jane", content_type=FORM, headers=bearer(ci.secret))

    assert answer.headers["X-Dropped"] == "email left out: it must be an e-mail address"


def test_a_token_within_a_detail_is_told_but_not_where_the_call_has_its_own(ci: World) -> None:
    body = json.dumps({"sha": SHA, "api_key": ci.secret, "links": {"a": f"https://a.example.com/{ci.secret}"}})

    answer = call(ci.path, body)

    assert answer.headers["X-Dropped"] == "links.a redacted where it looked like an access token"


# --- The other endpoints ---


def test_manual_changes(ci: World) -> None:
    fields = {"name": "a\tb" * 100, "author": "jane", "email": 1, "tags": ["#a", 1], "links": {"": "http://a.b"}}

    answer = ci.record(**fields, description="x" * 10_001, headers={"Prefer": "return=representation"})

    shown = answer.json()
    assert shown["name"] == ("a b" * 100)[:255]
    assert (shown["author"], shown["email"], shown["tags"], shown["links"]) == (None, None, ["#a"], {})
    assert len(shown["description"]) == 10_000
    assert shown["dropped"][:2] == ["name cleaned of control characters", "name cut at 255 characters"]
    assert "description cut at 10,000 characters" in shown["dropped"]
    assert answer.headers["X-Dropped"].startswith("name cleaned of control characters; name cut")
    assert ci.record(**fields, dry_run=True).json()["dropped"][1] == "name cut at 255 characters"
    assert ci.record(name="x", environment="y" * 101).status_code == 400


def test_sweetr(ci: World) -> None:
    fields = {
        "repositoryFullName": "acme/storefront",
        "environment": "production",
        "app": "storefront",
        "version": "v" * 71,
        "commitHash": SHA,
        "description": "d" * 256,
        "author": "Ann\n" + "a" * 300,
        "monorepoPath": "p" * 256,
    }

    answer = ci.register(path="/v1/deployments", **fields)

    assert answer.status_code == 202
    assert answer.headers["X-Dropped"] == (
        "version cut at 70 characters; description cut at 255 characters; author cleaned of control characters; "
        "author cut at 255 characters; monorepoPath left out: it is 256 characters long, at most 255 are accepted"
    )
    deploy = Deploy.objects.get()
    assert (len(deploy.version), deploy.author_name) == (70, ("Ann " + "a" * 300)[:255])
    # Long versions that differ stay different.
    assert "X-Deploy-Id" in ci.register(path="/v1/deployments", **fields | {"version": "v" * 72}).headers
    assert Deploy.objects.count() == 2
    assert ci.register(path="/v1/deployments", **fields | {"commitHash": "a" * 71}).status_code == 422


def test_terraform(ci: World) -> None:
    notification: dict[str, Any] = {
        "payload_version": 1,
        "run_id": "no run",
        "run_url": "javascript:x",
        "run_message": "m" * 256,
        "run_created_by": 7,
        "notifications": [{"trigger": "run:completed", "run_updated_at": "2024-05-01T12:00:00Z"}],
    }

    answer = ci.register(path=f"{ci.path}?sha={SHA}", **notification)

    assert answer.status_code == 200
    assert answer.headers["X-Dropped"] == (
        "run_id left out: it must be the id of a run, such as run-CZcmD7eagjhyX0vN; "
        "run_url left out: it must be an http or https address; run_created_by left out: it must be text; "
        "run_message cut at 255 characters"
    )


def test_incidents(ci: World) -> None:
    reporter = make_reporter(ci, ImpactKind.INCIDENT)

    answer = reporter.post(type="triggered", id="1", title="t" * 256, url="u" * 2001)

    assert answer.status_code == 200
    assert answer.headers["X-Dropped"] == (
        "url left out: it is 2001 characters long, at most 2000 are accepted; title cut at 255 characters"
    )
    assert reporter.post(type="triggered", id="i" * 256).status_code == 400
