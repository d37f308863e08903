"""What a call sent: in a few words for lists, and laid out for people."""

import json
import re
from urllib.parse import parse_qsl, unquote_plus

from deployments.models import Call
from deployments.templatetags.deploys import short

MAX_SENT_LENGTH = 200
# What names the event, in the formats that there are.
NAMES = ("sha", "commitHash", "version", "name", "title", "id", "type", "value")


def pattern_of(name: str) -> re.Pattern[str]:
    """A field of JSON, of a multipart body, or of a form or a query string. The body may be cut, or no JSON at all."""
    value = r'[^"\\\n]{1,200}'
    return re.compile(
        rf'"{name}"\s*:\s*(?:"({value})"|([-+.0-9eE]+))|name="{name}"\s*\n\r?\n([^\r\n]{{1,200}})|'
        rf"(?:^|[?&\n]){name}=([^&\s]{{1,200}})"
    )


PATTERNS = {name: pattern_of(name) for name in (*NAMES, "environment")}


def in_short(body: str, path: str) -> str:
    """``abc1234 to production``; empty if the call named nothing. Both texts are redacted already."""
    text = f"{body}\n{path}"
    named = in_one_line(next(filter(None, (value_in(text, name) for name in NAMES)), ""))
    environment = value_in(text, "environment")
    return (f"{named} to {environment}".strip() if environment else named)[:MAX_SENT_LENGTH]


def in_one_line(text: str) -> str:
    return short(" ".join(text.split())[:100])


def value_in(text: str, name: str) -> str:
    found = PATTERNS[name].search(text)
    if found is None:
        return ""
    *plain, encoded = found.groups()
    return next(filter(None, plain), "") or unquote_plus(encoded or "").strip()


def laid_out(call: Call) -> str:
    """The body with a line for each value; as it was sent if it cannot be read."""
    body = call.body
    if body.lstrip()[:1] in ("{", "["):
        try:
            return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            return body
    if call.content_type.startswith("application/x-www-form-urlencoded") and "=" in body:
        return "\n".join(f"{name} = {value}" for name, value in parse_qsl(body, keep_blank_values=True))
    return body


def editable(call: Call) -> str:
    """The body as a person can edit it; empty if a form on a page would spoil it."""
    if call.content_type.startswith("multipart/"):
        return ""
    return laid_out(call) if call.body.lstrip()[:1] in ("{", "[") else call.body
