"""What is wrong with a provisioning file, as far as the file alone shows it."""

from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from itertools import chain
from typing import Any

from deployments.api.schemas import is_in_name, path_of, type_words, violations
from deployments.provisioning.document import Item, Problems
from orgs.text import is_invisible, problem_in_text

# How many known words an error lists.
MOST_WORDS = 12
# The schema of keys that are only printed.
PRINTED = {"$ref": "#/$defs/printed"}


def check_document(document: Any, problems: Problems) -> None:
    try:
        check_texts(document, "", problems)
        broken = [] if problems.lines else list(violations("provision", document))
    except (RecursionError, ValueError):
        problems.lines.append("The file is nested too deeply.")
        return
    for violation in broken:
        value = violation.instance
        path = f"{path_of(violation)}.{value[:60]}" if is_in_name(violation) else path_of(violation)
        for key, sentence in SENTENCES[violation.validator](violation.validator_value, value, violation.schema):
            problems.add(f"{path}{key}".lstrip("."), sentence)
    if not problems.lines:
        check_names(Item(document, "", problems))
        check_repetitions(Item(document, "", problems))


def check_texts(value: Any, path: str, problems: Problems) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            path_of_key = f"{path}.{key[:60]}".lstrip(".")
            if problem := problem_in_text(key):
                problems.add(path_of_key, f"the key {problem}.")
            check_texts(item, path_of_key, problems)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            check_texts(item, f"{path}[{index}]", problems)
    elif isinstance(value, str) and (problem := problem_in_text(value)):
        problems.add(path, f"{problem}.")


def check_names(file: Item) -> None:
    """The schema knows white space only: not every library that reads it knows the categories of Unicode."""
    for organization in file.items("organizations"):
        projects = organization.items("projects")
        lists = (
            project.items(key) for project in projects for key in ("environments", "deployments", "impact_sources")
        )
        for item in (organization, *organization.items("tokens"), *projects, *chain.from_iterable(lists)):
            if "name" in item and is_invisible(item["name"]):
                item.add_problem("name", "must have a visible character and no control characters.")


def check_repetitions(file: Item) -> None:
    """JSON Schema can only compare whole items of a list."""
    organizations = file.items("organizations")
    check_unique(organizations, "slug")
    for organization in organizations:
        projects = organization.items("projects")
        check_unique(organization.items("members"), "email")
        check_unique(organization.items("tokens"), "name")
        check_unique(projects, "slug")
        check_unique((deployment for project in projects for deployment in project.items("deployments")), "slug")
        for project in projects:
            environments = project.items("environments")
            check_unique(environments, "slug")
            defaults = [environment for environment in environments if environment.get("default")]
            for environment in defaults[1:]:
                environment.add_problem("default", f"{defaults[0].path} is the default already: a project has one.")


def check_unique(items: Iterable[Item], key: str) -> None:
    seen: dict[str, str] = {}
    for item in items:
        value = item[key].strip().lower() if key == "email" else item[key]
        if value in seen:
            add_repetition(item, key, seen[value])
        seen.setdefault(value, item.path)


def add_repetition(item: Item, key: str, first_path: str) -> None:
    item.add_problem(key, f"'{item[key]}' is already used at {first_path}.")


def known_words(known: Iterable[str], word: str) -> str:
    """The rest of a sentence that says that the word is unknown."""
    words = list(known)
    close = get_close_matches(word, words, n=1)
    more = f" and {len(words) - MOST_WORDS} more" if len(words) > MOST_WORDS else ""
    listed = f"Known: {', '.join(words[:MOST_WORDS])}{more}." if words else "None exist yet."
    return f"{f'; did you mean {close[0]!r}?' if close else '.'} {listed}"


def quoted(value: Any) -> str:
    return f"'{value[:60]}'" if isinstance(value, str) else "not text"


def unknown_keys(known: dict[str, Any], value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    worth_writing = [key for key, rule in known.items() if rule != PRINTED]
    for key in value:
        if key not in known:
            yield f".{key[:60]}", f"unknown key{known_words(worth_writing, key)}"


def wrong_type(types: str | list[str], value: Any) -> str:
    if value is None:
        return f"has no value: write {type_words(types)}."
    if "string" in types and isinstance(value, bool | int | float):
        return "must be text: put quotes around it."
    return f"must be {type_words(types)}."


# For each keyword, from its value, the wrong value and the schema around: the rest of the path and a sentence.
# A wrong value is repeated only if it cannot be a password.
SENTENCES: dict[str, Callable[[Any, Any, Any], Iterable[tuple[str, str]]]] = {
    "additionalProperties": lambda rule, value, schema: unknown_keys(schema["properties"], value),
    "type": lambda types, value, schema: [("", wrong_type(types, value))],
    "required": lambda names, value, schema: [(f".{name}", "is missing.") for name in names if name not in value],
    "enum": lambda words, value, schema: [("", f"is {quoted(value)}: write one of {', '.join(words)}.")],
    "pattern": lambda rule, value, schema: [("", f"{schema['$comment']}.")],
    "minLength": lambda least, value, schema: [("", "must not be empty.")],
    "maxLength": lambda most, value, schema: [("", f"is {len(value)} characters long: at most {most}.")],
    "minItems": lambda least, value, schema: [
        ("", f"is empty: list at least one{', or write null for no limit' if 'null' in schema['type'] else ''}.")
    ],
    "minimum": lambda least, value, schema: [("", f"must be {least} to {schema['maximum']}.")],
    "maximum": lambda most, value, schema: [("", f"must be {schema['minimum']} to {most}.")],
    "maxItems": lambda most, value, schema: [("", f"has {len(value)} items: at most {most}.")],
}
