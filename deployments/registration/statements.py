"""The SQL that every registration runs, kept out of the ORM because it is the hot path.

All but the insert of a live deploy are the same for SQLite and PostgreSQL. Tests compare each with the answer of the
ORM.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connection

from deployments.errors import TargetMoved
from deployments.registration.registration import NewFile
from deployments.shas import HASH, SHORTEST, successor
from tokens.statements import as_datetime, as_parameter, insert_sql


@dataclass(frozen=True, slots=True)
class TargetRow:
    """A deployment in one of its project's environments; ``target_id`` is None until something happened there.
    ``short_lived_days`` is how long a short-lived environment lives after a deploy, and None for the others."""

    deployment_id: int
    deployment_slug: str
    project_id: int
    project_slug: str
    environment_id: int
    environment_slug: str
    environment_name: str
    is_default: bool
    target_id: int | None
    branch_match: str | None
    branch: str | None
    records_redeploys: bool
    short_lived_days: int | None


@dataclass(frozen=True, slots=True)
class PastDeploy:
    id: int
    sha: str
    version: str
    deployed_at: datetime


FIND_TARGETS = """
SELECT deployment.id, deployment.slug, project.id, project.slug,
       environment.id, environment.slug, environment.name, environment.is_default,
       target.id, target.branch_match, target.branch, deployment.records_redeploys,
       CASE WHEN environment.ends_at IS NOT NULL THEN project.short_lived_days END
FROM deployments_deployment deployment
JOIN orgs_project project ON project.id = deployment.project_id
JOIN orgs_environment environment ON environment.project_id = deployment.project_id
LEFT JOIN deployments_target target
       ON target.deployment_id = deployment.id AND target.environment_id = environment.id
WHERE deployment.organization_id = %s AND deployment.slug = %s AND deployment.deleted_at IS NULL
  AND environment.deleted_at IS NULL
