"""The WSGI application that the server loads: ``config.wsgi:application``."""

import io
import os
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

django_application = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if "CONTENT_LENGTH" not in environ and "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        measure_chunked_body(environ)
    return django_application(environ, start_response)


def measure_chunked_body(environ: dict[str, Any]) -> None:
    """Read a body of unknown length, since Django takes one without a Content-Length for empty.

    Go's http client and Node's fetch send streams so. At most one byte more than the limit is read, so that a body over
    it is still seen to be over it.
    """
    body = environ["wsgi.input"].read(settings.MAX_BODY_BYTES + 1)
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
