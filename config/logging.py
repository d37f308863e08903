"""Logs go to standard error, one line for each event, with the id of the request."""

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from tokens.secrets import redact

request_id: ContextVar[str] = ContextVar("request_id", default="")


# Links that need no sign-in: to accept an invitation, to choose a new password.
SECRET_LINK = re.compile(r"((?:invitations|reset/key)(?:/|%2F))[^/\s\"'?&%]{16,}", re.IGNORECASE)


class RecordFilter(logging.Filter):
    """Adds the request's id and removes secrets: Django logs the paths of rejected requests, which may contain one."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get() or "-"
        message = record.getMessage()
        without_secrets = redact(SECRET_LINK.sub(r"\1…", message))
        if without_secrets != message:
            record.msg, record.args = without_secrets, ()
        if record.exc_info and not record.exc_text:
            # Formatters use exc_text if it is set. A database's error repeats the values that it rejected.
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", "-"),
        }
        if record.exc_info:
            line["exception"] = record.exc_text or self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def logging_config(*, level: str, style: str) -> dict[str, Any]:
    """``style`` is ``json`` or ``text``."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"record": {"()": RecordFilter}},
        "formatters": {
            "json": {"()": JsonFormatter},
            "text": {"format": "{asctime} {levelname} {name} [{request_id}] {message}", "style": "{"},
        },
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": style, "filters": ["record"]},
        },
        "root": {"handlers": ["console"], "level": level},
        # Django's own handlers mail to ADMINS, and print only with DEBUG.
        # Loggers of paths remove secrets before any handler sees them.
        "loggers": {
            "django": {"handlers": [], "propagate": True},
            **{name: {"filters": ["record"]} for name in ("django.request", "deployments.api.answers")},
        },
    }
