"""The published schemas: jsonschema-rs decides by them, jsonschema explains, and callers use either."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from string import ascii_letters, digits
from textwrap import dedent
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.protocols import Validator

from deployments.api.schemas import SCHEMA_DIR, branches, load_schema, types_of, violations
from tests.api.ajv import Ajv, running_ajv

NAMES = sorted(path.stem for path in SCHEMA_DIR.glob("*.json"))

SCHEMAS = {name: load_schema(name) for name in NAMES}
ACCEPTS = {name: jsonschema_rs.Draft202012Validator(SCHEMAS[name]).is_valid for name in NAMES}
REFERENCE: dict[str, Validator] = {name: Draft202012Validator(SCHEMAS[name]) for name in NAMES}

# Libraries differ in which of them \s is: ECMA-262 has U+FEFF, and Python has U+0085 and U+001C to U+001F.
WHITE_SPACE = "\t\n\x1c\x1f \x85\xa0\u200b\u2028\u2060\ufeff"
# No white space: it was until Unicode 6.3. A combining and a joining character, and digits that \d may be.
ALIKE = "\u180e\u0301\u200d\u0663\uff11"
ODD_CHARACTERS = f"#@.,:;/=-_*+<'\"\\ \t\n\r\0\x08\x7f\xa0\u2028é\u212a😀{WHITE_SPACE}{ALIKE}"
TEXTS = st.sampled_from(
    ["", " ", "true", " False\n", "triggered", "Resolved ", "run-CZcmD7eagjhyX0vN", "https://a.example/b", "http://é",
     "ssh://a", "git@a:b.git", "a@b.c", "a@-b", "#1d4ed8", "shop/staging", "release/*", "-1.5e3", "x" * 256]
)  # fmt: skip
CHARACTERS = st.sampled_from(f"aB0{ODD_CHARACTERS}")
STRINGS = st.one_of(
    TEXTS, st.text(CHARACTERS, max_size=6), st.builds("".join, st.tuples(CHARACTERS, TEXTS, CHARACTERS))
)
NUMBERS = st.one_of(
    st.sampled_from([-1, 0, -0.0, 1.0, 1.5, 2**31 - 1, 2**31, float(2**31), 2**63 - 1, 2**63, 2.0**63, 2**64, 1e300]),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
)
WRONG = st.one_of(st.none(), st.booleans(), NUMBERS, STRINGS, st.just([]), st.just({}), st.just([None]))


def documents(schema: Any, root: Any) -> st.SearchStrategy[Any]:
    """What ``schema`` asks for, now and then with a mistake."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        return mistaken(st.sampled_from(schema["enum"]))
    kinds = [of_kind(kind, branch, root) for branch in branches(schema) for kind in types_of(branch)]
    return mistaken(st.one_of(kinds)) if kinds else WRONG


def mistaken(right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 24).flatmap(lambda choice: WRONG if choice == 24 else right)


def of_kind(kind: str, schema: Any, root: Any) -> st.SearchStrategy[Any]:
    match kind:
        case "array":
            return st.lists(documents(schema.get("items", {}), root), max_size=2)
        case "object":
            return objects(schema, root)
        case "string" if "pattern" in schema:
            return st.from_regex(schema["pattern"], alphabet=f"{ascii_letters}{digits}{ODD_CHARACTERS}") | mistaken(
                STRINGS
            )
        case "string":
            return STRINGS
        case "integer":
            return st.integers(schema.get("minimum"), schema.get("maximum")) | mistaken(NUMBERS)
        case "number":
            return NUMBERS
        case _:
            return st.booleans() if kind == "boolean" else st.none()


def objects(schema: Any, root: Any) -> st.SearchStrategy[dict[str, Any]]:
    members = {name: documents(member, root) for name, member in schema.get("properties", {}).items()}
    required = {name: member for name, member in members.items() if name in schema.get("required", ())}
    known = st.fixed_dictionaries(
        required, optional={name: member for name, member in members.items() if name not in required}
    )
    others = st.dictionaries(STRINGS, documents(schema.get("additionalProperties") or {}, root), max_size=2)
    forgetting = st.sets(st.sampled_from(sorted(required)), max_size=1) if required else st.just(set())
    return st.builds(
        lambda known, others, forgotten: {k: v for k, v in (others | known).items() if k not in forgotten},
        known, others if "additionalProperties" in schema else st.just({}), forgetting,
    )  # fmt: skip


