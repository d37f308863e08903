"""Bodies, labels and headers that cannot be read. The answer says so in a sentence and nothing is stored."""

import gzip
import json
from typing import Any

import pytest
from pytest_django import Settings

from deployments.impacts.sources import register_path
from deployments.models import ImpactKind
from tests.calls import BOUNDARY, FORM, JSON, MULTIPART, SHA, assert_sentence, bearer, call, count_rows, multipart
from tests.conftest import World
from tests.factories import make_impact_source, make_token
from tokens.scopes import Scope

PLAIN = json.dumps({"sha": SHA}).encode()
PARTS = multipart(("sha", SHA), ("environment", "staging"))
# A lone surrogate as UTF-8 would write it, if it might.
SURROGATE = b"\xed\xa0\x80"


def refuse(ci: World, body: bytes | str, content_type: str | None = JSON, query: str = "", **headers: str) -> str:
    """Post it, and see that it is refused without a trace; gives the sentence."""
    before = count_rows()

    names = {name.replace("_", "-"): value for name, value in headers.items()}
    response = call(ci.path + query, body, content_type=content_type, headers=bearer(ci.secret) | names)

    assert response.status_code == 400, response.content
    assert count_rows() == before
    return assert_sentence(response)


UNREADABLE: dict[str, tuple[bytes, str | None]] = {
    "nothing": (b"", JSON),
    "nothing in a form": (b"", FORM),
    "nothing in multipart": (b"", MULTIPART),
    "nothing at all": (b"", None),
    "white space": (b" \r\n\t", JSON),
    "white space in a form": (b" \r\n", FORM),
    "a byte-order mark": (b"\xef\xbb\xbf", JSON),
    "cut off": (PLAIN[:-1], JSON),
    "cut off in a text": (PLAIN[:-3], JSON),
    "cut off in an escape": (b'{"sha": "\\u00', JSON),
    "two objects": (PLAIN + PLAIN, JSON),
    "something behind": (PLAIN + b"x", JSON),
    "a trailing comma": (b'{"sha": "a",}', JSON),
    "single quotes": (b"{'sha': 'a'}", JSON),
    "names without quotes": (b'{sha: "a"}', JSON),
    "comments": (b'{"sha": "a" /* x */}', JSON),
    "a raw newline in a text": (b'{"sha": "a\nb"}', JSON),
    "an unknown escape": (b'{"sha": "\\x41"}', JSON),
    "a number as name": (b'{1: "a"}', JSON),
    "a list": (b'["sha"]', JSON),
    "a list of objects": (b"[" + PLAIN + b"]", JSON),
    "an empty list": (b"[]", JSON),
    "a list, not labelled": (b"[" + PLAIN + b"]", None),
    "a list as a form": (b"[" + PLAIN + b"]", FORM),
    "a text": (b'"sha"', JSON),
    "a number": (b"1", JSON),
    "true": (b"true", JSON),
    "null": (b"null", JSON),
    "xml": (b"<sha>a</sha>", "application/xml"),
    "html": (b"<html>sha</html>", "text/html"),
    "yaml": (b"sha: a\n", "application/yaml"),
    "a form's text without a sha": (b"nonsense", "text/plain"),
    "form pairs as json": (f"sha={SHA}".encode(), JSON),
    "utf-16 without a label": (PLAIN.decode().encode("utf-16"), JSON),
    "utf-32 without a label": (PLAIN.decode().encode("utf-32"), JSON),
    "utf-8 as utf-16": (PLAIN, "application/json; charset=utf-16"),
    "too many pairs": (b"sha=a" + b"&a=1" * 1000, FORM),
    "too many separators": (b"sha=a" + b"&" * 1000, FORM),
    "multipart without a boundary": (PARTS, "multipart/form-data"),
    "multipart with an empty boundary": (PARTS, "multipart/form-data; boundary="),
    "multipart with another boundary": (PARTS, "multipart/form-data; boundary=other"),
    "multipart with a boundary outside ASCII": (PARTS, "multipart/form-data; boundary=é"),
    "multipart with a boundary too long": (PARTS, "multipart/form-data; boundary=" + "x" * 300),
    "multipart with a boundary of spaces": (PARTS, 'multipart/form-data; boundary="   "'),
    "multipart, cut off in the end": (PARTS.rstrip()[:-1], MULTIPART),
    "multipart, cut off in a value": (PARTS[: PARTS.index(SHA.encode()) + 7], MULTIPART),
    "multipart, cut off in a header": (PARTS[:70], MULTIPART),
    "multipart with too many parts": (multipart(*[("a", "b")] * 1005, ("sha", SHA)), MULTIPART),
    "multipart with too many files": (multipart(*[('a"; filename="b', "c")] * 101, ("sha", SHA)), MULTIPART),
    "multipart with the sha as a file": (multipart(('sha"; filename="sha.txt', SHA)), MULTIPART),
    "multipart without names": (PARTS.replace(b"; name=", b"; x="), MULTIPART),
    "multipart without headers": (f"--{BOUNDARY}\r\n\r\n{SHA}\r\n--{BOUNDARY}--".encode(), MULTIPART),
    "multipart of nothing": (f"--{BOUNDARY}--\r\n".encode(), MULTIPART),
    "multipart of another kind": (PARTS, MULTIPART.replace("form-data", "mixed")),
    "multipart, a name in an unknown charset": (
        PARTS.replace(b'name="sha"', b"name*=no-such''sha"),
        MULTIPART,
    ),
    "multipart, a name in no charset": (PARTS.replace(b'name="sha"', b"name*=undefined''sha"), MULTIPART),
    "multipart, base64 that is none": (
        PARTS.replace(b'name="sha"\r\n', b'name="sha"; filename="a"\r\nContent-Transfer-Encoding: base64\r\n'),
        MULTIPART,
    ),
    **{
        f"a charset of {charset!r}": (PLAIN, f"application/json; charset={charset}")
        for charset in ("zip", "bz2", "hex", "base64", "rot13", "uu", "quopri", "idna", "punycode", "unicode_escape",
                        "raw_unicode_escape", "undefined", "utf-7", "mbcs", "oem", "nonsense", "x" * 500, "..", "0")
    },
}  # fmt: skip


