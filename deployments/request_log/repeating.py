"""A logged call as a command that sends it again."""

import shlex
from urllib.parse import quote

from django.conf import settings

from deployments.models import Call
from deployments.wire.body import charset_of

# What stands in a path and query as it is; brackets, which curl would take for a pattern, do not.
KEPT_IN_ADDRESSES = "/?&=%+:,;@!$'()*~"


def as_curl(call: Call) -> str:
    """A line of shell that sends the call with the token of ``$GUMSHOE_TOKEN``; empty where the log cannot say it: a
    body that was cut, or parts of a form, whose line ends a page does not keep."""
    if call.body_was_cut or call.content_type.startswith("multipart/"):
        return ""
    words = [
        f"curl --request {shlex.quote(call.method)}",
        '--header "Authorization: Bearer $GUMSHOE_TOKEN"',
    ]
    if content_type := call.content_type:
        if charset_of(content_type) != charset_of(""):
            # A shell sends what it is given as UTF-8.
            content_type = content_type.partition(";")[0].rstrip()
        words.append(f"--header {shlex.quote(f'Content-Type: {content_type}')}")
    if call.body:
        words.append(f"--data-binary {shlex.quote(call.body)}")
    words.append(shlex.quote(settings.SITE_URL + quote(call.path, safe=KEPT_IN_ADDRESSES)))
    return " \\\n  ".join(words)
