"""An organization with as many deploys as somebody wants to see pages with."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import OuterRef, Subquery

from deployments.demo.calls import Ci
from deployments.demo.company import HABITS, Company, FilledDeploy, Habits, make_lanes
from deployments.models import Call, Deploy, Target
from deployments.registration.statements import take_deploy_ids
from deployments.registration.store import store_details
from orgs.models import Organization, User
from orgs.roles import Role
from orgs.services import add_member, create_organization
from tokens.models import AccessToken
from tokens.scopes import Scope
from tokens.services import create_token
from tokens.statements import as_parameter, insert_sql

TOKEN_NAME = "ci"
# Kilobytes: the ends of all indexes stay in memory. SQLite would read and write them over and over with its usual 2 MB.
SQLITE_CACHE = 256 * 1024


class OrganizationExists(Exception):
    """The message says what to do."""


@transaction.atomic
def fill_organization(
    *,
    slug: str,
    deployments: int,
    environments: int,
    deploys: int,
    owner: User | None,
    now: datetime,
    report_progress: Callable[[int, int], None],
    habits: Habits = HABITS,
) -> str:
    """Make the organization and return the secret of its access token.

    ``report_progress`` is called now and then with the numbers of deploys stored before and now. Nobody else can write
    to SQLite until the end. Raises OrganizationExists, and ValidationError for a slug that it cannot have.
    """
    if Organization.objects.filter(slug=slug).exists():
        raise OrganizationExists(f"There is an organization {slug} already: name a new one.")
    prepare_connection()
    organization = create_organization(name=slug.replace("-", " ").capitalize(), slug=slug)
    if owner:
        add_member(organization=organization, user=owner, role=Role.OWNER)
    token, secret = create_token(
        organization=organization, name=TOKEN_NAME, scopes=(Scope.REGISTER_DEPLOY, Scope.READ), created_by=owner
    )
    lanes = make_lanes(organization, deployments=deployments, environments=environments)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    company = Company(lanes, seed=slug, habits=habits, today=today)
    log = CallLog(token, share_rejected_before=habits.share_rejected_before, now=now)
    stored = 0
    for made in company.make_deploys(deploys):
        store_deploys(made, token)
        Call.objects.bulk_create(call for deploy in made for call in log.calls_of(deploy))
        report_progress(stored, stored + len(made))
        stored += len(made)
        for deploy in made:
            # So that a long history is not kept in memory.
            deploy.restores = deploy.rolled_back_by = None
    newest = Deploy.succeeded.filter(target=OuterRef("pk")).order_by("-deployed_at", "-id").values("pk")[:1]
    Target.objects.filter(deployment__organization=organization).update(live_deploy=Subquery(newest))
    return secret


def prepare_connection() -> None:
    """For millions of rows in one transaction: until its end on PostgreSQL, until the connection's end on SQLite."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Otherwise millions of checks of foreign keys would wait in memory for the end.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        else:
            cursor.execute(f"PRAGMA cache_size = -{SQLITE_CACHE}")


def store_deploys(deploys: Sequence[FilledDeploy], token: AccessToken) -> None:
    """Store these deploys with their details, and set their ids. The live deploys of their targets stay as they are."""
    for id_, deploy in zip(take_deploy_ids(len(deploys)), deploys, strict=True):
        deploy.id = id_
    # Rollbacks come before what they undo: while a row names one that is not there yet, SQLite looks through all calls
    # and deploys for others that may wait for the row it inserts.
    undone_last = sorted(deploys, key=lambda deploy: deploy.rolled_back_by is not None)
    copy_deploys([deploy_row(deploy, token) for deploy in undone_last])
    for deploy in deploys:
        store_details(deploy.id, deploy.registration)


def deploy_row(deploy: FilledDeploy, token: AccessToken) -> dict[str, Any]:
    lane, at = deploy.lane, as_parameter(deploy.at)
    return {
        "id": deploy.id,
        "organization_id": token.organization_id,
        "project_id": lane.deployment.project_id,
        "deployment_id": lane.deployment.pk,
        "environment_id": lane.environment.pk,
        "target_id": lane.target.pk,
        "token_id": token.pk,
        **deploy.registration.columns(deploy.at),
        "first_commit_at": as_parameter(deploy.registration.first_commit_at),
        "deployed_at": at,
        "created_at": at,
        "updated_at": at,
        "restores_id": deploy.restores.id if deploy.restores else None,
        "rolled_back_by_id": deploy.rolled_back_by.id if deploy.rolled_back_by else None,
    }


def copy_deploys(rows: Sequence[Mapping[str, Any]]) -> None:
    """Each row has the same columns, with values that the database's driver takes."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY deployments_deploy ({', '.join(rows[0])}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(tuple(row.values()))
        else:
            cursor.executemany(insert_sql("deployments_deploy", rows[0]), [tuple(row.values()) for row in rows])


class CallLog:
    """Made-up lines, as many as the real request log would have kept."""

    def __init__(self, token: AccessToken, *, share_rejected_before: float, now: datetime) -> None:
        self.share_rejected_before = share_rejected_before
        self.since = now - timedelta(days=settings.REQUEST_LOG_DAYS)
        self.kept: Counter[date] = Counter()
        self.random = Random(token.organization.slug)  # noqa: S311 - no secret comes from it
        self.ci = Ci(token, self.random)

    def calls_of(self, deploy: FilledDeploy) -> Iterator[Call]:
        """The call that registered a deploy, and now and then a rejected one before it."""
        day = deploy.at.date()
        if deploy.at < self.since or self.kept[day] >= settings.REQUEST_LOG_PER_DAY:
            return
        self.kept[day] += 1
        deployment = deploy.lane.deployment
        if self.random.random() < self.share_rejected_before:
            misspelt = deploy.body | {"environment": "prod"}
            before = deploy.at - timedelta(minutes=1)
            yield self.ci.send(deployment, misspelt, at=before)
        body = deploy.body | {"environment": deploy.lane.environment.slug}
        yield self.ci.line(deployment, body, at=deploy.at, deploy_id=deploy.id)