# Jenkins' httpRequest, Perl's LWP and Windows PowerShell send windows-1252 and do not say so.
WINDOWS_1252: dict[str, tuple[bytes, str]] = {
    "a byte that is no utf-8": (b'{"sha": "\xff"}', JSON),
    "a byte that is no utf-8 in a name": (b'{"sha": "a", "\xff": 1}', JSON),
    "half a character": (b'{"sha": "\xc3"}', JSON),
    "an over-long form of a character": (b'{"sha": "\xc0\x80"}', JSON),
    "a surrogate in utf-8": (b'{"sha": "' + SURROGATE + b'"}', JSON),
    "latin-1 without a label": ('{"sha": "é"}'.encode("latin-1"), JSON),
    "a form that is no utf-8": (b"sha=\xff", FORM),
    "a form that is no utf-8, escaped": (b"sha=a&x=%ff", FORM),
    "a surrogate in a form": (b"sha=%ed%a0%80", FORM),
    "a name in a form that is no utf-8": (b"sha=a&%ff=x", FORM),
    "multipart that is no utf-8": (multipart(("sha", b"\xff")), MULTIPART),
    "a surrogate in multipart": (multipart(("sha", SURROGATE)), MULTIPART),
}


@pytest.mark.parametrize("case", WINDOWS_1252)
def test_bytes_that_are_no_utf_8_are_windows_1252(ci: World, case: str) -> None:
    body, content_type = WINDOWS_1252[case]
    response = call(ci.path, body, content_type=content_type, headers=bearer(ci.secret))

    assert (response.status_code, response.content) == (200, b"Success")


@pytest.mark.parametrize("case", [case for case in WINDOWS_1252 if WINDOWS_1252[case][1] == JSON])
def test_a_charset_that_is_named_is_binding(ci: World, case: str) -> None:
    body, content_type = WINDOWS_1252[case]
    refuse(ci, body, f"{content_type}; charset=utf-8")


