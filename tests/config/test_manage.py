"""``manage.py`` as a newcomer runs it: with the key of ``make run``, and without tracebacks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def manage(var_dir: Path, *arguments: str, python: str = sys.executable, **variables: str) -> tuple[int, str]:
    """The status, and the last line of what it says."""
    environment = {**os.environ, "VAR_DIR": str(var_dir), "DATABASE_URL": "", "SECRET_KEY": "", **variables}
    done = subprocess.run([python, "manage.py", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    return done.returncode, (done.stdout + done.stderr).strip().rpartition("\n")[2]


def test_the_key_that_make_run_made_is_found(tmp_path: Path) -> None:
    no_key = "gumshoe: SECRET_KEY is not set: write 50 random characters, or a path in SECRET_KEY_FILE."
    assert manage(tmp_path, "check") == (1, no_key)
    (tmp_path / "secret-key").write_text("what make run made, " * 3)
    assert manage(tmp_path, "check")[0] == 0
    (tmp_path / "secret-key").write_text("")
    assert manage(tmp_path, "check") == (1, no_key)
    assert manage(tmp_path, "check", SECRET_KEY="another one")[0] == 0


def test_a_database_without_tables_is_told_in_one_line(tmp_path: Path, migrated: Path) -> None:
    status, line = manage(tmp_path, "createsuperuser", "--no-input", "--email=a@example.com", SECRET_KEY="x")
    assert status == 1
    assert line == ("gumshoe: the database cannot be used: no such table: orgs_user. Was `manage.py migrate` run?")
    shutil.copy(migrated, tmp_path / "gumshoe.sqlite3")
    variables = {"SECRET_KEY": "x", "DJANGO_SUPERUSER_PASSWORD": "a long unusual sentence"}
    assert manage(tmp_path, "createsuperuser", "--no-input", "--email=a@example.com", **variables)[0] == 0


@pytest.mark.parametrize("command", [["manage.py", "check"], ["-m", "config.serve"], ["-m", "config.run"]])
def test_a_python_without_our_packages_says_which_one_to_use(tmp_path: Path, command: list[str]) -> None:
    python = tmp_path / "bin" / "python3"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path)], check=True)

    done = subprocess.run([python, *command], cwd=ROOT, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (
        1,
        f"gumshoe: {python} lacks what Gumshoe needs: use .venv/bin/python, which `make install` makes.\n",
    )
