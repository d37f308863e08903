"""Mails about signing in go to a mail server that may be silent."""

import socket
import threading
import time
from collections.abc import Iterator
from queue import Queue

import pytest
from django.test import Client
from pytest_django import Settings

from orgs.models import User
from orgs.sign_in.outbox import SMTP

pytestmark = pytest.mark.django_db
SECONDS = 20
RESET = "/accounts/password/reset/"


class MailServer:
    """Says nothing until it is told to speak. Then it takes every mail."""

    def __init__(self) -> None:
        self.speaks = threading.Event()
        self.mails: Queue[str] = Queue()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(client,), daemon=True).start()

    def talk(self, client: socket.socket) -> None:
        with client, client.makefile("rwb") as lines:
            self.speaks.wait(SECONDS)
            answer(lines, b"220 hello")
            for line in lines:
                command = line[:4].upper()
                if command == b"DATA":
                    answer(lines, b"354 go on")
                    self.mails.put(b"".join(iter(lines.readline, b".\r\n")).decode())
                answer(lines, b"221 bye" if command == b"QUIT" else b"250 ok")


def answer(lines: object, text: bytes) -> None:
    lines.write(text + b"\r\n")  # type: ignore[attr-defined]
    lines.flush()  # type: ignore[attr-defined]


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[MailServer]:
    server = MailServer()
    settings.EMAIL_BACKEND = SMTP
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    yield server
    server.speaks.set()
    server.listener.close()


def test_a_silent_mail_server_holds_up_nobody(client: Client, mail_server: MailServer) -> None:
    User.objects.create_user(email="ada@example.com", name="Ada", password="correct horse battery")

    began = time.monotonic()
    response = client.post(RESET, {"email": "ada@example.com"})
    took = time.monotonic() - began

    assert response.status_code == 302
    assert took < 5
    mail_server.speaks.set()
    assert "To: ada@example.com" in mail_server.mails.get(timeout=SECONDS)
