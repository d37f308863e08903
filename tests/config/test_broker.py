"""What a full disk leaves in the folder that stands in for a broker ends no worker."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from kombu import Connection
from kombu.transport.filesystem import Transport

from config.broker import clear_leftovers

ROOT = Path(__file__).resolve().parents[2]
UNFINISHED = [b"", b'{"body": "W1tdLCB7', b"[]", b"\xff\xfe", b"null"]


def connection_of(folder: Path) -> Connection:
    options = {"data_folder_in": str(folder), "data_folder_out": str(folder), "control_folder": str(folder)}
    connection = Connection("filesystem://localhost", transport_options=options)
    # Kombu keeps in the process what it declared, for whatever folder.
    Transport.global_state.clear()
    return connection


@pytest.mark.parametrize("content", UNFINISHED)
def test_an_unfinished_message_is_deleted_and_whole_ones_stay(tmp_path: Path, content: bytes) -> None:
    with connection_of(tmp_path) as connection, connection.SimpleQueue("celery") as queue:
        queue.put({"task": "a"})
        (tmp_path / "1_first.celery.msg").write_bytes(content)
        (tmp_path / "others.txt").write_bytes(content)

        clear_leftovers(tmp_path)

        assert queue.get_nowait().payload == {"task": "a"}
    assert (tmp_path / "others.txt").exists()


@pytest.mark.parametrize("content", [*UNFINISHED[:2], b"{}", b'[["celery"]]', b'[["celery", "", "celery"]]"]]'])
def test_a_damaged_table_of_an_exchange_is_made_anew(tmp_path: Path, content: bytes) -> None:
    with connection_of(tmp_path) as connection, connection.SimpleQueue("celery"):
        [table] = tmp_path.glob("*.exchange")
    whole = table.read_bytes()
    clear_leftovers(tmp_path)
    assert table.read_bytes() == whole
    table.write_bytes(content)

    clear_leftovers(tmp_path)

    with connection_of(tmp_path) as connection, connection.SimpleQueue("celery") as queue:
        queue.put({"task": "a"})
        assert queue.get_nowait().payload == {"task": "a"}


def test_a_worker_starts_among_leftovers(tmp_path: Path, migrated: Path) -> None:
    broker = tmp_path / "broker"
    broker.mkdir()
    (broker / "1_first.celery.msg").write_bytes(b'{"body"')
    (broker / "celery.exchange").write_bytes(b'[["cel')
    environment = {**os.environ, "VAR_DIR": str(tmp_path), "DATABASE_URL": f"sqlite:///{migrated}"}
    command = [sys.executable, "-m", "celery", "--quiet", "--app", "config", "worker", "--loglevel", "INFO"]
    with (tmp_path / "log").open("w+b") as log:
        worker = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 120
            while not (ready := " ready." in (tmp_path / "log").read_text()) and worker.poll() is None:
                assert time.monotonic() < deadline
                time.sleep(0.2)
            assert ready, (tmp_path / "log").read_text()
        finally:
            worker.terminate()
            worker.wait(60)
