"""What was forgotten before the start is told in a line, at the start and by ``/readyz``."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings

from config import readiness

ROOT = Path(__file__).resolve().parents[2]


def lines_at_start(var_dir: Path, **variables: str) -> list[str]:
    environment = {**os.environ, "VAR_DIR": str(var_dir), "DATABASE_URL": "", **variables}
    done = subprocess.run(
        [sys.executable, "-m", "config.readiness"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")
    return [line for line in done.stderr.splitlines() if "UserWarning" not in line and "mw_instance" not in line]


def test_the_start_says_each_thing_that_was_forgotten(tmp_path: Path, migrated: Path) -> None:
    (tmp_path / "static").mkdir()
    [migrations, static] = lines_at_start(tmp_path)
    assert re.fullmatch(r"gumshoe: The database lacks \d+ migrations: run `manage\.py migrate`\.", migrations)
    assert static == (
        f"gumshoe: {tmp_path}/static lacks static files: run `manage.py collectstatic --no-input`, then start again."
    )
    shutil.copy(migrated, tmp_path / "gumshoe.sqlite3")
    assert lines_at_start(tmp_path) == [static]
    assert lines_at_start(tmp_path, DEBUG="true") == []
    [away] = lines_at_start(tmp_path, DEBUG="true", DATABASE_URL=f"sqlite:///{tmp_path}/nowhere/x")
    assert away == "gumshoe: The database of DATABASE_URL cannot be used: unable to open database file"


@pytest.fixture
def _asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    questions = [readiness.forgotten_migrations, readiness.forgotten_static_files]
    monkeypatch.setattr(readiness, "open_questions", questions)


@pytest.mark.django_db
@pytest.mark.usefixtures("_asked_anew")
def test_ready_once_all_migrations_are_there(client: Client, migrated: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE django_migrations (id bigint, app varchar(255), name varchar(255), applied timestamp)"
        )
    with override_settings(MIGRATION_MODULES={}):
        response = client.get("/readyz")
        assert response.status_code == 503
        assert re.fullmatch(r"The database lacks \d+ migrations: run `manage\.py migrate`\.", response.content.decode())
        done = subprocess.run(
            [shutil.which("python3") or sys.executable, "-c", LIST_MIGRATIONS, str(migrated)],
            capture_output=True,
            text=True,
            check=True,
        )
        with connection.cursor() as cursor:
            for line in done.stdout.splitlines():
                cursor.execute("INSERT INTO django_migrations (app, name) VALUES (%s, %s)", line.split())
        assert (client.get("/readyz").status_code, client.get("/readyz").content) == (200, b"ok")


LIST_MIGRATIONS = """
import sqlite3, sys
for row in sqlite3.connect(sys.argv[1]).execute("SELECT app, name FROM django_migrations"):
    print(*row)
"""


@pytest.mark.django_db
@pytest.mark.usefixtures("_asked_anew")
def test_ready_once_static_files_are_collected(client: Client, tmp_path: Path) -> None:
    backend = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    collected = {"STORAGES": settings.STORAGES | {"staticfiles": backend}, "STATIC_ROOT": str(tmp_path)}
    with override_settings(**collected):
        assert (client.get("/readyz").status_code, client.get("/readyz").content.decode()) == (
            503,
            f"{tmp_path} lacks static files: run `manage.py collectstatic --no-input`, then start again.",
        )
        call_command("collectstatic", interactive=False, verbosity=0)
    with override_settings(**collected):
        assert client.get("/readyz").status_code == 200
