"""Many rows at once: COPY on PostgreSQL, one statement for all of them on SQLite."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from deployments.demo.filled_events import HABITS, CallLog, Company, Event, Habits, Lane, make_lanes
from deployments.models import ChangedFile, Deploy, Target
from deployments.registration.store import detail_rows
from orgs.models import Organization, User
from orgs.roles import Role
from orgs.services import add_member, create_organization
from tokens.models import AccessToken
from tokens.scopes import Scope
from tokens.services import create_token
from tokens.statements import as_parameter

# Kilobytes: the ends of all indexes stay in memory, where the usual 2 MB would be read and written over and over.
SQLITE_CACHE = 256 * 1024


def store_rows(model: type[Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """``rows`` have what the database driver takes for ``columns``."""
    names = ", ".join(f'"{column}"' for column in columns)
    table = model._meta.db_table  # noqa: SLF001 - Django's documented name for it
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            places = ", ".join(["%s"] * len(columns))
            cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({places})', rows)  # noqa: S608 - names of ours


def store_instances(instances: Sequence[Model]) -> None:
    """Of one model and without ids, which they do not get to know."""
    if not instances:
        return
    model = type(instances[0])
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]  # noqa: SLF001 - as above
    rows = [
        [field.get_db_prep_save(getattr(instance, field.attname), connection) for field in fields]
        for instance in instances
    ]
    store_rows(model, [str(field.column) for field in fields], rows)


def reserve_deploy_ids(count: int) -> int:
    """The first of so many ids that nobody else will get. Registrations wait for a moment."""
    table = Deploy._meta.db_table  # noqa: SLF001 - as above
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Who inserts has to wait before asking the sequence, and so finds it behind the reserved ids.
            cursor.execute(f'LOCK TABLE "{table}" IN SHARE ROW EXCLUSIVE MODE')
            sequence = "pg_get_serial_sequence(%s, 'id')"
            cursor.execute(f"SELECT setval({sequence}, nextval({sequence}) + %s)", [table, table, count - 1])
            (last,) = cursor.fetchone()
            return int(last) - count + 1
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        found = cursor.fetchone()
        if found is None:
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, 0)", [table])
        last = found[0] if found else 0
        cursor.execute("UPDATE sqlite_sequence SET seq = %s WHERE name = %s", [last + count, table])
        return int(last) + 1


@contextmanager
def in_one_transaction() -> Iterator[None]:
    """All or nothing, without the memory for checking millions of foreign keys at the end or reading pages again."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with transaction.atomic():
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                yield
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            return
        cursor.execute("PRAGMA cache_size")
        (before,) = cursor.fetchone()
        cursor.execute(f"PRAGMA cache_size = -{SQLITE_CACHE}")
        try:
            with transaction.atomic():
                yield
        finally:
            cursor.execute(f"PRAGMA cache_size = {before}")


# --- An organization with as many deploys as one wants to see pages at ---

TOKEN_NAME = "ci"


class OrganizationExists(Exception):
    """Its message says what to do."""


def fill_organization(
    *,
    slug: str,
    deployments: int,
    environments: int,
    deploys: int,
    owner: User | None,
    now: datetime,
    tell: Callable[[int], None],
    habits: Habits = HABITS,
) -> str:
    """Make it and give the secret of its access token. ``tell`` is told now and then how many deploys are stored.

    Raises OrganizationExists, and ValidationError for a slug that it cannot have. On SQLite nobody else can write until
    it is done.
    """
    if Organization.objects.filter(slug=slug).exists():
        raise OrganizationExists(f"There is an organization {slug} already: name a new one.")
    first_id = reserve_deploy_ids(deploys)
    with in_one_transaction():
        organization = create_organization(name=slug.replace("-", " ").capitalize(), slug=slug)
        if owner:
            add_member(organization=organization, user=owner, role=Role.OWNER)
        token, secret = create_token(
            organization=organization, name=TOKEN_NAME, scopes=(Scope.REGISTER_DEPLOY, Scope.READ), created_by=owner
        )
        lanes = make_lanes(organization, deployments=deployments, environments=environments)
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        company = Company(seed=slug, deployments=deployments, environments=environments, habits=habits, today=today)
        log = CallLog(token, lanes, share_rejected_before=habits.share_rejected_before, now=now)
        filling = Filling(organization, token, lanes, log, first_id=first_id)
        for events in company.tell(deploys):
            filling.store(events)
            tell(filling.stored)
        filling.set_live()
    return secret


class Filling:
    """Stores what happened, part by part, and remembers what is live."""

    def __init__(
        self,
        organization: Organization,
        token: AccessToken,
        lanes: Sequence[Sequence[Lane]],
        log: CallLog,
        *,
        first_id: int,
    ) -> None:
        self.organization = organization
        self.token = token
        self.lanes = lanes
        self.first_id = first_id
        self.stored = 0
        self.live: dict[int, int] = {}
        self.log = log

    def store(self, events: Sequence[Event]) -> None:
        """``events`` are in order, and those that undid each other are among them."""
        if not events:
            return
        for event in events:
            event.id = self.first_id + self.stored
            self.stored += 1
            self.live[self.lane(event).target.pk] = event.id
        # Rollbacks before what they undid: while a row names one that is not there yet, SQLite looks through all calls
        # and deploys for what else may be waiting for the row it inserts.
        undone_last = sorted(events, key=lambda event: event.rolled_back_by is not None)
        rows = [self.columns_of(event) for event in undone_last]
        store_rows(Deploy, tuple(rows[0]), [tuple(row.values()) for row in rows])
        for instances in self.details(events):
            store_instances(instances)
        store_instances([call for event in events for call in self.log.calls_of(event)])
        for event in events:
            event.forget()

    def lane(self, event: Event) -> Lane:
        return self.lanes[event.deployment][event.environment]

    def columns_of(self, event: Event) -> dict[str, Any]:
        lane, at = self.lane(event), as_parameter(event.at)
        columns = {
            "organization_id": self.organization.pk,
            "project_id": lane.deployment.project_id,
            "deployment_id": lane.deployment.pk,
            "environment_id": lane.target.environment_id,
            "target_id": lane.target.pk,
            "token_id": self.token.pk,
            **event.registration.columns(event.at),
            "deployed_at": at,
            "created_at": at,
            "updated_at": at,
            "id": event.id,
            "restores_id": event.restores.id if event.restores else None,
            "rolled_back_by_id": event.rolled_back_by.id if event.rolled_back_by else None,
        }
        columns["first_commit_at"] = as_parameter(columns["first_commit_at"])
        return columns

    def details(self, events: Sequence[Event]) -> Iterator[Sequence[Model]]:
        rows: dict[type[Model], list[Model]] = {}
        for event in events:
            for model, instances in detail_rows(event.id, event.registration).items():
                rows.setdefault(model, []).extend(instances)
        yield from rows.values()
        yield [
            ChangedFile(deploy_id=event.id, path=file.path, additions=file.additions, deletions=file.deletions)
            for event in events
            for file in event.registration.files
        ]

    def set_live(self) -> None:
        targets = [Target(pk=target, live_deploy_id=deploy) for target, deploy in self.live.items()]
        Target.objects.bulk_update(targets, ["live_deploy"], batch_size=500)
