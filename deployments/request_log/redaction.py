"""Blotting credentials out of what is kept of a call."""

import re
from collections.abc import Iterable

REDACTED = "[redacted]"

# api_key with its value in JSON (quoted or, wrongly, not), in a form or query, and as a part of a multipart body; each
# also where the body was cut within the value.
JSON_KEY = re.compile(r"""(["']api_key["']\s*:\s*)("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,}\]]+)""", re.IGNORECASE)
FORM_KEY = re.compile(r"((?:^|[&?\s])api(?:_|%5f)key=)[^&\s]*", re.IGNORECASE)
MULTIPART_KEY = re.compile(r"""(name="?api_key"?[^\r\n]*(?:\r?\n[^\r\n]+)*\r?\n\r?\n)[^\r\n]*""", re.IGNORECASE)
# The token is the last segment of an incident's path.
PATH_KEY = re.compile(r"""(register_impact(?:/|%2f)+\s*)[^?\s"',}&]+""", re.IGNORECASE)
TOKEN = re.compile(r"gum_[0-9A-Za-z]{8,}")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """``text`` without values of ``api_key``, without what looks like a token of ours, and without ``secrets``."""
    text = PATH_KEY.sub(rf"\1{REDACTED}", text)
    if "key" in text.lower():  # as all three patterns have it
        text = JSON_KEY.sub(rf'\1"{REDACTED}"', text)
        text = FORM_KEY.sub(rf"\1{REDACTED}", text)
        text = MULTIPART_KEY.sub(rf"\1{REDACTED}", text)
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return TOKEN.sub(REDACTED, text)