LARGEST_ID = 2**63 - 1
ORDINARY = (
    "", "1", "-1.5e3", "true", "Resolved", "a@b.c", "https://a.example/b", "git@a:b.git", "run-CZcmD7eagjhyX0vN",
    "#1d4ed8", "shop/staging", "release/*", "a b",
)  # fmt: skip
EXAMPLES = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def ajv() -> Iterator[Ajv]:
    with running_ajv() as ajv:
        yield ajv


@pytest.mark.parametrize("name", NAMES)
@EXAMPLES
@given(data=st.data())
def test_both_libraries_of_python_decide_alike(name: str, data: st.DataObject) -> None:
    document = data.draw(documents(SCHEMAS[name], SCHEMAS[name]))

    assert ACCEPTS[name](document) == REFERENCE[name].is_valid(document)


@pytest.mark.parametrize("name", NAMES)
@EXAMPLES
@given(data=st.data())
def test_ajv_decides_alike(name: str, ajv: Ajv, data: st.DataObject) -> None:
    document = data.draw(documents(SCHEMAS[name], SCHEMAS[name]))
    assume(not has_beyond_javascript(document))

    assert ajv.verdicts(SCHEMAS[name], [document]) == [ACCEPTS[name](document)]


def has_beyond_javascript(value: Any) -> bool:
    """Whether there is a number that JavaScript takes for the largest id."""
    if isinstance(value, dict | list):
        return any(map(has_beyond_javascript, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int | float) and value > LARGEST_ID and float(value) == float(LARGEST_ID)


@pytest.mark.parametrize("name", NAMES)
def test_published_examples_are_accepted_by_all_three(name: str, ajv: Ajv) -> None:
    for schema in parts(SCHEMAS[name]):
        if examples := schema.get("examples"):
            assert verdicts(alone(schema, name), examples, ajv) == [[True] * 3] * len(examples)


@pytest.mark.parametrize("name", NAMES)
def test_odd_values_are_decided_alike_by_all_three(name: str, ajv: Ajv) -> None:
    odd = [put(text) for text in ORDINARY for character in WHITE_SPACE + ALIKE for put in places_for(character)]
    numbers = [1, 1.0, 0.0, -0.0, 1.5, -1, -1.0, 2, 2**31, 2.0**31, 2**53, LARGEST_ID, 2**64, 1e300, True, None]

    for leaf in leaves(name):
        most = leaf.get("maxLength", 0)
        # A code point counts once, though JavaScript has two units for it, and a few letters have two code points.
        long = [letter * length for letter in ("a", "😀", "e\u0301") for length in (most // 2, most, most + 1)]
        values = ["", *odd, *long, *numbers]
        schema = alone(leaf, name)
        unlike = [
            (value, *each)
            for value, each in zip(values, verdicts(schema, values, ajv), strict=True)
            if len({*each}) > 1
        ]
        assert unlike == [], leaf


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """``schema`` and all schemas within it."""
    yield schema
    named = (below for keyword in ("properties", "$defs") for below in schema.get(keyword, {}).values())
    others = (schema.get(keyword) for keyword in ("items", "additionalProperties", "propertyNames"))
    for below in (*named, *schema.get("anyOf", []), *others):
        if isinstance(below, dict):
            yield from parts(below)


def leaves(name: str) -> Iterator[dict[str, Any]]:
    """What decides about texts and numbers."""
    return (part for part in parts(SCHEMAS[name]) if {"string", "integer", "number"}.intersection(types_of(part)))


def alone(part: dict[str, Any], name: str) -> dict[str, Any]:
    return {**part, "$id": "part", "$defs": SCHEMAS[name].get("$defs", {})}


def places_for(character: str) -> list[Callable[[str], str]]:
    return [
        lambda text: character + text,
        lambda text: text + character,
        lambda text: character + text + character,
        lambda text: text[:1] + character + text[1:],
    ]


def verdicts(schema: Any, documents: list[Any], ajv: Ajv) -> list[list[bool]]:
    """Of jsonschema-rs, jsonschema and ajv, for each document."""
    each = (
        map(jsonschema_rs.Draft202012Validator(schema).is_valid, documents),
        map(Draft202012Validator(schema).is_valid, documents),
        ajv.verdicts(schema, documents),
    )
    return [list(three) for three in zip(*each, strict=True)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"sha": "😀" * 255}, True),
        ({"sha": "😀" * 256}, False),
        ({"sha": "\x85\ufeff\xa0a\n"}, True),
        ({"sha": "a\nb"}, False),
        ({"sha": "a", "id": 1.0}, True),
        ({"sha": "a", "id": 1.5}, False),
        ({"sha": "a", "ignore_if_duplicate": "\ufefftrue\x85"}, True),
        ({"sha": "a", "ignore_if_duplicate": "\u0661"}, False),
    ],
)
def test_all_three_read_texts_and_numbers_as_is_meant(fields: dict[str, Any], expected: bool, ajv: Ajv) -> None:
    assert verdicts(SCHEMAS["register_deploy"], [fields], ajv) == [[expected] * 3]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        # JavaScript has doubles only: 2**63 and 2**63 - 1 are the same one.
        ({"sha": "a", "id": LARGEST_ID + 1}, [False, False, True]),
        # No double is as large, and ajv takes infinity for no number. Such a date is rejected anyway.
        ({"sha": "a", "date": 10**400}, [True, True, False]),
    ],
)
def test_what_is_known_to_differ(fields: dict[str, Any], expected: list[bool], ajv: Ajv) -> None:
    assert verdicts(SCHEMAS["register_deploy"], [fields], ajv) == [expected]


