"""The form of a token's secret, which secret scanners rely on."""

import re
import zlib

import pytest

from orgs.text import digest
from tokens import secrets
from tokens.scopes import Scope, allows
from tokens.services import join_scopes

BASE_62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    ("random", "checksum"),
    [
        # The CRC-32 of these are well known: 0x00000000, 0xCBF43926 and 0xE8B7BE43. Written in base 62 by bc.
        ("", "000000"),
        ("123456789", "3jZRME"),
        ("a", "4GEHKN"),
    ],
)
def test_checksum_vectors(random: str, checksum: str) -> None:
    assert secrets.checksum(random) == checksum


def test_a_secret_ends_in_the_checksum_of_its_random_part() -> None:
    for _ in range(200):
        secret = secrets.new_secret()
        assert re.fullmatch(r"gum_[0-9A-Za-z]{38}", secret)
        number = 0
        for digit in secret[-6:]:
            number = number * 62 + BASE_62.index(digit)
        assert number == zlib.crc32(secret[4:36].encode())


def test_secrets_differ_and_use_the_whole_alphabet() -> None:
    made = [secrets.new_secret() for _ in range(200)]

    assert len(set(made)) == 200
    assert {letter for secret in made for letter in secret[4:36]} == set(BASE_62)


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ],
)
def test_digest_vectors(secret: str, expected: str) -> None:
    assert digest(secret) == expected


@pytest.mark.parametrize("secret", ["ä", "\ud800", "\0", "x" * 100_000], ids=ascii)
def test_any_text_has_a_digest(secret: str) -> None:
    assert re.fullmatch("[0-9a-f]{64}", digest(secret))


def test_a_hint_tells_secrets_apart_and_gives_nothing_away() -> None:
    assert secrets.hint("gum_0123456789abcdefghijklmnopqrstuvXYZABC") == "gum_0123…ZABC"


def test_secrets_are_blotted_out_wherever_they_stand() -> None:
    secret = secrets.new_secret()
    encoded = secret.replace("_", "%5F")
    sent = {"a": [f"see ?token={secret}&x={encoded}", 1, None], secret: {"b": secret}}

    blotted = {"a": ["see ?token=[redacted]&x=[redacted]", 1, None], "[redacted]": {"b": "[redacted]"}}
    assert secrets.without_secrets(sent) == blotted


@pytest.mark.parametrize("text", ["gum_components/index.ts", f"gum_{'a' * 38}", f"gum_{'a' * 60}", "gum_", ""])
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    assert secrets.without_secrets({"branch": text}) == {"branch": text}


@pytest.mark.parametrize(
    ("granted", "allowed"),
    [
        ([Scope.REGISTER_DEPLOY], {Scope.REGISTER_DEPLOY}),
        ([Scope.READ], {Scope.READ}),
        ([Scope.REGISTER_IMPACT, Scope.READ], {Scope.REGISTER_IMPACT, Scope.READ}),
        ([Scope.ALL], set(Scope)),
        ([], set()),
    ],
)
def test_what_scopes_allow(granted: list[Scope], allowed: set[Scope]) -> None:
    assert {scope for scope in Scope if allows(join_scopes(granted), scope)} == allowed
