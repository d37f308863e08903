"""What was forgotten before the start: without it, every call or every page would end in an error.

``python -m config.readiness`` prints a line for each, before the server starts.
"""

import os
import sys
from collections.abc import Callable

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

# As collectstatic does.
NOT_COLLECTED = ["CVS", ".*", "*~"]


def forgotten_migrations() -> str | None:
    executor = MigrationExecutor(connection)
    if not executor.recorder.has_table() and connection.introspection.table_names():
        # Made without migrations, as in tests.
        return None
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"The database lacks {len(plan)} migrations: run `manage.py migrate`." if plan else None


def forgotten_static_files() -> str | None:
    """Of those that this process knows: it reads the list once, so a later collectstatic needs another start."""
    collected = getattr(staticfiles_storage, "hashed_files", None)
    if settings.DEBUG or collected is None:
        return None
    needed = (path.replace(os.sep, "/") for finder in get_finders() for path, _ in finder.list(NOT_COLLECTED))
    if all(path in collected for path in needed):
        return None
    return f"{settings.STATIC_ROOT} lacks static files: run `manage.py collectstatic --no-input`, then start again."


# Those that may still find something. What was once done is not looked for again.
open_questions: list[Callable[[], str | None]] = [forgotten_migrations, forgotten_static_files]


def what_was_forgotten() -> list[str]:
    """Raises DatabaseError."""
    answers = [(question, question()) for question in list(open_questions)]
    open_questions[:] = [question for question, answer in answers if answer]
    return [answer for _, answer in answers if answer]


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    try:
        lines = what_was_forgotten()
    except DatabaseError as error:
        reason = str(error).strip().partition("\n")[0]
        lines = [f"The database of DATABASE_URL cannot be used: {reason}"]
    for line in lines:
        sys.stderr.write(f"gumshoe: {line}\n")


if __name__ == "__main__":
    main()
