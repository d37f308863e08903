"""Emptying the tables after a test that commits.

Django truncates each table, which takes PostgreSQL most of a second, and then writes the content types and permissions
again. Here rows are deleted, in one transaction at whose end foreign keys are checked, and those two tables are kept.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models.signals import post_migrate

KEPT = {Permission._meta.db_table, ContentType._meta.db_table}


@contextmanager
def flushing_by_deletion() -> Iterator[None]:
    def sql_flush(self: Any, style: Any, tables: list[str], **options: Any) -> list[str]:
        return [f"DELETE FROM {self.quote_name(table)}" for table in sorted(set(tables) - KEPT)]  # noqa: S608

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(connection.ops), "sql_flush", sql_flush)
        patch.setattr(post_migrate, "receivers", [])
        yield
