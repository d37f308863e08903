"""Encodings and labels of the body: what is read, and what is stored of it."""

import json
from typing import Any

import pytest

from deployments.models import Deploy
from tests.calls import FORM, JSON, MULTIPART, SHA, assert_sentence, bearer, call, multipart
from tests.conftest import World

PLAIN = json.dumps({"sha": SHA, "environment": "staging"}).encode()
PRETTY = json.dumps({"sha": SHA, "environment": "staging"}, indent=2).encode()
PAIRS = f"sha={SHA}&environment=staging".encode()
BOM = b"\xef\xbb\xbf"

READ: dict[str, tuple[bytes, str | None]] = {
    "json": (PLAIN, JSON),
    "json in utf-8": (PLAIN, "application/json; charset=utf-8"),
    "json in UTF-8, as .NET labels it": (PLAIN, "application/json; charset=UTF-8"),
    "json, no space": (PLAIN, "application/json;charset=utf-8"),
    "json, quoted charset": (PLAIN, 'application/json; charset="utf-8"'),
    "json, utf8": (PLAIN, "application/json; charset=utf8"),
    "json, other parameters": (PLAIN, "application/json; odata=verbose; charset=utf-8; v=1"),
    "json, label in upper case": (PLAIN, "APPLICATION/JSON"),
    "json of a vendor": (PLAIN, "application/vnd.api+json"),
    "json in latin-1": (PLAIN, "application/json; charset=iso-8859-1"),
    "json in ascii": (PLAIN, "application/json; charset=us-ascii"),
    "json in windows-1252": (PLAIN, "application/json; charset=windows-1252"),
    "json in utf-16": (PLAIN.decode().encode("utf-16"), "application/json; charset=utf-16"),
    "json, pretty-printed": (PRETTY, JSON),
    "json, pretty-printed, CRLF": (PRETTY.replace(b"\n", b"\r\n"), JSON),
    "json, trailing newline": (PLAIN + b"\n", JSON),
    "json, white space around": (b"\r\n\t " + PRETTY + b" \r\n\r\n", JSON),
    "json with a byte-order mark": (BOM + PLAIN, JSON),
    "json with a byte-order mark, labelled": (BOM + PLAIN, "application/json; charset=utf-8"),
    "json as text": (PLAIN, "text/plain"),
    "json as text in utf-8": (PRETTY + b"\n", "text/plain;charset=UTF-8"),
    "json without a label": (PLAIN, None),
    "json under an empty label": (PLAIN, ""),
    "json as bytes": (PLAIN, "application/octet-stream"),
    "json under what is no label": (PLAIN, "json"),
    "json under white space": (PLAIN, "  "),
    "json from curl -d": (PRETTY, FORM),
    "json from curl -d, byte-order mark": (BOM + PLAIN, FORM),
    "form": (PAIRS, FORM),
    "form in UTF-8": (PAIRS, f"{FORM}; charset=UTF-8"),
    "form, label in other case": (PAIRS, "Application/X-WWW-Form-URLEncoded"),
    "form, trailing newline": (PAIRS + b"\n", FORM),
    "form, white space around": (b" \r\n" + PAIRS + b"\r\n", FORM),
    "form with a byte-order mark": (BOM + PAIRS, FORM),
    "form, empty pairs": (b"&" + PAIRS.replace(b"&", b"&&") + b"&", FORM),
    "form, other order and unknown pairs": (b"x=1&y&" + PAIRS + b"&z=", FORM),
    "form as text": (PAIRS, "text/plain"),
    "form without a label": (PAIRS, None),
    "form, escaped": (f"sha=%{ord(SHA[0]):x}{SHA[1:]}&%65nvironment=STAGING".encode(), FORM),
    "multipart": (multipart(("sha", SHA), ("environment", "staging")), MULTIPART),
    "multipart, quoted boundary": (
        multipart(("sha", SHA), ("environment", "staging")),
        'multipart/form-data; boundary="------------------------da64ba5f586b62bf"',
    ),
    "multipart, label in other case": (
        multipart(("sha", SHA), ("environment", "staging")),
        MULTIPART.replace("multipart/form-data", "Multipart/Form-Data"),
    ),
    "multipart, charset": (multipart(("sha", SHA), ("environment", "staging")), MULTIPART + "; charset=utf-8"),
    "multipart, nothing behind the end": (multipart(("sha", SHA), ("environment", "staging")).rstrip(), MULTIPART),
    "multipart, something around": (
        b"preamble\r\n" + multipart(("sha", SHA), ("environment", "staging")) + b"epilogue\r\n",
        MULTIPART,
    ),
    "multipart with a file": (
        multipart(("sha", SHA), ("environment", "staging"), ('log"; filename="log.txt', b"\x00\xff\r\n" * 100)),
        MULTIPART,
    ),
    "multipart with unknown parts": (
        multipart(("é日本", "x"), ("sha", SHA), ("a b", ""), ("environment", "staging")),
        MULTIPART,
    ),
    "multipart, parts with types": (
        multipart(("sha", SHA), ("environment", "staging")).replace(
            b"\r\n\r\n", b"\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        ),
        MULTIPART,
    ),
}


def test_a_body_is_read_whatever_its_label(ci: World, subtests: pytest.Subtests) -> None:
    for case, (body, content_type) in READ.items():
        with subtests.test(case=case):
            deploy = register(ci, body, content_type)
            assert (deploy.sha, deploy.target.environment.slug) == (SHA, "staging")
            deploy.delete()


def register(ci: World, body: bytes | str, content_type: str | None = JSON) -> Deploy:
    response = call(ci.path, body, content_type=content_type, headers=bearer(ci.secret))
    assert (response.status_code, response.content) == (200, b"Success")
    return Deploy.objects.get()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (f"sha={SHA}&tags=#one,#two-2,#with_3", FORM),
        (f"sha={SHA}&tags=%23one,%23two-2,%23with_3", FORM),
        (f"sha={SHA}&tags=%23one%2C+%23two-2%2C+%23with_3", FORM),
        (f"sha={SHA}&tags=#one, #two-2 ,,#with_3,", FORM),
        (f"sha={SHA}&tags=#one&tags=#two-2&tags=#with_3", FORM),
        (multipart(("sha", SHA), ("tags", "#one,#two-2,#with_3")), MULTIPART),
        (multipart(("sha", SHA), ("tags", "#one"), ("tags", "#two-2,#with_3")), MULTIPART),
        (f'{{"sha": "{SHA}", "tags": "#one,#two-2,#with_3"}}', JSON),
        (f'{{"sha": "{SHA}", "tags": " #one ,\\n#two-2,\\n#with_3\\n"}}', JSON),
        (f'{{"sha": "{SHA}", "tags": ["#one", "#two-2", "#with_3"]}}', JSON),
        (f'{{"sha": "{SHA}", "tags": ["#one", "#two-2,#with_3", "", "#one"]}}', JSON),
    ],
)
def test_tags_in_every_spelling(body: bytes | str, content_type: str, ci: World) -> None:
    deploy = register(ci, body, content_type)

    assert [tag.name for tag in deploy.tags.all()] == ["one", "two-2", "with_3"]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (f"sha={SHA}&links=mylink=http://my.link/?a=b", FORM),
        (f"sha={SHA}&links=mylink%3Dhttp%3A%2F%2Fmy.link%2F%3Fa%3Db", FORM),
        (multipart(("sha", SHA), ("links", "mylink = http://my.link/?a=b")), MULTIPART),
        (f'{{"sha": "{SHA}", "links": "mylink=http://my.link/?a=b"}}', JSON),
        (f'{{"sha": "{SHA}", "links": {{"mylink": "http://my.link/?a=b"}}}}', JSON),
    ],
)
def test_links_in_every_spelling(body: bytes | str, content_type: str, ci: World) -> None:
    deploy = register(ci, body, content_type)

    assert list(deploy.links.values_list("name", "url")) == [("mylink", "http://my.link/?a=b")]