def test_what_cannot_be_read(ci: World, subtests: pytest.Subtests) -> None:
    for case in UNREADABLE:
        with subtests.test(case=case):
            refuse(ci, *UNREADABLE[case])


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ('{"sha": abc}', "Expecting value at line 1 column 9: write a value there, and text in double quotes."),
        (
            "{sha: 1}",
            "Expecting property name enclosed in double quotes at line 1 column 2: put names in double quotes",
        ),
        ('{"sha" 1}', "Expecting ':' delimiter at line 1 column 8: put a colon between a name and its value."),
        ('{"sha": "a" "b": 1}', "Expecting ',' delimiter at line 1 column 13: put a comma between members"),
        ('{"sha": "a', "Unterminated string starting at line 1 column 9: end the text with a double quote."),
        ('{"sha": "a"}\nx', "Extra data at line 2 column 1: send one object and nothing behind it."),
        ('{"sha": "a\nb"}', "Invalid control character at line 1 column 11: write a line break within text as \\n"),
        ('{"sha": "C:\\x"}', "Invalid \\escape at line 1 column 12: write a backslash within text as two."),
        ('{"sha": NaN}', "NaN is no finite number: send one, or null for none."),
        ('{"sha": 1e999}', "1e999 is no finite number: send one, or null for none."),
    ],
)
def test_what_is_no_json_is_told_how_it_becomes_some(body: str, sentence: str, ci: World) -> None:
    assert refuse(ci, body).startswith(f"The body is not JSON: {sentence}")


def test_what_to_send_is_told_in_the_words_of_the_endpoint(ci: World, settings: Settings) -> None:
    incidents = make_impact_source(ci.project, ImpactKind.INCIDENT, "Alerts")
    metric = make_impact_source(ci.project, ImpactKind.METRIC, "Errors")
    _, secret = make_token(ci.organization, Scope.ALL)
    for path, field, less in (
        (ci.path, "sha", "send fewer commits or files"),
        (ci.manual_path, "name", "send less"),
        (f"/api/1/impact/{metric.pk}/register_impact", "value", "send less"),
        (register_path(incidents), "type", "send less"),
        ("/v1/deployments", "commitHash", "send less"),
        ("/graphql", "query", "send less"),
        ("/api/1/organizations/acme/live", "api_key", "send less"),
    ):
        method = "GET" if field == "api_key" else "POST"
        headers = {} if field == "api_key" else bearer(secret)
        settings.MAX_BODY_BYTES = 1000
        listed = call(path, "[]", method=method, headers=headers).content.decode()
        settings.MAX_BODY_BYTES = 1
        large = call(path, "[]", method=method, headers=headers).content.decode()

        assert f'The body is not a JSON object: send {{"{field}": "…"}}.' in listed.replace('\\"', '"').replace(
            "\\u2026", "…"
        )
        assert f"The body is larger than 1 bytes: {less}." in large


NULS: dict[str, dict[str, Any]] = {
    "sha": {"sha": "a\0b"},
    "sha at the end": {"sha": "a\0"},
    "environment": {"environment": "\0"},
    "branch": {"branch": "a\0"},
    "date": {"date": "2024-05-01\0"},
}  # fmt: skip


def test_nul_and_half_surrogates(ci: World, subtests: pytest.Subtests) -> None:
    for case in NULS:
        with subtests.test(case=case):
            escaped = json.dumps({"sha": SHA} | NULS[case])
            assert "contains a NUL character" in refuse(ci, escaped)
            assert "not JSON" in refuse(ci, escaped.replace("\\u0000", "\0"))
            for surrogates in ("\\ud800", "\\udfff", "\\ud83d x", "\\udc00\\ud800"):
                assert "half a surrogate pair" in refuse(ci, escaped.replace("\\u0000", surrogates))


def test_nul_in_forms_and_queries(ci: World, subtests: pytest.Subtests) -> None:
    for name in ["sha", "environment", "branch"]:
        with subtests.test(name=name):
            assert "contains a NUL character" in refuse(ci, f"sha={SHA}&{name}=a%00b", FORM)
            assert "contains a NUL character" in refuse(ci, f"sha={SHA}&{name}=a\0b", FORM)
            if name != "sha":
                assert f"{name} contains a NUL character" in refuse(ci, PLAIN, query=f"?{name}=%00")
            assert "contains a NUL character" in refuse(ci, multipart(("sha", SHA), (name, "a\0")), MULTIPART)


def test_queries(ci: World, subtests: pytest.Subtests) -> None:
    for query in ["?x=%ff", "?%ff=x", "?environment=%ed%a0%80", "?x=%c3", "?" + "&".join(["a=1"] * 1100)]:
        with subtests.test(query=query):
            assert "query string" in refuse(ci, PLAIN, query=query)