ORDER BY environment.position, environment.id
"""


def find_targets(organization_id: int, deployment_slug: str) -> list[TargetRow]:
    """The environments a deployment may go to, in promotion order. Empty if the organization has no such deployment."""
    with connection.cursor() as cursor:
        cursor.execute(FIND_TARGETS, [organization_id, deployment_slug])
        return [TargetRow(*row) for row in cursor.fetchall()]


LOCK_TARGET = "SELECT live_deploy_id, environment_id FROM deployments_target WHERE id = %s"


def lock_target(target_id: int) -> tuple[int | None, int]:
    """Lock the target until the transaction ends. Returns the ids of its live deploy and its environment.

    Raises TargetMoved if the target was deleted since it was read.

    SQLite has no row locks: there the whole transaction waited when it began (BEGIN IMMEDIATE).
    """
    lock = " FOR UPDATE" if connection.features.has_select_for_update else ""
    with connection.cursor() as cursor:
        cursor.execute(LOCK_TARGET + lock, [target_id])
        if (row := cursor.fetchone()) is None:
            raise TargetMoved("The target was just deleted: send the call again.")
    live_deploy_id, environment_id = row
    return live_deploy_id, environment_id


# A separate statement after the lock: a statement of PostgreSQL sees the deploys as they were before it waited.
FIND_LIVE_AND_LATEST = """
SELECT id, sha, version, deployed_at FROM deployments_deploy WHERE id = %s
UNION ALL
SELECT id, sha, version, deployed_at FROM (
    SELECT id, sha, version, deployed_at FROM deployments_deploy
    WHERE target_id = %s AND sha = %s AND deleted_at IS NULL AND status = 'succeeded'
    ORDER BY deployed_at DESC, id DESC LIMIT 1
) latest
"""
# Other names that the commit may have begin with the same digits. Two ranges, since the sha itself may be there often.
FIND_RELATIVES = """
UNION ALL
SELECT MIN(id), sha, '', MIN(deployed_at) FROM deployments_deploy
WHERE target_id = %s AND sha >= %s AND sha < %s AND deleted_at IS NULL AND status = 'succeeded' GROUP BY sha
UNION ALL
SELECT MIN(id), sha, '', MIN(deployed_at) FROM deployments_deploy
WHERE target_id = %s AND sha > %s AND sha < %s AND deleted_at IS NULL AND status = 'succeeded' GROUP BY sha
"""


def find_live_and_latest(
    *, target_id: int, live_deploy_id: int | None, sha: str
) -> tuple[PastDeploy | None, PastDeploy | None, set[str]]:
    """The target's live deploy, its latest deploy of exactly ``sha``, and the other shas there that may mean the same
    commit."""
    statement, values = FIND_LIVE_AND_LATEST, [live_deploy_id, target_id, sha]
    if is_hash := HASH.fullmatch(sha) is not None:
        start = sha[:SHORTEST]
        statement += FIND_RELATIVES
        values += [target_id, start, sha, target_id, sha, successor(start)]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows = [
            PastDeploy(id_, sha_, version, as_datetime(at))  # type: ignore[arg-type]  # it is never null
            for id_, sha_, version, at in cursor.fetchall()
        ]
    live = next((row for row in rows if row.id == live_deploy_id), None)
    latest = next((row for row in rows if row.sha == sha), None)
    alike = {row.sha for row in rows if row.sha != sha and row.sha.startswith(sha[:SHORTEST]) and is_hash}
    return live, latest, alike


SET_LIVE_DEPLOY = "UPDATE deployments_target SET live_deploy_id = %s WHERE id = %s"
# Both at once, which only PostgreSQL can do.
INSERT_LIVE_DEPLOY = """
WITH deploy AS ({insert}, target_id),
live AS (
    UPDATE deployments_target target SET live_deploy_id = deploy.id FROM deploy WHERE target.id = deploy.target_id
)
SELECT id FROM deploy
"""


@cache
def insert_statement(columns: tuple[str, ...], *, sets_live: bool) -> str:
    insert = f"{insert_sql('deployments_deploy', columns)} RETURNING id"
    return INSERT_LIVE_DEPLOY.format(insert=insert) if sets_live else insert


def insert_deploy(columns: Mapping[str, Any], *, is_live: bool) -> int:
    """``columns`` has values by the names of columns. The database has defaults for the others (models.Deploy)."""
    at_once = is_live and connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute(
            insert_statement(tuple(columns), sets_live=at_once),
            [as_parameter(value) if isinstance(value, datetime) else value for value in columns.values()],
        )
        (deploy_id,) = cursor.fetchone()
        if is_live and not at_once:
            cursor.execute(SET_LIVE_DEPLOY, [deploy_id, columns["target_id"]])
    return deploy_id  # type: ignore[no-any-return]  # a column of a raw statement


# The sequence is looked up once, and not for each id.
TAKE_DEPLOY_IDS = """
SELECT array_agg(nextval((SELECT pg_get_serial_sequence('deployments_deploy', 'id')::regclass)))
FROM generate_series(1, %s)
"""


def take_deploy_ids(count: int) -> Sequence[int]:
    """Ascending ids that no other deploy gets. Call this in a transaction."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(TAKE_DEPLOY_IDS, [count])
            return cursor.fetchone()[0]  # type: ignore[no-any-return]  # a column of a raw statement
        # This transaction is the only one that writes, and rows with ids of their own move the sequence on.
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = 'deployments_deploy'")
        (last,) = cursor.fetchone() or (0,)
        return range(last + 1, last + 1 + count)


# A deploy may have 50,000 files. The ORM takes three times as long for them.
INSERT_FILE = insert_sql("deployments_changedfile", ("deploy_id", "path", "additions", "deletions", "url"))


def insert_files(*, deploy_id: int, files: Sequence[NewFile]) -> None:
    with connection.cursor() as cursor:
        rows = [(deploy_id, file.path, file.additions, file.deletions, file.url) for file in files]
        cursor.executemany(INSERT_FILE, rows)
