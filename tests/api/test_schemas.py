"""The published schemas: jsonschema-rs decides by them, jsonschema explains, and callers use either."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from string import ascii_letters, digits
from textwrap import dedent
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.protocols import Validator

from deployments.api.schemas import SCHEMA_DIR, load_schema, violations

NAMES = sorted(path.stem for path in SCHEMA_DIR.glob("*.json"))

# What the two libraries are known to decide differently, since jsonschema reads patterns as Python's `re` does.
# 1. ECMA-262 counts U+FEFF as white space, and Python counts U+0085 and U+001C to U+001F.
UNLIKE_WHITE_SPACE = "\x1c\x1d\x1e\x1f\x85\ufeff"
# 2. Python has no classes of characters by their Unicode properties: `re` does not compile a pattern with this in it.
INVISIBLE = r"\p{Cf}\p{M}"
# The texts tried here have these two of them.
INVISIBLE_SAMPLES = "\u200b\u0301"


def for_python(name: str) -> Any:
    text = json.dumps(load_schema(name))
    return json.loads(text.replace(json.dumps(INVISIBLE)[1:-1], INVISIBLE_SAMPLES))


ACCEPTS = {name: jsonschema_rs.Draft202012Validator(load_schema(name)).is_valid for name in NAMES}
REFERENCE: dict[str, Validator] = {name: Draft202012Validator(for_python(name)) for name in NAMES}

ODD_CHARACTERS = f"#@.,:;/=-_*+<'\"\\ \t\n\r\0\x08\x7f\xa0\u2028é\u0660\u212a😀{INVISIBLE_SAMPLES}"
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
    types = schema.get("type", [])
    kinds = [of_kind(kind, schema, root) for kind in ([types] if isinstance(types, str) else types)]
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


EXAMPLES = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("name", NAMES)
@EXAMPLES
@given(data=st.data())
def test_both_libraries_decide_alike(name: str, data: st.DataObject) -> None:
    document = data.draw(documents(REFERENCE[name].schema, REFERENCE[name].schema))

    assert ACCEPTS[name](document) == REFERENCE[name].is_valid(document)


@pytest.mark.parametrize("name", NAMES)
@EXAMPLES
@given(data=st.data())
def test_what_is_rejected_is_explained_as_by_jsonschema_alone(name: str, data: st.DataObject) -> None:
    document = data.draw(documents(REFERENCE[name].schema, REFERENCE[name].schema))

    assert rules_broken(violations(name, document)) == rules_broken(REFERENCE[name].iter_errors(document))


def rules_broken(errors: Iterable[ValidationError]) -> list[Any]:
    # jsonschema-rs leaves the empty name of a member out of a path.
    return sorted((str([step for step in error.path if step != ""]), error.validator) for error in errors)


@pytest.mark.parametrize("character", [*UNLIKE_WHITE_SPACE])
def test_white_space_is_known_to_differ(character: str) -> None:
    schema = {"pattern": r"^\s$"}

    is_valid = Draft202012Validator(schema).is_valid(character)
    assert is_valid != jsonschema_rs.Draft202012Validator(schema).is_valid(character)


def test_properties_of_characters_are_known_to_be_beyond_python() -> None:
    concerned = [name for name in NAMES if REFERENCE[name].schema != load_schema(name)]

    assert concerned == ["provision"]
    with pytest.raises(re.error, match=r"bad escape \\p"):
        Draft202012Validator(load_schema("provision")).is_valid({"organizations": [{"slug": "a", "name": "A"}]})


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
