"""The WSGI application that the server loads: ``config.wsgi:application``."""

import codecs
import encodings
import os
import pkgutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from encodings.aliases import aliases
from typing import Any, BinaryIO

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# The route is written in deployments.api_urls.
IMPORT_PATH = "/import_deploys"
MAX_BYTES_IN_MEMORY = 1024 * 1024
READ_BYTES = 64 * 1024
# The rest of a body is read even if the answer does not need it: urllib, http.client and others send all of a body
# before they look for the answer, and lose the answer if the connection is closed meanwhile. A client that sends this
# much more than the limit is none of them.
MAX_BYTES_BEYOND = 64 * 1024 * 1024

KNOWN_CHARSETS = frozenset([*aliases, *(module.name for module in pkgutil.iter_modules(encodings.__path__))])


def find_known_charset(name: str) -> codecs.CodecInfo | None:
    """``name`` is as ``codecs.lookup`` normalizes it: in lower case, with underscores for punctuation."""
    return encodings.search_function(name) if name in KNOWN_CHARSETS else None


# Python never forgets an unknown name that it has looked for. Callers can send kilobytes of them: in the label of a
# body, and in each of the thousand parts of a form, where Django looks them up and has no hook for a check of ours.
codecs.unregister(encodings.search_function)
codecs.register(find_known_charset)


class Request(WSGIRequest):
    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        """Ignores a label that Django raises ValueError for, such as ``charset*=nonsense''x``.

        Nothing could answer the error here.
        """
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]
        except ValueError:
            self.content_type, self.content_params, meta["CONTENT_TYPE"] = "", {}, ""


class Handler(WSGIHandler):
    request_class = Request


django.setup(set_prefix=False)
django_application = Handler()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    sent = environ["wsgi.input"]
    if length := environ.get("CONTENT_LENGTH"):
        if length.isdigit() and length != "0":
            body = environ["wsgi.input"] = WholeBody(sent, int(length))
            answer = django_application(environ, start_response)
            if body.missing <= limit_of(environ) + MAX_BYTES_BEYOND:
                drop(sent, body.missing)
            return answer
    elif "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        with put_aside_chunked_body(environ):
            answer = django_application(environ, start_response)
        drop(sent, MAX_BYTES_BEYOND)
        return answer
    return django_application(environ, start_response)


def limit_of(environ: dict[str, Any]) -> int:
    is_import = environ.get("PATH_INFO", "").endswith(IMPORT_PATH)
    return int(settings.MAX_IMPORT_BYTES if is_import else settings.MAX_BODY_BYTES)


def drop(body: BinaryIO, most: int) -> None:
    while most > 0 and (data := body.read(min(most, READ_BYTES))):
        most -= len(data)


@contextmanager
def put_aside_chunked_body(environ: dict[str, Any]) -> Iterator[None]:
    """Measures a body of unknown length, since Django reads nothing without a Content-Length.

    Go's http client and Node's fetch send streams this way. At most one byte more than the limit is read, so that a
    body over the limit is recognized as such. A large body is kept on disk.
    """
    missing = limit_of(environ) + 1
    with tempfile.SpooledTemporaryFile(max_size=MAX_BYTES_IN_MEMORY) as body:
        while missing and (data := environ["wsgi.input"].read(min(missing, READ_BYTES))):
            missing -= len(data)
            body.write(data)
        environ["CONTENT_LENGTH"] = str(body.tell())
        body.seek(0)
        environ["wsgi.input"] = body
        yield


class WholeBody:
    """Raises OSError if ``body`` ends before ``length`` bytes, which granian does not.

    Django turns that into UnreadablePostError. Otherwise the first half of a form would be stored as if it were all.
    """

    def __init__(self, body: BinaryIO, length: int) -> None:
        self.body = body
        self.missing = length

    def read(self, size: int, /) -> bytes:
        return self.count(self.body.read(size), size)

    def readline(self, size: int, /) -> bytes:
        return self.count(self.body.readline(size), 1)

    def count(self, data: bytes, wanted: int) -> bytes:
        self.missing -= len(data)
        if len(data) < wanted and self.missing > 0:
            raise OSError(f"The body ended {self.missing} bytes early.")
        return data