@pytest.mark.parametrize("name", NAMES)
def test_patterns_have_nothing_that_libraries_read_in_their_own_way(name: str) -> None:
    """Such as ``\\s`` and ``.``; ``\\p``, which Python lacks; look-arounds, for which jsonschema-rs has another engine.

    One is needed, for Python alone: its ``$`` is also before a line break at the end.
    """
    for part in parts(SCHEMAS[name]):
        pattern = part.get("pattern", "").replace(r"$(?!\n)", "$")
        outside_of_classes = re.sub(r"\\.|\[(\\.|[^\]])*\]", "", pattern)
        assert not re.search(r"\\[sSdDwWbBpP]|\(\?[^:]", pattern)
        assert "." not in outside_of_classes


@pytest.mark.parametrize("name", NAMES)
@EXAMPLES
@given(data=st.data())
def test_what_is_rejected_is_explained_as_by_jsonschema_alone(name: str, data: st.DataObject) -> None:
    document = data.draw(documents(SCHEMAS[name], SCHEMAS[name]))

    expected = [one for error in REFERENCE[name].iter_errors(document) for one in by_type(error)]
    assert rules_broken(violations(name, document)) == sorted(expected)


def by_type(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Of ``anyOf``, what the rules for values of this type reject."""
    if error.validator != "anyOf":
        yield path_and_rule(error, error.validator)
        return
    assert error.context is not None
    branches = [
        [one for one in error.context if one.schema_path[0] == index] for index in range(len(error.validator_value))
    ]
    for branch in branches:
        if not any(one.validator == "type" and not one.relative_path for one in branch):
            for one in branch:
                yield from by_type(one)
            return
    yield path_and_rule(error, "type")


def rules_broken(errors: Iterable[ValidationError]) -> list[tuple[str, str]]:
    return sorted(path_and_rule(error, error.validator) for error in errors)


def path_and_rule(error: ValidationError, rule: Any) -> tuple[str, str]:
    # jsonschema-rs leaves the empty name of a member out of a path.
    return str([step for step in error.absolute_path if step != ""]), str(rule)


def test_a_process_that_only_accepts_does_without_jsonschema() -> None:
    script = """
        import sys
        from deployments.api.schemas import check_fields
        from deployments.errors import InvalidField

        check_fields("register_deploy", {"sha": "abc"})
        assert "jsonschema" not in sys.modules
        try:
            check_fields("register_deploy", {})
        except InvalidField as error:
            assert str(error) == "sha is required."
        assert "jsonschema" in sys.modules
    """
    subprocess.run([sys.executable, "-c", dedent(script)], check=True)
