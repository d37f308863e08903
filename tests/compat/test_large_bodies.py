"""The largest bodies that clients send, and bodies made to keep us busy."""

import json
import time
from typing import Any

import pytest

from deployments.api.views import MAX_BYTES_OF_STRANGERS
from deployments.models import Deploy
from tests.calls import FORM, JSON, MULTIPART, SHA, assert_sentence, bearer, call, count_rows, multipart
from tests.conftest import World

# Of a processor's time. The slowest takes a third of it; what these guard against took from ten seconds to minutes.
SECONDS = 9


def cli_body(commits: int, files: int, parents: int) -> dict[str, Any]:
    """As the Sleuth CLI sends it, with naive dates and ancestors for parents."""
    return {
        "sha": SHA,
        "environment": "production",
        "date": "2024-05-01T12:35:01.269676",
        "commits": [
            {
                "revision": f"{n:040x}",
                "message": f"change {n}\n",
                "author": {"name": "Jané", "email": "jane@example.com", "username": "jane@example.com"},
                "date": "2024-01-03T03:04:05+02:00",
                "files": [f"src/module{n}/file{m}.py" for m in range(files)],
                "parents": [f"{n * 1000 + m:040x}" for m in range(parents)],
                "url": f"https://example.com/{n:040x}",
            }
            for n in range(commits)
        ],
        "files": [
            {"path": f"src/file{m}.py", "url": f"https://example.com/{m}", "additions": 1, "deletions": 2}
            for m in range(files)
        ],
        "ignore_if_duplicate": "true",
        "pull_requests": [],
    }


def post(ci: World, body: bytes | str, content_type: str = JSON) -> Any:
    started = time.process_time()
    response = call(ci.path, body, content_type=content_type, headers=bearer(ci.secret))
    assert time.process_time() - started < SECONDS
    return response


def test_the_largest_body_of_the_cli(ci: World) -> None:
    body = json.dumps(cli_body(250, 200, 200))
    assert len(body) > 3_000_000

    for _ in range(2):
        assert post(ci, body).content == b"Success"

    deploy = Deploy.objects.get()
    assert (deploy.commit_count, deploy.file_count, deploy.additions, deploy.deletions) == (250, 200, 200, 400)
    last = deploy.commits.order_by("id").last()
    assert last is not None
    assert (len(last.files), len(last.parents), last.files[199]) == (200, 200, "src/module249/file199.py")
    assert deploy.lead_time == 119 * 86400 + 11 * 3600 + 30 * 60 + 56


def test_as_much_as_the_schema_admits(ci: World) -> None:
    fields = {
        "sha": SHA,
        "commits": [{"revision": str(n), "author": {"name": "a"}, "files": [], "parents": []} for n in range(5000)],
        "files": [{"path": f"{n}/a{'/b' * 20}"} for n in range(10_000)],
        "pull_requests": [{"number": n, "issue_keys": []} for n in range(5000)],
    }
    assert post(ci, json.dumps(fields)).content == b"Success"
    deploy = Deploy.objects.get()
    assert (deploy.commit_count, deploy.file_count, deploy.pull_request_count) == (5000, 10_000, 5000)


