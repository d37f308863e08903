"""Text that both databases can store. SQLite accepts NUL characters and lone surrogates; PostgreSQL does not."""

import hashlib
import ipaddress
import re
import unicodedata
from typing import Any

MAX_DEPTH = 64
# What Python and ECMA-262 take for white space, either of them, and what has no width: PowerShell writes U+FEFF before
# texts. The published schemas spell it out.
WHITE_SPACE = "".join(
    (
        *("\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680", *map(chr, range(0x2000, 0x200C)), "\u2028\u2029\u202f\u205f"),
        "\u2060\u3000\ufeff",
    )
)
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def problem_in_text(value: str) -> str | None:
    """What is wrong with ``value``, or ``None`` if it can be stored."""
    if "\0" in value:
        return "contains a NUL character: remove it"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "contains half a surrogate pair: send valid Unicode"
    return None


def is_invisible(value: str) -> bool:
    """Whether it has nothing but white space and format and combining characters, which alone show nothing."""
    return all(c.isspace() or unicodedata.category(c) in ("Cf", "Mc", "Me", "Mn") for c in value)


def printable(value: str) -> str:
    """``value`` for a sentence: line breaks and invisible characters are escaped."""
    if value.isprintable():
        return value
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in value)


def shortened(value: str, most: int) -> str:
    return value if len(value) <= most else f"{value[:most]}…"


def problem_in_json(value: Any) -> str | None:
    """The same for all keys and strings in decoded JSON, and for nesting deeper than MAX_DEPTH."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            return f"is nested deeper than {MAX_DEPTH} levels"
        below: list[Any] = []
        for item in level:
            if isinstance(item, str):
                if problem := problem_in_text(item):
                    return problem
            elif isinstance(item, dict):
                below.extend(item.keys())
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        level = below
    return None


def storable(value: str) -> str:
    """``value`` without what a database cannot store, for text that need not be rejected."""
    return UNSTORABLE.sub(REPLACEMENT, value)


def storable_json(value: Any, depth: int = 0) -> Any:
    """The same for all keys and strings in decoded JSON, down to MAX_DEPTH."""
    if isinstance(value, str):
        return storable(value)
    if depth > MAX_DEPTH:
        return value
    if isinstance(value, list):
        return [storable_json(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {storable(name): storable_json(item, depth + 1) for name, item in value.items()}
    return value


def digest(secret: str) -> str:
    """Stored in place of a secret: SHA-256 in hex. Secrets have 190 random bits or more, so no salt is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def ip_address_or_none(value: str) -> str | None:
    """An IP address without zone and port, or ``None`` if it is not one. Callers on a Unix socket have none.

    Some proxies write ``203.0.113.7:54321`` or ``[2001:db8::1]:443``. A server that listens at ``::`` sees callers by
    IPv4 as ``::ffff:203.0.113.7``.
    """
    text = value.strip().partition("%")[0]
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
