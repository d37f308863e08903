"""Which live deploys need attention because they are behind, differ, are rolled back or stale."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from tokens.statements import as_parameter

STALE_AFTER = timedelta(days=30)
MOST_BEHIND = 100

# A live deploy is compared with the nearest environment before it in the promotion path in which anything is live. It
# is behind by the deploys that followed the latest deploy of the same sha there, not counting rollbacks and deploys
# that were rolled back. If its sha was never deployed there, nobody can tell whether it is behind: NULL.
# Short-lived environments come after the path: they are neither behind nor before another one.
# COALESCE makes SQLite look up the sha instead of reading the target's history in order of time.
FIND_STATUSES = """
WITH live AS (
    SELECT target.id, target.deployment_id, deploy.sha, deploy.deployed_at, deploy.restores_id,
           CASE WHEN environment.ends_at IS NULL THEN LAG(target.id) OVER path END AS before_id,
           CASE WHEN environment.ends_at IS NULL THEN LAG(deploy.sha) OVER path END AS before_sha
    FROM deployments_deployment deployment
    JOIN deployments_target target ON target.deployment_id = deployment.id
    JOIN orgs_environment environment ON environment.id = target.environment_id AND environment.deleted_at IS NULL
    JOIN deployments_deploy deploy ON deploy.id = target.live_deploy_id
    WHERE deployment.{scope} = %s AND deployment.deleted_at IS NULL
    WINDOW path AS (PARTITION BY target.deployment_id ORDER BY environment.position, environment.id)
)
SELECT id, deployment_id, CASE
    WHEN before_id IS NULL OR sha = before_sha THEN 0
    WHEN NOT EXISTS (
        SELECT 1 FROM deployments_deploy
        WHERE target_id = live.before_id AND sha = live.sha AND deleted_at IS NULL AND status = 'succeeded'
    ) THEN NULL
    ELSE (
    SELECT COUNT(*) FROM (
        SELECT 1
        FROM (
            SELECT deployed_at, id FROM deployments_deploy
            WHERE target_id = live.before_id AND sha = live.sha AND deleted_at IS NULL AND status = 'succeeded'
            ORDER BY COALESCE(deployed_at, deployed_at) DESC, id DESC LIMIT 1
        ) same
        CROSS JOIN deployments_deploy later
        WHERE later.target_id = live.before_id AND later.deployed_at >= same.deployed_at
          AND (later.deployed_at > same.deployed_at OR later.id > same.id)
          AND later.deleted_at IS NULL AND later.status = 'succeeded'
          AND later.restores_id IS NULL AND later.rolled_back_by_id IS NULL
        LIMIT %s
    ) standing
) END, restores_id IS NOT NULL, deployed_at < %s
FROM live
"""
STATUSES_OF_ORGANIZATION = FIND_STATUSES.format(scope="organization_id")
STATUSES_OF_DEPLOYMENT = FIND_STATUSES.format(scope="id")


@dataclass(frozen=True, slots=True)
class LiveStatus:
    """``behind`` stops counting at MOST_BEHIND. It is None if the sha differs from what is live before it in the path
    and was never deployed there, so that nobody can tell."""

    deployment_id: int = 0
    behind: int | None = 0
    is_rollback: bool = False
    is_stale: bool = False

    @property
    def differs(self) -> bool:
        return self.behind is None

    @property
    def is_off(self) -> bool:
        """Whether it is not what one expects there; to be stale alone is less."""
        return self.differs or bool(self.behind) or self.is_rollback


NORMAL = LiveStatus()
STATUS_FILTERS: dict[str, Callable[[LiveStatus], bool]] = {
    "behind": lambda status: bool(status.behind),
    "differs": lambda status: status.differs,
    "rolled-back": lambda status: status.is_rollback,
    "stale": lambda status: status.is_stale,
}


def find_statuses(organization_id: int, now: datetime, *, deployment_id: int | None = None) -> dict[int, LiveStatus]:
    """By target, for an organization's deployments or only one of them. Leaves out targets whose status is NORMAL."""
    statement = STATUSES_OF_ORGANIZATION if deployment_id is None else STATUSES_OF_DEPLOYMENT
    values = [deployment_id or organization_id, MOST_BEHIND, as_parameter(now - STALE_AFTER)]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows = cursor.fetchall()
    return {
        target_id: LiveStatus(deployment, behind, bool(is_rollback), bool(is_stale))
        for target_id, deployment, behind, is_rollback, is_stale in rows
        if behind != 0 or is_rollback or is_stale
    }
