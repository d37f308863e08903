"""One call over a connection of its own."""

import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from typing import Any

SECONDS = 30
# Another address of this machine than the proxy's, which is the caller's.
CALLER = "127.0.0.2"


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    headers: Message


def ask(
    port: int,
    path: str,
    body: Any = None,
    *,
    method: str = "",
    headers: Mapping[str, str] | None = None,
    tls_name: str = "",
) -> Answer:
    """A POST of ``body``, as JSON unless it is bytes, or a GET if there is none. With TLS if a name is given for it."""
    connection = http.client.HTTPConnection(tls_name or "localhost", port, timeout=SECONDS)
    with closing(connection):
        connection.sock = socket.create_connection(("127.0.0.1", port), SECONDS, source_address=(CALLER, 0))
        if tls_name:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            connection.sock = context.wrap_socket(connection.sock, server_hostname=tls_name)
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body)
        labels = {"Host": tls_name or "localhost", "Content-Type": "application/json", **(headers or {})}
        if sent is None:
            del labels["Content-Type"]
        connection.request(method or ("GET" if sent is None else "POST"), path, sent, labels)
        response = connection.getresponse()
        return Answer(response.status, response.read().decode(), response.headers)
