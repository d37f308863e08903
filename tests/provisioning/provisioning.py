"""A provisioning file with something of everything, and what tests do with it."""

import json
from collections.abc import Callable
from typing import Any

import yaml
from django.apps import apps
from django.db import connection
from django.db.backends.utils import CursorWrapper

Provision = Callable[[str | bytes], Any]
Rejected = Callable[[str | bytes], list[str]]

ACME = """
organizations:
- slug: acme
  name: Acme
  members:
  - {email: Ops@Example.com, role: owner, password: correct horse battery}
  - {email: dev@example.com}
  tokens:
  - {name: ci, scopes: [REGISTER_DEPLOY], deployments: [storefront], expires: 2030-01-01}
  - {name: reader, scopes: [READ], environments: [shop/production, staging], expires: 2030-01-01T18:00:00+02:00}
  projects:
  - slug: shop
    name: Shop
    environments:
    - {slug: production, name: Production, default: true}
    - {slug: staging, name: Staging, description: Like production, colour: "#047857"}
    deployments:
    - slug: storefront
      name: Storefront
      repository: {provider: github, url: https://github.com/acme/storefront}
      path_includes: [web/**]
      path_excludes: [web/docs/**]
      branches: {production: main, staging: release/*}
  - slug: platform
"""


def changed(*steps: str | int, value: Any) -> str:
    """ACME with ``value`` where the steps lead to."""
    document = yaml.load(ACME, Loader=yaml.BaseLoader)  # noqa: S506 - plain texts
    document["organizations"][0]["projects"][0]["environments"][0]["default"] = True
    place: Any = document["organizations"][0]
    for step in steps[:-1]:
        place = place[step]
    place[steps[-1]] = value
    return json.dumps(document)


def all_rows() -> dict[str, list[tuple[Any, ...]]]:
    tables = [model._meta.db_table for model in apps.get_models(include_auto_created=True)]
    with connection.cursor() as cursor:
        return {table: rows_of(cursor, table) for table in tables}


def rows_of(cursor: CursorWrapper, table: str) -> list[tuple[Any, ...]]:
    cursor.execute(f"SELECT * FROM {table} ORDER BY 1")  # noqa: S608 - our own tables
    return list(cursor)
