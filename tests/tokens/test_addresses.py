"""Users and passwords in addresses, which CI systems write there, are neither stored nor logged."""

import json
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.models import Deploy
from tests.calls import FORM, MULTIPART, bearer, call, multipart
from tests.conftest import World
from tests.imports.importing import post_file
from tests.registration.requests import log
from tokens.secrets import redact, without_credentials, without_secrets

CLEANED = [
    ("https://gitlab-ci-token:glcbt-FAKE@gitlab.example.com/g/r", "https://gitlab.example.com/g/r"),
    ("https://ghp_FAKE@github.com/o/r.git", "https://github.com/o/r.git"),
    ("HTTP://user:p@ss:w%2Ford@host:8080/x?y=a@b#c@d", "HTTP://host:8080/x?y=a@b#c@d"),
    ("https://:pw@host", "https://host"),
    ("git+https://u:p@host/x", "git+https://host/x"),
    ("see https://a:b@c.d and (http://e:f@g.h)", "see https://c.d and (http://g.h)"),
    ("https://ci/?back=https%3A%2F%2Fu%3Ap%40host%2Fx", "https://ci/?back=https%3A%2F%2Fhost%2Fx"),
    (r"https:\/\/u:p\u0026w@host\/x", r"https:\/\/host\/x"),
    ("ssh://git:pw@host/x", "ssh://git@host/x"),
    ("ftp://u:p@host", "ftp://u@host"),
]
KEPT = [
    "ssh://git@github.com/o/r.git",
    "git@github.com:o/r.git",
    "https://github.com/o/r.git",
    "https://www.npmjs.com/package/@babel/core",
    "https://example.com/?mail=a@b.c",
    "https://example.com and jane@example.com",
    "jane@example.com",
    "http://[2001:db8::1]:443/@x",
    "",
]


@pytest.mark.parametrize(("text", "cleaned"), [*CLEANED, *((text, text) for text in KEPT)])
def test_addresses_lose_them(text: str, cleaned: str) -> None:
    assert without_credentials(text) == cleaned
    assert without_secrets({"a": [text]}) == {"a": [cleaned]}
    assert redact(text) == cleaned


NAMES = st.text("abcXYZ019-_.~!$&'()*+,;=%:@é", min_size=1)


@given(user=NAMES, path=st.text("ab/@:?#&= é"), prose=st.text("ab .,"))
def test_whatever_they_are(user: str, path: str, prose: str) -> None:
    address = f"https://{user}@git.example.com/{path}"

    cleaned = without_credentials(f"{prose} {address}")

    assert cleaned == f"{prose} https://git.example.com/{path}"
    assert urlsplit(cleaned.removeprefix(f"{prose} ")).username is None


SECRET = "glcbt-FAKE&1"
ADDRESS = f"https://ci:{SECRET}@ci.example.com/1"


def test_of_a_call_they_are_neither_stored_nor_logged(ci: World) -> None:
    body: dict[str, Any] = {
        "sha": "abc",
        "links": {"build": ADDRESS},
        "commits": [{"revision": "abc", "url": ADDRESS, "message": f"Fetch {ADDRESS}"}],
        "files": [{"path": "a", "url": ADDRESS}],
        "pull_requests": [{"number": 1, "url": ADDRESS, "title": f"See {ADDRESS}"}],
    }

    answer = ci.register(**body, headers={"Prefer": "return=representation"})

    assert SECRET not in answer.content.decode()
    assert answer.json()["links"] == {"build": "https://ci.example.com/1"}
    assert answer.json()["dropped"][0] == "links.build cleaned of the user and password of an address"
    assert (Deploy.objects.get().title, SECRET in log()[0].body) == ("Fetch https://ci.example.com/1", False)


def test_nor_in_any_encoding(ci: World) -> None:
    escaped = json.dumps({"sha": "a", "links": {"b": ADDRESS}}).replace("/", "\\/").replace("&", "\\u0026")
    for body, content_type, query in (
        (escaped, "application/json", ""),
        (urlencode({"sha": "b", "links": f"b={ADDRESS}"}), FORM, ""),
        (multipart(("sha", "c"), ("links", f"b={ADDRESS}")), MULTIPART, ""),
        ("sha=d", FORM, f"?links=b%3D{quote(ADDRESS, safe='')}"),
    ):
        answer = call(f"{ci.path}{query}", body, content_type=content_type, headers=bearer(ci.secret))
        assert answer.status_code == 200
        deploy = Deploy.objects.get(pk=answer.headers["X-Deploy-Id"])
        assert list(deploy.links.values_list("url", flat=True)) == ["https://ci.example.com/1"]
    assert all("FAKE" not in line.body + line.path for line in log())


def test_of_a_manual_change(ci: World) -> None:
    answer = ci.record(name="x", description=ADDRESS, links={"a": ADDRESS}, headers={"Prefer": "return=representation"})

    assert answer.json()["description"] == answer.json()["links"]["a"] == "https://ci.example.com/1"


def test_of_an_imported_history(ci: World) -> None:
    post_file(ci, f"sha,date,title\na,2026-11-01,See {ADDRESS}\n")

    assert Deploy.objects.get().title == "See https://ci.example.com/1"