def filled(before: str, item: str, after: str, size: int = 16_000_000) -> str:
    return before + ",".join([item] * ((size - len(before)) // (len(item) + 1))) + after


HOSTILE: dict[str, tuple[Any, str]] = {
    "tiny commits": (lambda: filled('{"sha":"a","commits":[', '{"revision":"a"}', "]}"), JSON),
    "a few less": (lambda: filled('{"sha":"a","commits":[', '{"revision":"a"}', "]}", 2_400_000), JSON),
    "tiny files": (lambda: filled('{"sha":"a","files":[', '{"path":"a"}', "]}", 1_800_000), JSON),
    "tiny files of a commit": (lambda: filled('{"sha":"a","commits":[{"revision":"a","files":[', '"a"', "]}]}"), JSON),
    "lists": (lambda: filled('{"sha":"a","x":[', "[]", "]}"), JSON),
    "lists in lists": (lambda: filled('{"sha":"a","x":[', "[" * 50 + "]" * 50, "]}"), JSON),
    "objects as the sha": (lambda: filled('{"sha":[', "{}", "]}", 400_000), JSON),
    "zeros": (lambda: filled('{"sha":"a","x":[', "0", "]}"), JSON),
    "long numbers": (lambda: filled('{"sha":1,"x":[', "9" * 4299, "]}"), JSON),
    "names": (lambda: '{"sha":1' + "".join(f',"{n}":0' for n in range(900_000)) + "}", JSON),
    "tags": (lambda: f'{{"sha":"a","tags":"{"#a," * 5_000_000}"}}', JSON),
    "many tags": (lambda: json.dumps({"sha": "a", "tags": [",".join(f"#{n}" for n in range(900))] * 100}), JSON),
    "spaces around": (lambda: " " * 8_000_000 + '{"sha":1}' + " " * 8_000_000, JSON),
    "a sha of spaces": (lambda: f'{{"sha":"{" " * 15_000_000}"}}', JSON),
    "an e-mail address of at signs": (lambda: f'{{"sha":"a","email":"{"@" * 15_000_000}"}}', JSON),
    "a date of digits": (lambda: f'{{"sha":"a","date":"2024-05-01T12:35:01.{"1" * 15_000_000}"}}', JSON),
    "a link of slashes": (lambda: f'{{"sha":"a","links":{{"a":"http:{"/" * 15_000_000}"}}}}', JSON),
    "links as equal signs": (lambda: f'{{"sha":"a","links":"{"=" * 15_000_000}"}}', JSON),
    "escapes": (lambda: '{"sha":"' + "\\u0061" * 2_600_000 + '"}', JSON),
    "no end": (lambda: '{"sha":"' + "a" * 15_000_000, JSON),
    "quotes": (lambda: '{"sha":' + '"' * 15_000_000, JSON),
    "escapes in a form": (lambda: "sha=" + "%61" * 5_000_000, FORM),
    "pairs": (lambda: "sha=a" + "&a" * 7_000_000, FORM),
    "escapes in a short form": (lambda: "sha=" + "%61" * 330_000, FORM),
    "equal signs": (lambda: "sha=" + "=" * 15_000_000, FORM),
    "a part of newlines": (lambda: multipart(("sha", "\r\n" * 7_000_000)), MULTIPART),
    "a part of dashes": (lambda: multipart(("sha", "\r\n--" * 3_500_000)), MULTIPART),
    "parts": (lambda: multipart(*[("a", "")] * 100_000), MULTIPART),
    "a file": (lambda: multipart(('a"; filename="a', b"\0" * 15_000_000)), MULTIPART),
    "no part": (lambda: b"\r\n" * 7_000_000 + multipart(), MULTIPART),
}


# What is too much in these is a detail of the deploy.
ACCEPTED = (
    *("a few less", "tiny files", "many tags", "an e-mail address of at signs", "a link of slashes"),
    "links as equal signs",
)


def test_bodies_made_to_keep_us_busy(ci: World, subtests: pytest.Subtests) -> None:
    for case, (body, content_type) in HOSTILE.items():
        with subtests.test(case=case):
            before = count_rows()
            response = post(ci, body(), content_type)
            if case in ACCEPTED:
                assert response.status_code == 200
                assert response.headers["X-Dropped"]
                Deploy.objects.all().delete()
            else:
                assert response.status_code == 400
                assert_sentence(response)
                assert count_rows() == before


def test_paths_made_to_keep_us_busy(ci: World) -> None:
    for number, path in enumerate(("a/" * 2045, "migration" * 454, "db/" * 1364, "/" * 4090, "tf" * 2045)):
        commits = [{"revision": "a", "files": [f"{path}{n}" for n in range(2000)]}]
        assert post(ci, json.dumps({"sha": str(number), "commits": commits})).content == b"Success"


@pytest.mark.parametrize("charset", ["utf-8", "iso8859-1"])
def test_the_token_of_a_large_body_is_found_in_what_is_sent_without_a_label(ci: World, charset: str) -> None:
    message = "é" * MAX_BYTES_OF_STRANGERS
    body = f'{{"api_key": "{ci.secret}", "sha": "a", "commits": [{{"revision": "a", "message": "{message}"}}]}}'

    assert call(ci.path, body.encode(charset)).status_code == 200
    assert call(ci.path, body.replace(ci.secret, "gum_other").encode(charset)).status_code == 401
