"""Strict readers of environment variables.

A wrong or missing value ends the process with one line, which names the variable and says what to write: every reader
raises :class:`SettingError`, which is a ``SystemExit``.
"""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from environ import Env

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}
REDIS_SECONDS = 0.2
# Not a URL, but environ reads it.
IN_MEMORY = "sqlite://:memory:"


class SettingError(SystemExit):
    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"gumshoe: {name} {problem}")


def read_dotenv(path: Path) -> None:
    """Read variables from ``path``, if that file exists. Those of the process itself come first."""
    if path.is_file():
        try:
            Env.read_env(str(path), overwrite=False)
        except UnicodeError:
            raise SettingError(str(path), "is not UTF-8 text: save it as UTF-8.") from None


def text(name: str, default: str) -> str:
    """The value without surrounding white space. An empty variable counts as not set."""
    return os.environ.get(name, "").strip() or default


def secret(name: str) -> str | None:
    """The value taken literally (``$`` has no meaning), from ``NAME`` or the file ``NAME_FILE``."""
    if value := os.environ.get(name):
        return value
    if path := os.environ.get(f"{name}_FILE"):
        return read_file(f"{name}_FILE", Path(path))
    return None


def read_file(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingError(name, f"cannot be read: {error.strerror}: {path}") from None
    except UnicodeError:
        raise SettingError(name, f"is not UTF-8 text: {path}") from None


def flag(name: str, default: bool) -> bool:
    value = text(name, str(default))
    if value.lower() not in TRUE | FALSE:
        raise SettingError(name, f"is {value!r}: write true or false.")
    return value.lower() in TRUE


def number(name: str, default: int, *, minimum: int = 0, maximum: int = 2**31 - 1) -> int:
    value = text(name, str(default))
    if not re.fullmatch(r"[0-9]{1,10}", value) or not minimum <= int(value) <= maximum:
        raise SettingError(name, f"is {value!r}: write a whole number from {minimum} to {maximum}.")
    return int(value)


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = text(name, default)
    if value not in allowed:
        raise SettingError(name, f"is {value!r}: write one of {', '.join(allowed)}.")
    return value


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list, without empty items and white space around items."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def directory(name: str, default: Path) -> Path:
    """The absolute path of a directory, which is created if it does not exist."""
    path = Path(text(name, str(default))).resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(name, f"cannot be used: {error.strerror}: {path}") from None
    return path


def url(name: str, default: str) -> str:
    """An http or https address without a trailing slash. It is empty if variable and default are."""
    value = text(name, default)
    if not value:
        return ""
    value = value.rstrip("/")
    try:
        parts = urlsplit(value)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise SettingError(name, f"is {value!r}: write an address such as https://gumshoe.example.com.")
    return value


def site_url(name: str, default: str) -> str:
    value = url(name, default)
    if urlsplit(value).path:
        raise SettingError(
            name, f"is {value!r}, but Gumshoe needs a host of its own: write {origin(value)}, without a path."
        )
    return value


def origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def required(name: str, *, because: str) -> str:
    if value := secret(name):
        return value
    raise SettingError(name, f"is not set, although {because}: set both.")


def split_service_url(name: str, value: str, *, example: str) -> SplitResult:
    """The parts of a server's address, which may name several hosts with commas between.

    Messages do not repeat ``value``, which may hold a password. The likely mistake is a password that was not encoded:
    everything after its ``#`` would be lost, and what precedes its ``/`` would be read as a port.
    """
    try:
        parts = urlsplit(value)
        for host in parts.netloc.rpartition("@")[2].split(","):
            _ = urlsplit(f"//{host}").port
        is_address = "#" not in value
    except ValueError:
        is_address = False
    if not is_address:
        raise SettingError(
            name,
            f"cannot be read: write {example}. Percent-encode special characters of the password, such as %23 for #.",
        )
    return parts


def service_url(name: str, default: str, *, schemes: tuple[str, ...], example: str) -> str:
    """The address of a server, taken literally. Messages do not repeat it, since it may hold a password."""
    value = secret(name) or default
    scheme, separator, _ = value.partition("://")
    if not separator:
        raise SettingError(name, f"has no scheme: write {example}.")
    if scheme not in schemes:
        raise SettingError(name, f"has the scheme {scheme!r}: write {example}.")
    if value != IN_MEMORY:
        parts = split_service_url(name, value, example=example)
        if scheme in ("redis", "rediss") and not re.fullmatch("/?[0-9]*", parts.path):
            raise SettingError(name, f"names a Redis database that is not a number: write {example}.")
    return value


def database(name: str, default: str) -> dict[str, Any]:
    """Django's settings of one database, from ``sqlite:///path`` or ``postgres://…``."""
    example = "sqlite:///path or postgres://user@host/name"
    value = service_url(name, default, schemes=("sqlite", "postgres", "postgresql"), example=example)
    config = dict(Env.db_url_config(value))
    if not config["NAME"] or (config["NAME"] == ":memory:" and value != IN_MEMORY):
        raise SettingError(name, f"names no database: write {example}.")
    return config


def prepare_threshold(name: str, value: Any) -> int | None:
    """After how many executions psycopg prepares a statement; ``None`` for never."""
    if value == "none":
        return None
    if not re.fullmatch("[0-9]{1,6}", str(value)):
        raise SettingError(name, "has a prepare_threshold that is not a number: write a whole number, or none.")
    return int(value)


def cache(name: str, default: str) -> dict[str, Any]:
    schemes = ("locmemcache", "redis", "rediss")
    value = service_url(name, default, schemes=schemes, example="redis://host:port/number")
    config = dict(Env.cache_url_config(value))
    if not value.startswith("locmemcache:"):
        # Imported here, since the client takes 20 MB and half a second.
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        # Calls of the API wait for the cache. By default the client would try four times, without a limit; one more
        # try is enough for a connection that Redis closed.
        limits = {"socket_connect_timeout": REDIS_SECONDS, "socket_timeout": REDIS_SECONDS}
        config["OPTIONS"] = {**limits, "retry": Retry(NoBackoff(), retries=1), **config.get("OPTIONS", {})}
    return config


def email(name: str, default: str) -> dict[str, Any]:
    """Django's settings of the mail server."""
    value = secret(name) or default
    if value == "console:":
        return dict(Env.email_url_config("consolemail://"))
    example = "smtp+tls://user:password@mail.example.com:587"
    parts = split_service_url(name, value, example=example)
    if parts.scheme not in ("smtp", "smtp+tls", "smtp+ssl") or not parts.hostname:
        raise SettingError(
            name,
            "must be console: (mails go to standard output), smtp://…, smtp+tls://… (STARTTLS, usually port 587) or "
            f"smtp+ssl://… (usually port 465), such as {example}.",
        )
    return dict(Env.email_url_config(value))


def rate(name: str, default: str) -> str | None:
    """A limit ``COUNT/UNIT`` (s, m, h or d), or ``None`` for ``off``."""
    value = text(name, default)
    if value == "off":
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,8}/[smhd]", value):
        raise SettingError(name, f"is {value!r}: write a rate such as 600/m (s, m, h or d), or off.")
    return value
