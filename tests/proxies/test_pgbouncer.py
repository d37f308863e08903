"""Behind a real PgBouncer that gives each transaction another of two connections."""

import csv
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.proxies.asking import Answer, ask
from tests.proxies.programs import open_folder, program, running
from tests.serving import Server, free_port, own_database, serve_from

CALLS = 40
AT_ONCE = 4
# Long enough that a download reads it in several parts.
AUDITED = 3_000
WRITE_AUDIT_LOG = f"""
from orgs.models import AuditEvent, User
from orgs.roles import Role
from orgs.services import add_member
from tests.factories import signed_in
AuditEvent.objects.bulk_create(
    AuditEvent(organization=organization, action="project.renamed", actor_label="Ada", subject_type="project",
               subject_id=str(number), subject_label="Shop", changes={{}})
    for number in range({AUDITED})
)
user = User.objects.create_user("ada@example.com")
add_member(organization=organization, user=user, role=Role.ADMIN)
print(signed_in(user).cookies["sessionid"].value)
"""


@pytest.fixture
def pooled_url(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The addresses of one database: direct, and through the pooler."""
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        pytest.skip("is about PostgreSQL's connections")
    pgbouncer = program("pgbouncer", is_in_ci=True)
    port = free_port()
    with own_database(tmp_path) as url, open_folder() as folder:
        parts = urlsplit(url)
        password = f" password={parts.password}" if parts.password else ""
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n* = host={parts.hostname} port={parts.port or 5432} user={parts.username}{password}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
            "pool_mode = transaction\ndefault_pool_size = 2\n"
        )
        # It does not run as root, for whom it becomes somebody else.
        become = ["-u", "nobody"] if os.geteuid() == 0 else []
        with running([pgbouncer, *become, str(folder / "pgbouncer.ini")], port=port, folder=folder):
            yield url, f"postgres://gumshoe@127.0.0.1:{port}{parts.path}"


def register(server: Server, secret: str, number: int) -> Answer:
    return ask(
        server.port,
        "/api/1/deployments/acme/storefront/register_deploy",
        {"sha": f"{number:040x}"},
        headers={"Authorization": f"Bearer {secret}"},
    )


def test_every_call_is_stored_and_downloads_are_whole(pooled_url: tuple[str, str], tmp_path: Path) -> None:
    direct, pooled = pooled_url
    secret, session = serve_from(direct, tmp_path).make_world(WRITE_AUDIT_LOG)
    server = serve_from(pooled, tmp_path, DATABASE_POOL_MODE="transaction", API_RATE_LIMIT="off")
    server.start()
    try:
        with ThreadPoolExecutor(AT_ONCE) as clients:
            answers = list(clients.map(lambda number: register(server, secret, number), range(1, CALLS + 1)))
            assert [answer.status for answer in answers] == [200] * CALLS
            cookie = {"Cookie": f"sessionid={session}"}
            logs = list(
                clients.map(lambda _: ask(server.port, "/acme/audit?format=csv", headers=cookie), range(AT_ONCE))
            )
        for log in logs:
            assert log.status == 200
            assert len(list(csv.reader(log.text.splitlines()))) > AUDITED
        timeline = ask(
            server.port,
            "/api/1/organizations/acme/timeline?format=csv",
            headers={"Authorization": f"Bearer {secret}"},
        )
        assert len(timeline.text.splitlines()) == CALLS + 1
    finally:
        server.kill()
