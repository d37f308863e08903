import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def read_settings(expression: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Settings are read once a process, so a test of their reading takes a process of its own."""
    code = f"from config import settings; print({expression})"
    environment = {**os.environ, **variables}
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)


def value_of(expression: str, **variables: str) -> str:
    result = read_settings(expression, variables)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set: write 50 random characters, or a path in SECRET_KEY_FILE."),
        ({"DEBUG": "ture"}, "DEBUG is 'ture': write true or false."),
        (
            {"SITE_URL": "https://example.com/gumshoe/"},
            "SITE_URL is 'https://example.com/gumshoe', but Gumshoe needs a host of its own: write "
            "https://example.com, without a path.",
        ),
        ({"PORT": "80000"}, "PORT is '80000': write a whole number from 1 to 65535."),
        (
            {"EMAIL_URL": "smtps://user:secret@mail.example.com"},
            "EMAIL_URL must be console: (mails go to standard output), smtp://…, smtp+tls://… (STARTTLS, usually "
            "port 587) or smtp+ssl://… (usually port 465), such as smtp+tls://user:password@mail.example.com:587.",
        ),
        (
            {"OIDC_ISSUER": "https://id.example.com", "OIDC_CLIENT_ID": "gumshoe"},
            "OIDC_CLIENT_SECRET is not set, although OIDC_ISSUER is set: set both.",
        ),
        (
            {"OIDC_ISSUER": "id.example.com"},
            "OIDC_ISSUER is 'id.example.com': write an address such as https://gumshoe.example.com.",
        ),
        (
            {"CELERY_BROKER_URL": "reddis://x"},
            "CELERY_BROKER_URL has the scheme 'reddis': write redis://host:port/number.",
        ),
    ],
)
def test_wrong_setting_prints_one_line(variables: dict[str, str], line: str) -> None:
    result = read_settings("settings.DEBUG", variables)
    assert (result.returncode, result.stdout, result.stderr) == (1, "", f"gumshoe: {line}\n")


def test_debug_needs_no_key() -> None:
    assert value_of("settings.SECRET_KEY", SECRET_KEY="", DEBUG="true") == "insecure-key-for-development"


def test_the_address_is_the_site_unless_said_otherwise() -> None:
    assert value_of("settings.SITE_URL", HOST="::1", PORT="8001") == "http://[::1]:8001"
    assert value_of("settings.SITE_URL", SITE_URL="https://gumshoe.example.com") == "https://gumshoe.example.com"


def test_the_site_is_an_allowed_host() -> None:
    hosts = value_of(
        "settings.ALLOWED_HOSTS", SITE_URL="https://gumshoe.example.com", ALLOWED_HOSTS="other.example.com"
    )
    assert "'gumshoe.example.com'" in hosts
    assert "'other.example.com'" in hosts


def test_mails_go_to_the_server_that_is_named() -> None:
    expression = (
        "settings.EMAIL_BACKEND.split('.')[4], settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_HOST_USER, "
        "settings.EMAIL_HOST_PASSWORD, settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL"
    )
    assert value_of(expression).startswith("console ")
    mail = "mail.example.com 587 user p@$s"
    assert value_of(expression, EMAIL_URL="smtp+tls://user:p%40$s@mail.example.com:587") == f"smtp {mail} True False"
    assert value_of(expression, EMAIL_URL="smtp+ssl://user:p%40$s@mail.example.com:587") == f"smtp {mail} False True"


def test_the_sender_is_at_the_site() -> None:
    site = {"SITE_URL": "https://gumshoe.example.com"}
    assert value_of("settings.DEFAULT_FROM_EMAIL", **site) == "Gumshoe <gumshoe@gumshoe.example.com>"
    assert (
        value_of("settings.DEFAULT_FROM_EMAIL", EMAIL_FROM="Ops <ops@example.com>", **site) == "Ops <ops@example.com>"
    )


def test_the_sign_in_form_may_lead_to_the_issuer_and_nowhere_else() -> None:
    expression = "settings.CONTENT_SECURITY_POLICY['DIRECTIVES']['form-action']"
    oidc = {"OIDC_ISSUER": "https://id.example.com/realms/acme/", "OIDC_CLIENT_ID": "a", "OIDC_CLIENT_SECRET": "b"}
    assert value_of(expression) == "[\"'self'\"]"
    assert value_of(expression, **oidc) == "[\"'self'\", 'https://id.example.com']"


def test_https_makes_cookies_secure() -> None:
    expression = "settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE, settings.SECURE_HSTS_SECONDS"
    assert value_of(expression, SITE_URL="https://gumshoe.example.com") == "True True 31536000"
    assert value_of(expression, SITE_URL="http://gumshoe.example.com") == "False False 0"


def test_the_path_of_the_database_may_hold_any_character(tmp_path: Path) -> None:
    var = tmp_path / "50 % #1? ü"
    path = value_of("settings.DATABASES['default']['NAME']", DATABASE_URL="", VAR_DIR=str(var))
    assert path == str(var / "gumshoe.sqlite3")


def test_sqlite_keeps_what_was_committed() -> None:
    options = value_of("settings.DATABASES['default']['OPTIONS']", DATABASE_URL="")
    assert "'transaction_mode': 'IMMEDIATE'" in options
    assert "PRAGMA synchronous=FULL" in options


def test_prepared_statements_can_be_switched_off() -> None:
    expression = "settings.DATABASES['default']['OPTIONS']['prepare_threshold']"
    assert value_of(expression, DATABASE_URL="postgres://localhost/x") == "2"
    assert value_of(expression, DATABASE_URL="postgres://localhost/x?prepare_threshold=none") == "None"
