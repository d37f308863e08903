"""What a caller gets before anyone knows who calls: seconds and bytes."""

import os
import re

from django.conf import settings

# The route is written in deployments.api_urls.
IMPORT_PATH = re.compile(r"/api/1/deployments/[^/]+/.+/import_deploys", re.DOTALL)

HEAD_SECONDS = 20.0
# Between two requests of a connection. Proxies keep theirs for a minute, and must be the first to close.
IDLE_SECONDS = 75.0
# For a body or an answer: so many seconds, and one more for each 16 KiB of it that has gone by.
BODY_SECONDS = 30.0
BYTES_A_SECOND = 16 * 1024
# A client that asked whether to send its body has so long to notice the answer that it need not.
LINGER_SECONDS = 3.0

# Of a request line with all headers. Browsers send 8 KB of cookies at most, and some tools long query strings; a form
# in a query string may have a million characters by deployments.api.body, but no proxy lets that pass.
MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 100
# Of a body or an answer; the rest is put aside on disk.
MAX_BYTES_IN_MEMORY = 256 * 1024
# Of all bodies that are on their way to one worker.
MAX_BYTES_OF_BODIES = 1024 * 1024 * 1024
# The rest of a body is read even if the answer does not need it: urllib, http.client and others send all of a body
# before they look for the answer, and lose the answer if the connection is closed meanwhile. A client that sends this
# much more than the limit is none of them.
MAX_BYTES_BEYOND = 64 * 1024 * 1024
# Connections that no worker has taken yet.
BACKLOG = 1024
MAX_CONNECTIONS = 4000
# Requests that a connection sent before it had the answer to the first. With one more it ends after their answers.
MAX_PIPELINED = 32


def is_import(path: str) -> bool:
    return IMPORT_PATH.fullmatch(path) is not None


def body_limit(path: str) -> int:
    return int(settings.MAX_IMPORT_BYTES if is_import(path) else settings.MAX_BODY_BYTES)


def seconds_for(size: int) -> float:
    """For a body or an answer of ``size`` bytes."""
    return BODY_SECONDS + size / BYTES_A_SECOND


def folder_of_bodies() -> str | None:
    """None is the system's, which may be in memory: it is used only where ours cannot be written to."""
    return str(settings.VAR_DIR) if os.access(settings.VAR_DIR, os.W_OK) else None
