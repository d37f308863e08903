"""Many rows at once: COPY on PostgreSQL, one statement for all of them on SQLite."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from deployments.models import Deploy

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
