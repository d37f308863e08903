"""Blotting credentials out of what is kept of a call."""

import re
from collections.abc import Iterable

from tokens.secrets import REDACTED


def spelt(name: str, escape: str) -> str:
    """A pattern of ``name``, each letter as it is or behind ``escape`` as a code in hexadecimal."""
    return "".join(f"(?:{letter}|{escape}(?:{ord(letter.lower()):x}|{ord(letter.upper()):x}))" for letter in name)


IN_JSON, IN_FORMS = r"\\u00", "%"
# api_key with its value in JSON (quoted or, wrongly, not), in a form or query, and as a part of a multipart body; each
# also where the body was cut within the value. Some webhooks name it token.
JSON_KEY = re.compile(
    rf"""(["']{spelt("api_key", IN_JSON)}["']\s*:\s*)("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,}}\]]+)""", re.IGNORECASE
)
FORM_KEY = re.compile(
    rf"""((?:^|[&?\s])(?:{spelt("api_key", IN_FORMS)}|{spelt("token", IN_FORMS)})=)"""
    # An address may stand within JSON, whose next quotation mark is not its own.
    r"""(?:"[^"&\s]*"?|'[^'&\s]*'?|[^&\s"'<>\\]*)""",
    re.IGNORECASE,
)
# A part has few headers. Without that limit, and where it took back what it has read, a body full of such names would
# take seconds, and all threads with it.
MULTIPART_KEY = re.compile(r"""(name="?api_key"?[^\r\n]*+(?:\r?\n[^\r\n]++){0,10}+\r?\n\r?\n)[^\r\n]*""", re.IGNORECASE)
# What all three patterns have.
MAY_HAVE_KEY = re.compile(r"key|token|\\u00|%", re.IGNORECASE)
# The token is the last segment of an incident's path.
PATH_KEY = re.compile(r"""(register(?:[_-]|%5f|%2d)impact(?:/|%2f)+\s*)[^?\s"',}&]+""", re.IGNORECASE)
# What looks like a secret of ours, or the beginning of one that was cut, wherever it stands.
SECRET = re.compile(r"gum(?:_|%5f|(?:\\+|%5c)u005f)[0-9a-z]{8,}", re.IGNORECASE)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """``text`` without values of ``api_key``, without what looks like a token of ours, and without ``secrets``."""
    text = PATH_KEY.sub(rf"\1{REDACTED}", text)
    if MAY_HAVE_KEY.search(text):
        text = JSON_KEY.sub(rf'\1"{REDACTED}"', text)
        text = FORM_KEY.sub(rf"\1{REDACTED}", text)
        text = MULTIPART_KEY.sub(rf"\1{REDACTED}", text)
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return SECRET.sub(REDACTED, text)
