"""Programs of other people that stand between clients and us, or between us and PostgreSQL."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from socket import create_connection
from tempfile import TemporaryDirectory

import pytest

SECONDS_TO_START = 20


def program(name: str, *, is_in_ci: bool = False) -> str:
    """Where it is installed. Without it the test is skipped, and fails where CI should have installed it."""
    # Debian keeps servers where only root's shell looks.
    if found := shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
        return found
    if is_in_ci and os.environ.get("CI") == "true":
        pytest.fail(f"{name} is not installed")
    pytest.skip(f"{name} is not installed")


@contextmanager
def open_folder() -> Iterator[Path]:
    """Others may enter it: started by root, these programs become somebody else."""
    with TemporaryDirectory(prefix="gumshoe-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def running(command: Sequence[str], *, port: int, folder: Path) -> Iterator[None]:
    """Until the end of the block; it begins when somebody listens at the port."""
    log = folder / f"{Path(command[0]).name}.log"
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output, cwd=folder) as process:
        try:
            deadline = time.monotonic() + SECONDS_TO_START
            while not listens(port):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.02)
            yield
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()


def listens(port: int) -> bool:
    try:
        with closing(create_connection(("127.0.0.1", port), timeout=1)):
            return True
    except OSError:
        return False
