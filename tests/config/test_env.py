from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config import env


def refusal(reader: Callable[[], Any]) -> str:
    with pytest.raises(SystemExit) as caught:
        reader()
    message = str(caught.value)
    assert message.startswith("gumshoe: NAME")
    assert "\n" not in message
    return message


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def give(value: str, name: str = "NAME") -> None:
        monkeypatch.setenv(name, value)

    return give


Given = Callable[..., None]


def test_unset_and_empty_variables_mean_the_default(given: Given) -> None:
    assert env.text("NAME", "default") == "default"
    given(" ")
    assert env.text("NAME", "default") == "default"
    assert env.flag("NAME", default=True) is True
    assert env.number("NAME", default=7) == 7
    assert env.words("NAME") == []


def test_text_loses_surrounding_white_space(given: Given) -> None:
    given(" a b\n")
    assert env.text("NAME", "") == "a b"


@pytest.mark.parametrize("value", ["1", "true", "Yes", "ON"])
def test_flag_is_on(given: Given, value: str) -> None:
    given(value)
    assert env.flag("NAME", default=False) is True


@pytest.mark.parametrize("value", ["0", "false", "No", "OFF"])
def test_flag_is_off(given: Given, value: str) -> None:
    given(value)
    assert env.flag("NAME", default=True) is False


def test_misspelt_flag_is_refused(given: Given) -> None:
    given("ture")
    assert refusal(lambda: env.flag("NAME", default=False)) == "gumshoe: NAME is 'ture': write true or false."


def test_number_in_bounds(given: Given) -> None:
    given("65535")
    assert env.number("NAME", 1, minimum=1, maximum=65535) == 65535


@pytest.mark.parametrize("value", ["0", "65536", "-1", "1.5", "1e3", "٣", "9" * 30, "x"])
def test_number_out_of_bounds_is_refused(given: Given, value: str) -> None:
    given(value)
    assert "write a whole number from 1 to 65535" in refusal(lambda: env.number("NAME", 1, minimum=1, maximum=65535))


def test_choice_names_what_is_allowed(given: Given) -> None:
    given("b")
    assert env.choice("NAME", "a", ("a", "b")) == "b"
    given("c")
    assert "write one of a, b." in refusal(lambda: env.choice("NAME", "a", ("a", "b")))


def test_words_are_stripped(given: Given) -> None:
    given(" a.example.com, ,b.example.com,")
    assert env.words("NAME") == ["a.example.com", "b.example.com"]


def test_secret_is_taken_literally(given: Given) -> None:
    given("$PATH #x")
    assert env.secret("NAME") == "$PATH #x"


