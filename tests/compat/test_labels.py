"""Content types as no client should send them, through the application that the server runs."""

import io
from typing import Any

import pytest

from config.wsgi import application
from tests.calls import SHA, count_rows
from tests.conftest import World


def post(ci: World, content_type: str) -> tuple[int, str, str]:
    """The status, content type and body of the answer."""
    body = f'{{"sha": "{SHA}"}}'.encode()
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