UNUSUAL = {
    "right to left": "שָׁלוֹם עולם",
    "an override": "a\u202eb\u202c",
    "combining characters": "Z̷͎a̴l̸g̷o̸",
    "beyond the first plane": "🚀👩‍👩‍👧‍👦𝔘",
    "not normalised": "e\u0301 ≠ é",
    "unusual spaces": "a\u00a0b\u2003c\u200bd",
    "line separators": "a\u2028b\u2029c",
    "private and last characters": "\ue000\ufffd\U0010ffff",
    "quotes": """'";--<script>alert(1)</script>%s{0}\\""",
}


@pytest.mark.parametrize("kind", UNUSUAL)
def test_unusual_text_is_stored_as_it_is(kind: str, ci: World) -> None:
    """In prose even what is a variable in a sha."""
    text, prose = UNUSUAL[kind], f"{UNUSUAL[kind]} `${{{{ x }}}}`"
    commit = {"revision": "r", "message": prose, "author": {"name": text}, "files": [text], "parents": [text]}
    fields: dict[str, Any] = {"sha": text, "branch": text, "commits": [commit], "links": {text: "https://example.com"}}

    for ascii_only in (True, False):
        deploy = register(ci, json.dumps(fields, ensure_ascii=ascii_only))
        deploy.refresh_from_db()
        stored = deploy.commits.get()
        assert {deploy.sha, deploy.branch, stored.author_name} == {text}
        assert stored.message == prose
        assert (stored.files, stored.parents, deploy.links.get().name) == ([text], [text], text)
        deploy.delete()


@pytest.mark.parametrize("kind", UNUSUAL)
def test_unusual_text_in_a_form(kind: str, ci: World) -> None:
    body = multipart(("sha", UNUSUAL[kind]))

    assert register(ci, body, MULTIPART).sha == UNUSUAL[kind]


def test_a_charset_is_honoured(ci: World) -> None:
    deploy = register(ci, '{"sha": "é€"}'.encode("cp1252"), "application/json; charset=windows-1252")

    assert deploy.sha == "é€"


LABELLED_WRONG = {
    "form pairs as json": (PAIRS, JSON, "form pairs"),
    "form pairs as json in utf-8": (PAIRS, "application/json; charset=utf-8", "form pairs"),
    "json as multipart": (PLAIN, MULTIPART, "multipart"),
    "form pairs as multipart": (PAIRS, MULTIPART, "multipart"),
}


@pytest.mark.parametrize("case", LABELLED_WRONG)
def test_a_wrong_label_is_named(case: str, ci: World) -> None:
    body, content_type, hint = LABELLED_WRONG[case]

    response = call(ci.path, body, content_type=content_type, headers=bearer(ci.secret))

    assert response.status_code == 400
    assert hint in assert_sentence(response)
    assert not Deploy.objects.exists()
