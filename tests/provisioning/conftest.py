import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from tests.provisioning.provisioning import Provision, Rejected, all_rows


@pytest.fixture
def provision(db: None, tmp_path: Path, settings: Settings) -> Provision:
    """Runs ``manage.py provision`` with a file of this text. Returns what it prints."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

    def run(text: str | bytes) -> Any:
        path = tmp_path / "file.yaml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        stdout = io.StringIO()
        call_command("provision", str(path), stdout=stdout)
        return json.loads(stdout.getvalue())

    return run


@pytest.fixture
def rejected(provision: Provision) -> Rejected:
    """Runs a file that must be rejected and store nothing. Returns the lines of the error."""

    def run(text: str | bytes) -> list[str]:
        before = all_rows()
        with pytest.raises(CommandError) as caught:
            provision(text)
        assert all_rows() == before
        return str(caught.value).split("\n")

    return run
