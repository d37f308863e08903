import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database as ``manage.py migrate`` leaves it, to copy."""
    directory = tmp_path_factory.mktemp("migrated")
    environment = {**os.environ, "VAR_DIR": str(directory), "DATABASE_URL": ""}
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], cwd=ROOT, env=environment, check=True)
    return directory / "gumshoe.sqlite3"