NESTED = {
    "lists": lambda depth: "[" * depth + "]" * depth,
    "objects": lambda depth: '{"a":' * depth + "1" + "}" * depth,
    "both": lambda depth: '[{"a":' * depth + "1" + "}]" * depth,
    "lists that do not end": lambda depth: "[" * depth,
    "objects that do not end": lambda depth: '{"a":' * depth,
}


def test_nesting(ci: World, subtests: pytest.Subtests) -> None:
    for kind in NESTED:
        for depth in [65, 1000, 100_000, 3_000_000]:
            with subtests.test(kind=kind, depth=depth):
                nested = NESTED[kind](depth)
                for body in (
                    nested,
                    f'{{"sha": "{SHA}", "unknown": {nested}}}',
                    f'{{"sha": "{SHA}", "commits": {nested}}}',
                ):
                    if len(body) < 16_000_000:
                        refuse(ci, body)


def test_numbers_past_64_bits_anywhere(ci: World, subtests: pytest.Subtests) -> None:
    for number in (str(2**63), str(-(2**63) - 1), "1" + "0" * 30, "9" * 5000, "-" + "9" * 5000):
        for unknown in (number, f"[{number}]", f'{{"a": [{number}]}}'):
            with subtests.test(unknown=unknown[:40]):
                assert refuse(ci, f'{{"sha": "{SHA}", "unknown": {unknown}}}').endswith("send numbers up to 64 bits.")


def test_numbers_of_64_bits_are_fine(ci: World) -> None:
    body = f'{{"sha": "{SHA}", "unknown": [{2**63 - 1}, {-(2**63)}, 1e300, 12345678901234567890.5]}}'
    assert call(ci.path, body, headers=bearer(ci.secret)).content == b"Success"


def test_nesting_that_is_fine(ci: World) -> None:
    body = f'{{"sha": "{SHA}", "unknown": {NESTED["lists"](60)}}}'
    assert call(ci.path, body, headers=bearer(ci.secret)).content == b"Success"


@pytest.mark.parametrize("content_type", [JSON, FORM, MULTIPART, "text/plain", None])
def test_a_body_above_the_limit(content_type: str | None, ci: World, settings: Settings) -> None:
    settings.MAX_BODY_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2000
    body = {MULTIPART: multipart(("sha", SHA), ("filling", "")), FORM: f"sha={SHA}&filling=".encode()}.get(
        str(content_type), PLAIN
    )
    before = count_rows()
    for length, status in ((2001, 413), (2000, 200)):
        filling = (b"x" if b"filling" in body else b" ") * (length - len(body))
        middle = body.index(b"filling") + 12 if content_type == MULTIPART else len(body)

        response = call(
            ci.path, body[:middle] + filling + body[middle:], content_type=content_type, headers=bearer(ci.secret)
        )

        assert response.status_code == status, response.content
        if status == 413:
            assert assert_sentence(response).startswith("The body is larger than 2000 bytes")
            assert count_rows() == before


def test_the_limit_is_16_mb(ci: World) -> None:
    before = count_rows()
    for length, status in ((16 * 1024 * 1024, 400), (16 * 1024 * 1024 + 1, 413), (10**12, 413), (10**40, 413)):
        # The length is believed: no more than it says is ever read.
        body = b"x" * min(length, 2**24 + 1)
        response = call(ci.path, body, headers=bearer(ci.secret), CONTENT_LENGTH=str(length))
        assert response.status_code == status
    assert count_rows() == before


def test_lengths_that_are_none(ci: World, subtests: pytest.Subtests) -> None:
    for length in ["", "0", "-1", "x", "1.5", "²", "9" * 5000]:
        with subtests.test(length=length):
            before = count_rows()
            response = call(ci.path, PLAIN, headers=bearer(ci.secret), CONTENT_LENGTH=length)
            assert response.status_code == 400
            assert assert_sentence(response)
            assert count_rows() == before


