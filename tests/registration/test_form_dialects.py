"""Forms as PHP, Ruby, axios, curl and older clients write them."""

from urllib.parse import urlencode

import pytest

from deployments.models import Deploy, ManualChange
from tests.calls import FORM, JSON, MULTIPART, SHA, bearer, call, multipart
from tests.conftest import World
from tests.registration.requests import log
from tests.registration.test_sweetr import REQUIRED


def deploy_of(ci: World, body: str | bytes, content_type: str | None = FORM, query: str = "") -> Deploy:
    answer = call(ci.path + query, body, content_type=content_type, headers=bearer(ci.secret))
    assert (answer.status_code, answer.content) == (200, b"Success"), answer.content
    return Deploy.objects.get(pk=answer.headers["X-Deploy-Id"])


# --- Lists and objects ---


@pytest.mark.parametrize(
    "pairs",
    [
        [("tags[]", "#a"), ("tags[]", "#b")],
        [("tags[0]", "#a"), ("tags[1]", "#b")],
        [("tags[10]", "#b"), ("tags[9]", "#a")],
        [("tags", "#a"), ("tags[]", "#b")],
        [("tags[]", "#a,#b")],
        [("tags", "#a"), ("tags", "#b")],
    ],
)
def test_tags(ci: World, pairs: list[tuple[str, str]]) -> None:
    bodies: list[tuple[str | bytes, str]] = [
        (urlencode([("sha", "v0"), *pairs]), FORM),
        (multipart(("sha", "v1"), *pairs), MULTIPART),
    ]
    for body, content_type in bodies:
        deploy = deploy_of(ci, body, content_type)
        assert [tag.name for tag in deploy.tags.order_by("name")] == ["a", "b"]


def test_links(ci: World) -> None:
    pairs = [("sha", SHA), ("links[build]", "http://x/1"), ("links[log]", "http://x/2")]

    deploy = deploy_of(ci, urlencode(pairs))

    assert list(deploy.links.values_list("name", "url")) == [("build", "http://x/1"), ("log", "http://x/2")]


@pytest.mark.parametrize("index", [("0", "1"), ("", "")])
def test_commits(ci: World, index: tuple[str, str]) -> None:
    pairs = [
        (f"commits[{index[0]}][revision]", "a"),
        (f"commits[{index[1]}][revision]", "b"),
        (f"commits[{index[0]}][author][name]", "Ann"),
        (f"commits[{index[1]}][author][name]", "Bot"),
        (f"commits[{index[0]}][author][email]", ""),
        (f"commits[{index[1]}][author][email]", "1+bot@example.com"),
    ]

    deploy = deploy_of(ci, urlencode([("sha", SHA), *pairs], safe="+"))

    assert list(deploy.commits.values_list("revision", "author_name", "author_email")) == [
        ("a", "Ann", ""),
        ("b", "Bot", "1+bot@example.com"),
    ]


@pytest.mark.parametrize("name", ["tags[", "tags]", "[tags]", "tags[a][b][c][d][e][f]", "links[a", "a[b]c"])
def test_names_that_are_no_such_lists_are_unknown_fields(ci: World, name: str) -> None:
    assert not deploy_of(ci, urlencode({"sha": SHA, name: "#a"})).tags.exists()


# --- E-mail addresses ---

BOT = "49699333+dependabot[bot]@users.noreply.github.com"


@pytest.mark.parametrize("sent", [BOT, BOT.replace("+", "%2B"), BOT.replace("+", "%20")])
def test_the_plus_of_an_address(ci: World, sent: str) -> None:
    assert deploy_of(ci, f"sha=a&email={sent}").author_email == BOT
    assert deploy_of(ci, "sha=b", query=f"?email={sent}").author_email == BOT


def test_a_name_and_its_blanks_stay(ci: World) -> None:
    call("/v1/deployments", urlencode(REQUIRED | {"author": "Jane Doe"}), content_type=FORM, headers=bearer(ci.secret))

    assert Deploy.objects.get().author_name == "Jane Doe"


# --- Charsets ---

UMLAUTS = "Größe – 5 €"


@pytest.mark.parametrize("content_type", [JSON, FORM, "text/plain", None, MULTIPART])
def test_text_without_a_charset_that_is_no_utf_8_is_windows_1252(ci: World, content_type: str | None) -> None:
    path = ci.manual_path
    if content_type == MULTIPART:
        body = multipart(("name", UMLAUTS.encode("cp1252")))
    elif content_type == JSON:
        body = f'{{"name": "{UMLAUTS}"}}'.encode("cp1252")
    else:
        body = f"name={UMLAUTS}".encode("cp1252")

    answer = call(path, body, content_type=content_type, headers=bearer(ci.secret))

    assert answer.status_code == 200, answer.content
    assert ManualChange.objects.get().name == UMLAUTS
    (line,) = log()
    assert UMLAUTS in line.body or content_type == MULTIPART


def test_percent_encoded_too(ci: World) -> None:
    body = urlencode({"name": UMLAUTS}, encoding="cp1252")

    assert call(ci.manual_path, body, content_type=FORM, headers=bearer(ci.secret)).status_code == 200
    assert ManualChange.objects.get().name == UMLAUTS


@pytest.mark.parametrize("content_type", [f"{JSON}; charset=utf-8", f"{FORM};charset=UTF-8"])
def test_a_charset_that_is_named_is_binding(ci: World, content_type: str) -> None:
    for body in (UMLAUTS.encode("cp1252"), b"name=%fc"):
        answer = call(ci.manual_path, body, content_type=content_type, headers=bearer(ci.secret))
        assert answer.status_code == 400


def test_bytes_that_are_no_text_are_rejected(ci: World) -> None:
    answer = call(ci.path, b"sha=\x81\xff", content_type=FORM, headers=bearer(ci.secret))

    assert (answer.status_code, answer.content) == (400, b"The body is not text in 'utf-8': send it as UTF-8.")


# --- Line breaks and white space ---


def test_the_line_breaks_of_forms(ci: World) -> None:
    pairs = [("name", "x"), ("description", "one\r\ntwo\nthree")]
    for body, content_type in ((multipart(*pairs), MULTIPART), (urlencode(pairs), FORM)):
        assert call(ci.manual_path, body, content_type=content_type, headers=bearer(ci.secret)).status_code == 200
    assert {change.description for change in ManualChange.objects.all()} == {"one\ntwo\nthree"}


@pytest.mark.parametrize("blank", ["\ufeff", "\u200b \ufeff", "\x1c", "\x85", "\u2060"])
def test_what_is_blank_is_absent_everywhere(ci: World, blank: str) -> None:
    fields = dict.fromkeys(("environment", "branch", "tags", "links", "email", "commits", "files", "date"), blank)

    answer = ci.register(sha=f"{blank}abc", pull_requests=blank, **fields)

    assert (answer.status_code, "X-Dropped" in answer.headers) == (200, False)
    assert Deploy.objects.get().sha == "abc"
    assert ci.register(sha=blank).content == b"sha is required."
    assert ci.record(name=blank).content == b"Name is required."
    answer = ci.register(path="/v1/deployments", **REQUIRED | {"app": blank})
    assert answer.json()["validationErrors"] == {"app": "app is required."}
