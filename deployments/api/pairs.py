"""The pairs of a form, a query string or a multipart body → fields, in the dialects that clients write."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from deployments.errors import UnreadableBody

MAX_FORM_FIELDS = 1000
# No field that a form can carry is long, and percent signs take fifty times their size in memory.
MAX_FORM_LENGTH = 1_000_000
# What clients send that know no charset: https://encoding.spec.whatwg.org/#names-and-labels has it for Latin-1, too.
WITHOUT_CHARSET = "cp1252"

BRACKETED = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\]){1,5})")
STEP = re.compile(r"\[([^\[\]]*)\]")
E_MAIL_NAMES = ("email", "author", "[email]", "[author]")
# A blank where none can be.
E_MAIL_WITH_BLANKS = re.compile(r"\s*[^\s@]+(?: +[^\s@]+)+@[^\s@]+\s*")


def read_pairs(text: str, what: str, *, is_utf_8: bool) -> dict[str, Any]:
    """``is_utf_8``: whether anything says so, so that percent-encoded bytes that are not are a mistake."""
    if len(text) > MAX_FORM_LENGTH:
        raise UnreadableBody(f"The {what} is longer than {MAX_FORM_LENGTH} characters: send JSON.")
    try:
        values = parsed(text.strip(), "utf-8" if is_utf_8 else WITHOUT_CHARSET)
    except UnicodeDecodeError:
        raise UnreadableBody(f"The {what} is not UTF-8: percent-encode it as UTF-8.") from None
    except ValueError:
        raise UnreadableBody(f"The {what} has more than {MAX_FORM_FIELDS} fields: send JSON.") from None
    for name, texts in values.items():
        if name.endswith(E_MAIL_NAMES):
            # curl -d sends the + of 1+bot@example.com unencoded, which a form reads as a blank.
            values[name] = [with_plus(text) for text in texts]
    return fields_of(values)


def parsed(text: str, otherwise: str) -> dict[str, list[str]]:
    def parse(encoding: str) -> dict[str, list[str]]:
        return parse_qs(
            text, keep_blank_values=True, encoding=encoding, errors="strict", max_num_fields=MAX_FORM_FIELDS
        )

    try:
        return parse("utf-8")
    except UnicodeDecodeError:
        return parse(otherwise)


def with_plus(text: str) -> str:
    return text.strip().replace(" ", "+") if E_MAIL_WITH_BLANKS.fullmatch(text) else text


def fields_of(values: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """A name that comes several times has the list of its values. So has name[], and name[key] has an object.

    PHP, Ruby, axios and superagent write lists and objects so: https://www.php.net/http_build_query. A line break of
    a form is CRLF (https://html.spec.whatwg.org/#multipart-form-data), and that of a text is not.
    """
    fields: dict[str, Any] = {}
    trees: dict[str, Any] = {}
    for name, sent in values.items():
        texts = [text.replace("\r\n", "\n") for text in sent]
        if found := BRACKETED.fullmatch(name):
            for index, text in enumerate(texts):
                put(trees, [found[1], *STEP.findall(found[2])], index, text)
        else:
            fields[name] = texts[0] if len(texts) == 1 else texts
    for name, tree in trees.items():
        plain, value = fields.get(name), with_lists(tree)
        if isinstance(value, list) and plain:
            value = [*([plain] if isinstance(plain, str) else plain), *value]
        fields[name] = value
    return fields


def put(tree: dict[str, Any], steps: Sequence[str], index: int, text: str) -> None:
    """``index`` counts the values of the name: commits[][revision] has one for each commit."""
    *way, last = steps
    for step in way:
        below = tree.setdefault(step or str(index), {})
        if not isinstance(below, dict):
            return
        tree = below
    tree.setdefault(last or str(len(tree)), text)


def with_lists(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    if all(step.isascii() and step.isdigit() and len(step) < 10 for step in tree):
        return [with_lists(tree[step]) for step in sorted(tree, key=int)]
    return {step: with_lists(below) for step, below in tree.items()}
