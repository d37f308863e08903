"""How a call asks for a dry run, and how it does not."""

from urllib.parse import unquote

import pytest

from deployments.models import Deploy
from tests.conftest import World
from tests.registration.test_dry_run import try_out


@pytest.mark.parametrize("value", ["1", "true", "TRUE", "yes", " Yes ", "on", "%4fN"])
def test_yes(ci: World, value: str) -> None:
    assert try_out(ci, query=f"?dry_run={value}", sha="a")
    assert try_out(ci, query="", sha="a", dry_run=unquote(value))


@pytest.mark.parametrize("query", ["?dry_run", "?dry_run=", "?x=1&dry_run", "?dry_run&x=1", "?dry%5Frun"])
def test_the_bare_name_is_a_yes(ci: World, query: str) -> None:
    assert try_out(ci, query=query, sha="a")


@pytest.mark.parametrize("value", ["0", "false", "FALSE", "no", "off", "Off"])
def test_no(ci: World, value: str) -> None:
    assert ci.register(path=f"{ci.path}?dry_run={value}", sha="a").content == b"Success"
    assert ci.register(sha="b", dry_run=value).content == b"Success"


@pytest.mark.parametrize("query", ["?dry_run=1", "?dry_run"])
@pytest.mark.parametrize("value", [False, "0", "", None, "perhaps", [1]])
def test_a_body_switches_no_dry_run_off(ci: World, query: str, value: object) -> None:
    assert try_out(ci, query=query, sha="a", dry_run=value)


@pytest.mark.parametrize("value", [True, "1", "perhaps"])
def test_the_query_string_is_stronger_than_a_body(ci: World, value: object) -> None:
    assert ci.register(path=f"{ci.path}?dry_run=0", sha="a", dry_run=value).content == b"Success"


@pytest.mark.parametrize("value", ["", None, False, 0])
def test_a_body_that_asks_for_none(ci: World, value: object) -> None:
    assert ci.register(sha="a", dry_run=value).content == b"Success"


@pytest.mark.parametrize("value", ["perhaps", 2, [], {}, 1.5])
def test_neither_in_the_body(ci: World, value: object) -> None:
    assert ci.register(sha="a", dry_run=value).content == b"dry_run must be 1 or 0."
    assert not Deploy.objects.exists()


@pytest.mark.parametrize("query", ["?dry_run=2", "?dry_run=ture", "?dry_run=null", "?dry_run=1&dry_run=0"])
def test_neither(ci: World, query: str) -> None:
    answer = ci.register(path=ci.path + query, sha="a")

    assert (answer.status_code, answer.content) == (400, b"dry_run must be 1 or 0.")
    assert not Deploy.objects.exists()


@pytest.mark.parametrize("value", [True, 1])
def test_yes_as_json(ci: World, value: object) -> None:
    assert try_out(ci, query="", sha="a", dry_run=value)
