"""Mails about signing in, sent by a thread: anybody may ask for one, and the mail server may be silent."""

import logging
from collections.abc import Sequence
from queue import Full, Queue
from threading import Lock, Thread

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

MOST_WAITING = 100
SMTP = "django.core.mail.backends.smtp.EmailBackend"

logger = logging.getLogger(__name__)


class Outbox(BaseEmailBackend):
    """A mail connection that takes messages at once. What a mail server does not take is lost with a log line."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: Queue[EmailMessage] = Queue(MOST_WAITING)
        self.lock = Lock()
        self.thread: Thread | None = None

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        with self.lock:
            if self.thread is None:
                self.thread = Thread(target=self.send_all, name="mail", daemon=True)
                self.thread.start()
        for message in messages:
            # By the one that settings name.
            message.connection = None
            try:
                self.waiting.put_nowait(message)
            except Full:
                logger.error("A mail about signing in is not sent: too many are waiting for the mail server.")
        return len(messages)

    def send_all(self) -> None:
        while True:
            try:
                self.waiting.get().send()
            except Exception as error:  # of the mail server, or of a message that cannot be sent
                logger.error("The mail server did not take a mail about signing in: %s", error)


outbox = Outbox()


def send_later(message: EmailMessage) -> EmailMessage:
    """Only where sending needs a network: other kinds of mail are written at once."""
    if settings.EMAIL_BACKEND == SMTP:
        message.connection = outbox
    return message
