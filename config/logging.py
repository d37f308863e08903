"""Logs go to standard error, one line an event, with the request's id."""

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

from tokens.secrets import redact

request_id: ContextVar[str] = ContextVar("request_id", default="")


class RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get() or "-"
        return True


# Links that work for whoever has them: to accept an invitation, to choose a new password.
SECRET_LINK = re.compile(r"((?:invitations|reset/key)(?:/|%2F))[^/\s\"'?&%]{16,}", re.IGNORECASE)


class SecretLinkFilter(logging.Filter):
    """Django logs the path of a request that it refuses, which may have an access token in it."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        without_secrets = redact(SECRET_LINK.sub(r"\1…", message))
        if without_secrets != message:
            record.msg, record.args = without_secrets, ()
        if record.exc_info and not record.exc_text:
            # Formatters print it where it is there; a database's error tells the values that it would not take.
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
    formatter: Literal["json", "text"] = "json" if style == "json" else "text"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": RequestIdFilter}, "secret_link": {"()": SecretLinkFilter}},
        "formatters": {
            "json": {"()": JsonFormatter},
            "text": {"format": "{asctime} {levelname} {name} [{request_id}] {message}", "style": "{"},
        },
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": formatter,
                "filters": ["request_id", "secret_link"],
            },
        },
        "root": {"handlers": ["console"], "level": level},
        # Django's own handlers mail to ADMINS and print only with DEBUG; ours serve both cases.
        # Those that log paths blot them before any handler sees them.
        "loggers": {
            "django": {"handlers": [], "propagate": True},
            **{name: {"filters": ["secret_link"]} for name in ("django.request", "deployments.api.answers")},
        },
    }