def test_secret_from_a_file_loses_its_newline(given: Given, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("$x\n")
    given(str(tmp_path / "secret"), "NAME_FILE")
    assert env.secret("NAME") == "$x"
    given("wins")
    assert env.secret("NAME") == "wins"


def test_missing_secret_file_is_refused(given: Given, tmp_path: Path) -> None:
    given(str(tmp_path / "secret"), "NAME_FILE")
    assert "NAME_FILE cannot be read: No such file or directory" in refusal(lambda: env.secret("NAME"))


def test_a_secret_file_that_is_no_text_is_refused(given: Given, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"\xff")
    given(str(tmp_path / "secret"), "NAME_FILE")
    assert "NAME_FILE is not UTF-8 text" in refusal(lambda: env.secret("NAME"))


def test_directory_is_made(given: Given, tmp_path: Path) -> None:
    given(str(tmp_path / "a" / "b"))
    assert env.directory("NAME", Path("var")).is_dir()


def test_directory_that_cannot_be_made_is_refused(given: Given, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    given(str(tmp_path / "file" / "var"))
    assert "cannot be used: Not a directory" in refusal(lambda: env.directory("NAME", Path("var")))


@pytest.mark.parametrize("value", ["https://gumshoe.example.com/", "http://[::1]:8000"])
def test_url_has_no_trailing_slash(given: Given, value: str) -> None:
    given(value)
    assert env.url("NAME", "http://localhost") == value.rstrip("/")


@pytest.mark.parametrize("value", ["gumshoe.example.com", "ftp://example.com", "https://", "http://[bad", "http://a:b"])
def test_what_is_no_url_is_refused(given: Given, value: str) -> None:
    given(value)
    assert "write an address such as https://gumshoe.example.com." in refusal(lambda: env.url("NAME", ""))


def test_database_password_is_taken_literally(given: Given) -> None:
    given("postgres://me:$p%40@db.example.com:5433/gumshoe")
    database = env.database("NAME", "")
    assert (database["USER"], database["PASSWORD"], database["PORT"]) == ("me", "$p@", 5433)


@pytest.mark.parametrize(
    "value",
    [
        "mysql://localhost/x",
        "gumshoe",
        "postgres://me:secret@localhost:port/x",
        "postgres://x",
        "sqlite:///",
        "sqlite://",
    ],
)
def test_what_is_no_database_is_refused_without_repeating_it(given: Given, value: str) -> None:
    given(value)
    message = refusal(lambda: env.database("NAME", ""))
    assert "write sqlite:///path or postgres://user@host/name." in message
    assert "secret" not in message


UNENCODED_PASSWORDS = [
    (env.database, "postgres://gumshoe:s3cr3t/x@db.example.com/gumshoe"),
    (env.database, "postgres://gumshoe:s3cr3t#x@db.example.com/gumshoe"),
    (env.database, "postgres://gumshoe:1#s3cr3t@db.example.com/gumshoe"),
    (env.database, "postgres://gumshoe:s3cr3t[x@db.example.com/gumshoe"),
    (env.database, "postgres://gumshoe:x@db.example.com:s3cr3t/gumshoe"),
    (env.cache, "redis://:s3[cr3t@cache.example.com/0"),
    (env.cache, "redis://:s3cr3t/x@cache.example.com/0"),
    (env.cache, "redis://:s3cr3t#x@cache.example.com/0"),
    (env.email, "smtp://user:s3cr3t#x@mail.example.com"),
    (env.email, "smtp+tls://user:s3cr3t/x@mail.example.com:587"),
    (env.email, "smtp+ssl://user:s3[cr3t@mail.example.com"),
]


@pytest.mark.parametrize(("reader", "value"), UNENCODED_PASSWORDS)
def test_a_password_that_is_not_encoded_is_refused_without_repeating_it(
    given: Given, reader: Callable[[str, str], Any], value: str
) -> None:
    given(value)
    message = refusal(lambda: reader("NAME", ""))
    assert message.endswith("Percent-encode special characters of the password, such as %23 for #.")
    assert "cr3t" not in message


def test_what_has_no_scheme_is_not_repeated(given: Given) -> None:
    given("gumshoe-s3cr3t@db.example.com/gumshoe")
    assert "s3cr3t" not in refusal(lambda: env.database("NAME", ""))


def test_an_encoded_password_is_read(given: Given) -> None:
    given("postgres://gumshoe:s%23%2F%5B%40@db.example.com/gumshoe")
    assert env.database("NAME", "")["PASSWORD"] == "s#/[@"
    given("smtp://user:s%23%2F%5B%40@mail.example.com:25")
    assert env.email("NAME", "")["EMAIL_HOST_PASSWORD"] == "s#/[@"
    given("redis://:s%23%2F%5B%40@cache.example.com:6379/0")
    assert env.cache("NAME", "")["LOCATION"] == "redis://:s%23%2F%5B%40@cache.example.com:6379/0"


@pytest.mark.parametrize(
    ("value", "host", "port"),
    [
        ("postgres://me@a.example.com:5432,b.example.com:5433/x", "a.example.com,b.example.com", "5432,5433"),
        ("postgres://me@[::1]:5433/x", "::1", 5433),
        ("postgres:////run/postgresql/x", "/run/postgresql", ""),
        ("sqlite://:memory:", None, None),
    ],
)
def test_where_a_database_is(given: Given, value: str, host: str | None, port: object) -> None:
    given(value)
    database = env.database("NAME", "")
    assert (database.get("HOST"), database.get("PORT")) == (host, port)


@pytest.mark.parametrize("value", ["memcached://localhost", "redis://localhost/abc", "redis://localhost:x/0"])
def test_what_is_no_cache_is_refused(given: Given, value: str) -> None:
    given(value)
    assert "write redis://host:port/number." in refusal(lambda: env.cache("NAME", ""))


@pytest.mark.parametrize(("value", "rate"), [("600/m", "600/m"), ("1/s", "1/s"), ("off", None)])
def test_rate(given: Given, value: str, rate: str | None) -> None:
    given(value)
    assert env.rate("NAME", "1/d") == rate


@pytest.mark.parametrize("value", ["600", "0/m", "600/min", "m", "-1/s", "none"])
def test_what_is_no_rate_is_refused(given: Given, value: str) -> None:
    given(value)
    assert "write a rate such as 600/m (s, m, h or d), or off." in refusal(lambda: env.rate("NAME", "1/d"))


def test_dotenv_fills_in_what_is_not_set(given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTHER_NAME", raising=False)
    given("from the process")
    (tmp_path / ".env").write_text("NAME=from the file\nexport OTHER_NAME='$literal'\n")
    env.read_dotenv(tmp_path / ".env")
    assert env.text("NAME", "") == "from the process"
    assert env.text("OTHER_NAME", "") == "$literal"
    monkeypatch.delenv("OTHER_NAME")


def test_dotenv_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"DEBUG=\xff")
    with pytest.raises(env.SettingError, match="is not UTF-8 text: save it as UTF-8"):
        env.read_dotenv(tmp_path / ".env")


@pytest.mark.parametrize(("value", "threshold"), [("none", None), ("0", 0), (2, 2)])
def test_prepare_threshold(value: Any, threshold: int | None) -> None:
    assert env.prepare_threshold("NAME", value) == threshold


@pytest.mark.parametrize("value", ["abc", "-1", "1.5", ""])
def test_what_is_no_prepare_threshold_is_refused(value: str) -> None:
    assert "write a whole number, or none." in refusal(lambda: env.prepare_threshold("NAME", value))


def test_dotenv_may_be_missing(tmp_path: Path) -> None:
    env.read_dotenv(tmp_path / ".env")
