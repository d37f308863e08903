"""One call over a connection of its own."""

import http.client
import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

SECONDS = 30


@dataclass(frozen=True)
class Answer:
    status: int
    text: str


def ask(
    port: int, path: str, body: Any = None, *, method: str = "", headers: Mapping[str, str] | None = None
) -> Answer:
    """A POST of ``body`` as JSON, or a GET if there is none."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)) as connection:
        sent = None if body is None else json.dumps(body)
        labels = {"Host": "localhost", **({} if sent is None else {"Content-Type": "application/json"})}
        connection.request(method or ("GET" if sent is None else "POST"), path, sent, labels | dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, response.read().decode())
