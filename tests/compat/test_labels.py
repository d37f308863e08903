"""Content types that no client should send, through the application that the server runs."""

import codecs
import encodings
import io
from typing import Any

import pytest

from config.wsgi import application
from deployments.request_log.writer import request_log
from tests.calls import SHA, count_rows
from tests.conftest import World


def post(ci: World, content_type: str, body: bytes = f'{{"sha": "{SHA}"}}'.encode()) -> tuple[int, str, str]:
    """The status, content type and body of the answer."""
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": ci.path,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": content_type,
        "HTTP_AUTHORIZATION": f"Bearer {ci.secret}",
    }
    answer: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        answer.update(status=int(status[:3]), content_type=dict(headers)["Content-Type"])

    text = b"".join(application(environ, start_response)).decode()
    return answer["status"], answer["content_type"], text


READ = [
    "application/json",
    "application/json; charset*=utf-8''utf-8",
    # Labels that cannot be read are none.
    "application/json; charset*=nonsense''utf-8",
    "application/json; charset*=undefined''x",
    "application/json; charset*=%00''x",
    "application/json; charset*0*=%00%00''x",
    "application/json; charset*=utf-8''%00",
    'application/json; charset="\0"',
    "multipart/form-data; boundary*=undefined''x",
    "multipart/form-data; boundary*=%00''x",
]
REFUSED = [
    "application/json; charset*=utf-8''zip",
    "multipart/form-data; boundary*=utf-8''%e9%00",
    "multipart/form-data; boundary=é",
    "multipart/form-data; boundary=" + "x" * 100_000,
]


@pytest.mark.django_db(transaction=True)  # Django closes its connections around a request
def test_content_types(ci: World, subtests: pytest.Subtests) -> None:
    before = count_rows()
    for content_type in REFUSED:
        with subtests.test(content_type=content_type[:80]):
            status, kind, text = post(ci, content_type)
            assert (status, kind) == (400, "text/plain; charset=utf-8")
            assert text.endswith(".")
    assert count_rows() == before
    for content_type in READ:
        with subtests.test(content_type=content_type):
            ci.organization.deploys.all().delete()
            assert post(ci, content_type) == (200, "text/plain; charset=utf-8", "Success")


LONG = "x" * 8000
FORM = f"--b\r\nContent-Disposition: form-data; name*={LONG[:900]}''sha\r\n\r\n{SHA}\r\n--b--\r\n".encode()


def names_kept_in_vain() -> set[str]:
    return {name for name, found in encodings._cache.items() if found is None}


@pytest.mark.django_db(transaction=True)
def test_nothing_is_kept_of_a_charset_that_nobody_knows(ci: World) -> None:
    before = names_kept_in_vain()

    status, _, text = post(ci, "application/json; charset=nonsense")
    assert (status, text) == (400, "The body is not text in 'nonsense': send it as UTF-8.")
    status, _, text = post(ci, f"application/json; charset={LONG}")
    assert (status, text) == (400, f"The body is not text in '{LONG[:40]}': send it as UTF-8.")
    assert post(ci, f"application/json; charset*={LONG}''utf-8")[0] == 200
    assert post(ci, "multipart/form-data; boundary=b", FORM)[0] == 400

    request_log.flush()
    assert names_kept_in_vain() == before


@pytest.mark.parametrize("name", ["UTF-8", "utf 8", "utf_8_sig", "ISO_8859-1:1987", "Windows-1252", "ansi_x3.4-1968"])
def test_charsets_are_known_by_all_their_names(name: str) -> None:
    assert codecs.lookup(name)
