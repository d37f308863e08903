"""Every setting is written down where people look for it."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def names(pattern: str, file: str) -> set[str]:
    return set(re.findall(pattern, (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE))


def settings_read() -> set[str]:
    return names(r'env\.[a-z_]+\(\s*"([A-Z_]+)"', "config/settings.py")


def settings_read_from_files() -> set[str]:
    return names(r'env\.(?:secret|database|cache|service_url|email|required)\(\s*"([A-Z_]+)"', "config/settings.py")


def test_env_example_lists_what_the_settings_read() -> None:
    files = {f"{name}_FILE" for name in settings_read_from_files()}
    assert names(r"^(?:# )?([A-Z_]+)=", ".env.example") == settings_read() | files


def test_the_readme_lists_what_the_settings_read() -> None:
    assert names(r"^\| `([A-Z_]+)` \|", "README.md") == settings_read()


def test_compose_passes_on_what_the_settings_read() -> None:
    """Except what the image and the other containers determine, and DEBUG, which others must not reach."""
    determined = {"HOST", "PORT", "VAR_DIR", "STATIC_ROOT", "DATABASE_URL", "CACHE_URL", "CELERY_BROKER_URL", "DEBUG"}
    determined.add("DATABASE_POOL_MODE")
    of_compose = {"POSTGRES_PASSWORD", "PUBLISH"}
    assert names(r"\$\{([A-Z_]+)", "compose.yaml") == settings_read() - determined | of_compose


def test_tests_do_not_see_what_the_machine_has_set() -> None:
    """DATABASE_URL passes, since the suite runs on SQLite and on PostgreSQL."""
    assert settings_read() <= names(r"\b([A-Z_]+)\b", "tests/environment.py")
