"""What a provisioning file itself shows to be wrong, without a look at the database."""

from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from deployments.api.schemas import type_words, violations
from deployments.provisioning.document import Problems, numbered
from orgs.text import problem_in_text

# Of the known words that an error lists.
MOST_WORDS = 12
# What the schema says of a key that is printed, and ignored in a file.
PRINTED = {"$ref": "#/$defs/printed"}


def check_document(document: Any, problems: Problems) -> None:
    try:
        check_texts(document, "", problems)
        broken = [] if problems.lines else list(violations("provision", document))
    except (RecursionError, ValueError):
        problems.lines.append("The file is nested too deeply.")
        return
    for rule in broken:
        path = f"{rule.path}.{rule.value[:60]}" if rule.in_name else rule.path
        for place, sentence in SENTENCES[rule.keyword](rule.rule, rule.value, rule.schema):
            problems.add(f"{path}{place}".lstrip("."), sentence)
    if not problems.lines:
        check_repetitions(document, problems)


def check_texts(value: Any, path: str, problems: Problems) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            place = f"{path}.{key[:60]}".lstrip(".")
            if problem := problem_in_text(key):
                problems.add(place, f"the key {problem}.")
            check_texts(item, place, problems)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            check_texts(item, f"{path}[{index}]", problems)
    elif isinstance(value, str) and (problem := problem_in_text(value)):
        problems.add(path, f"{problem}.")


def check_repetitions(document: Any, problems: Problems) -> None:
    organizations = list(numbered("organizations", document))
    check_unique(organizations, "slug", problems)
    for path, organization in organizations:
        projects = list(numbered(f"{path}.projects", organization))
        check_unique(numbered(f"{path}.members", organization), "email", problems)
        check_unique(numbered(f"{path}.tokens", organization), "name", problems)
        check_unique(projects, "slug", problems)
        # Across the projects: a deployment's slug is unique in the organization.
        deployments = (pair for at, project in projects for pair in numbered(f"{at}.deployments", project))
        check_unique(deployments, "slug", problems)
        for at, project in projects:
            environments = list(numbered(f"{at}.environments", project))
            check_unique(environments, "slug", problems)
            defaults = [place for place, environment in environments if environment.get("default")]
            for place in defaults[1:]:
                problems.add(f"{place}.default", f"{defaults[0]} is the default already: a project has one.")


def check_unique(items: Iterable[tuple[str, dict[str, Any]]], key: str, problems: Problems) -> None:
    seen: dict[str, str] = {}
    for path, item in items:
        value = item[key].strip().lower() if key == "email" else item[key]
        if value in seen:
            problems.add(f"{path}.{key}", f"'{item[key]}' stands at {seen[value]} already.")
        seen.setdefault(value, path)


def known_are(known: Iterable[str], word: str) -> str:
    """The rest of a sentence that says that ``word`` is unknown."""
    words = list(known)
    close = get_close_matches(word, words, n=1)
    more = f" and {len(words) - MOST_WORDS} more" if len(words) > MOST_WORDS else ""
    listed = f"Known are {', '.join(words[:MOST_WORDS])}{more}." if words else "There is none yet."
    return f"{f'; did you mean {close[0]!r}?' if close else '.'} {listed}"


def quoted(value: Any) -> str:
    return f"'{value[:60]}'" if isinstance(value, str) else "no text"


def unknown_keys(known: dict[str, Any], value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    worth_writing = [key for key, rule in known.items() if rule != PRINTED]
    for key in value:
        if key not in known:
            yield f".{key[:60]}", f"unknown key{known_are(worth_writing, key)}"


def wrong_type(types: str | list[str], value: Any) -> str:
    if value is None:
        return f"has no value: write {type_words(types)}."
    if "string" in types and isinstance(value, bool | int | float):
        return "must be text: put quotes around it."
    return f"must be {type_words(types)}."


# By the keyword, from its value, the wrong value and the schema around: the rest of the path and a sentence.
# Wrong values are repeated only where they can be no password.
SENTENCES: dict[str, Callable[[Any, Any, Any], Iterable[tuple[str, str]]]] = {
    "additionalProperties": lambda rule, value, schema: unknown_keys(schema["properties"], value),
    "type": lambda types, value, schema: [("", wrong_type(types, value))],
    "required": lambda names, value, schema: [(f".{name}", "is missing.") for name in names if name not in value],
    "enum": lambda words, value, schema: [("", f"is {quoted(value)}: write one of {', '.join(words)}.")],
    "pattern": lambda rule, value, schema: [("", f"{schema['errorMessage']}.")],
    "minLength": lambda least, value, schema: [("", "must not be empty.")],
    "maxLength": lambda most, value, schema: [("", f"is {len(value)} characters long: at most {most}.")],
    "minItems": lambda least, value, schema: [
        ("", f"names none: list at least one{', or write null for no limit' if 'null' in schema['type'] else ''}.")
    ],
    "maxItems": lambda most, value, schema: [("", f"has {len(value)} items: at most {most}.")],
}
