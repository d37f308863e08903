import io
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.http import UnreadablePostError
from django.test import override_settings

from config import wsgi

Post = Callable[..., WSGIRequest]


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Post:
    """Sends a body under headers, and returns the request that Django makes of it."""

    def send(sent: bytes, **headers: str) -> WSGIRequest:
        requests: list[WSGIRequest] = []

        def django_application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            requests.append(WSGIRequest(environ))
            _ = requests[0].body  # is there only until it is answered
            return []

        monkeypatch.setattr(wsgi, "django_application", django_application)
        environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "wsgi.input": io.BytesIO(sent), **headers}
        wsgi.application(environ, lambda *arguments: None)
        return requests[0]

    return send


def test_body_with_a_length(post: Post) -> None:
    assert post(b"sha=1, and the next call", CONTENT_LENGTH="5").body == b"sha=1"


@pytest.mark.parametrize("headers", [{}, {"CONTENT_LENGTH": ""}, {"CONTENT_LENGTH": "0"}])
def test_no_body(post: Post, headers: dict[str, str]) -> None:
    assert post(b"", **headers).body == b""


@pytest.mark.parametrize("encoding", ["chunked", "Chunked", "gzip, chunked"])
def test_chunked_body(post: Post, encoding: str) -> None:
    assert post(b"sha=1", HTTP_TRANSFER_ENCODING=encoding).body == b"sha=1"


def test_chunked_body_over_the_limit_is_over_the_limit(post: Post) -> None:
    with override_settings(MAX_BODY_BYTES=4):
        request = post(b"sha=1234", HTTP_TRANSFER_ENCODING="chunked")
    assert request.META["CONTENT_LENGTH"] == "5"


def test_half_a_body_is_no_body(post: Post) -> None:
    with pytest.raises(UnreadablePostError, match="The body ended 4 bytes early"):
        _ = post(b"sha=1", CONTENT_LENGTH="9").body


@pytest.mark.parametrize("sent", [b"a\nb\n", b"a\nb"])
def test_lines_of_a_body(sent: bytes) -> None:
    body = wsgi.WholeBody(io.BytesIO(sent), len(sent))
    assert body.readline(100) + body.readline(100) == sent
    assert body.readline(100) == b""


def test_lines_of_half_a_body() -> None:
    body = wsgi.WholeBody(io.BytesIO(b"a\nb"), 9)
    assert body.readline(100) == b"a\n"
    assert body.readline(100) == b"b"
    with pytest.raises(OSError, match="The body ended 6 bytes early"):
        body.readline(100)


@pytest.mark.parametrize(
    ("headers", "dropped"),
    [
        ({"CONTENT_LENGTH": "9"}, 9),
        ({"CONTENT_LENGTH": "34"}, 34),
        # So much is not on its way to somebody who waits for an answer.
        ({"CONTENT_LENGTH": "35"}, 0),
        ({"CONTENT_LENGTH": "80", "PATH_INFO": "/api/1/deployments/acme/storefront/import_deploys"}, 80),
        ({"CONTENT_LENGTH": "81", "PATH_INFO": "/api/1/deployments/acme/storefront/import_deploys"}, 0),
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, 35),
    ],
)
def test_what_nobody_read_is_taken_from_the_sender_up_to_a_bound(
    headers: dict[str, str], dropped: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wsgi, "MAX_BYTES_BEYOND", 30)
    monkeypatch.setattr(wsgi, "django_application", lambda environ, start_response: [])
    sent = io.BytesIO(b"x" * 100)

    with override_settings(MAX_BODY_BYTES=4, MAX_IMPORT_BYTES=50):
        wsgi.application({"PATH_INFO": "/", "wsgi.input": sent, **headers}, lambda *arguments: None)

    assert sent.tell() == dropped