def test_compressed_bodies(ci: World, subtests: pytest.Subtests) -> None:
    for encoding in ["deflate", "br", "zstd", "gzip, gzip", "nonsense\xff"]:
        with subtests.test(encoding=encoding):
            before = count_rows()
            response = call(ci.path, PLAIN, headers=bearer(ci.secret) | {"Content-Encoding": encoding})
            assert response.status_code == 415
            assert "send the body uncompressed" in assert_sentence(response)
            assert count_rows() == before


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
def test_gzip_is_unpacked(ci: World, encoding: str) -> None:
    headers = bearer(ci.secret) | {"Content-Encoding": encoding}
    assert call(ci.path, gzip.compress(PLAIN), headers=headers).status_code == 200


def test_gzip_that_is_none_or_not_whole(ci: World, subtests: pytest.Subtests) -> None:
    whole = gzip.compress(PLAIN)
    for body in (PLAIN, b"x", whole[:-1], whole[:12], whole + b"x", whole + whole):
        with subtests.test(body=body):
            assert "gzip" in refuse(ci, body, Content_Encoding="gzip")


def test_gzip_has_the_limit_of_its_content(ci: World, settings: Any) -> None:
    settings.MAX_BODY_BYTES = 5000
    headers = bearer(ci.secret) | {"Content-Encoding": "gzip"}
    response = call(ci.path, gzip.compress(PLAIN + b" " * 100_000_000, 9)[:4000], headers=headers)
    assert response.status_code == 413
    assert "when it is unpacked" in assert_sentence(response)


def test_idempotency_keys(ci: World, subtests: pytest.Subtests) -> None:
    for key in ["", " ", "a" * 256, "é", "a\tb", "\x00", "\x7f", "\ud83d"]:
        with subtests.test(key=key):
            if key != " ":
                assert "Idempotency-Key" in refuse(ci, PLAIN, Idempotency_Key=key)


def test_the_refused_can_be_corrected(ci: World) -> None:
    """A refusal remembers nothing, not even under a key."""
    headers: dict[str, Any] = {"Idempotency_Key": "k"}
    for body in (b"{", b'{"sha": 1}', b'{"sha": "a", "environment": "prod"}', b'{"sha": "a", "date": "x"}'):
        refuse(ci, body, **headers)
    corrected = call(ci.path, PLAIN, headers=bearer(ci.secret) | {"Idempotency-Key": "k"})
    assert (corrected.status_code, corrected.content) == (200, b"Success")


def test_who_calls_is_asked_first(ci: World) -> None:
    """A body is only read before the token is known where the token may be in it."""
    for body in (b"{", b"[]", b"\xff", b'{"sha": "a\\u0000"}'):
        assert call(ci.path, body, headers=bearer("gum_wrong")).status_code == 401
        assert call(ci.path, body, headers=bearer(ci.secret)).status_code == 400
    for body in (b"{", b"\xff"):
        assert call(ci.path, body).status_code == 400
    too_many = "?" + "&".join(["a=1"] * 1100)
    assert "query string" in assert_sentence(call(ci.path + too_many, b"{}"))


def large_body(**first: str) -> bytes:
    names = {f"name{number}": number for number in range(20_000)}
    return json.dumps({**first, **names, "sha": SHA}).encode()


def test_a_large_body_of_a_stranger_is_not_read(ci: World) -> None:
    """It would take long, so the token is found without that; who has one is told what is wrong with the body."""
    unreadable = b"{" + large_body()[1:-1]
    for body in (unreadable, large_body(), large_body(api_key="unknown")[:-1], large_body(api_key="unknown")):
        assert call(ci.path, body).status_code == 401
    assert call(ci.path, unreadable, headers=bearer(ci.secret)).status_code == 400
    assert call(ci.path, large_body(api_key=ci.secret)[:-1]).status_code == 400
    assert call(ci.path, large_body(api_key=ci.secret)).status_code == 200


@pytest.mark.parametrize("charset", ["utf-8", "utf-16"])
def test_a_large_body_may_hold_its_token_anywhere(ci: World, charset: str) -> None:
    message = json.dumps({"api_key": "of another"})
    body = json.dumps({"commits": [{"revision": SHA, "message": message * 5000}], "sha": SHA, "api_key": ci.secret})
    label = f"application/json; charset={charset}"
    assert call(ci.path, body.encode(charset), content_type=label).status_code == 200


def test_json_with_very_many_names(ci: World) -> None:
    body = b"{%s}" % b",".join(b'"%d":0' % number for number in range(600_001))
    assert refuse(ci, body) == "The body has too many values: send fewer commits or files."
