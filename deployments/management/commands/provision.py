import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from deployments.provisioning.applying import provision
from deployments.provisioning.document import MAX_BYTES, ProvisioningError, read_document
from orgs.audit import Actor, acting_as

PROVISION = Actor(label="provision")


class Command(BaseCommand):
    help = (
        "Create or update organizations, members, projects, environments, deployments and access tokens from a YAML or "
        "JSON file (its schema: deployments/schemas/provision.json). Deletes nothing. Prints JSON of the same shape, "
        "which is accepted as a file. The secret of a new token is printed once, by the run that creates it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="path of the file; - is standard input")

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        try:
            data = read_bytes(file)
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}.") from None
        try:
            # Printed before the commit: a run whose output is lost must not leave tokens with unknown secrets.
            with transaction.atomic(), acting_as(PROVISION):
                check_tables()
                result, warnings = provision(read_document(data), now=timezone.now())
                self.stdout.write(json.dumps(result, indent=2))
                self.stdout.flush()
        except ProvisioningError as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"The output could not be written, nothing was stored: {error.strerror}.") from None
        except DatabaseError as error:
            problem = str(error).strip().partition("\n")[0]
            raise CommandError(f"The database rejected the changes, nothing was stored: {problem}.") from None
        for warning in warnings:
            self.stderr.write(f"Warning: {warning}")


def check_tables() -> None:
    if set(connection.introspection.django_table_names()) - set(connection.introspection.table_names()):
        raise CommandError("The database lacks tables, nothing was stored: run manage.py migrate first.")


def read_bytes(file: str) -> bytes:
    """At most one byte more than a provisioning file may have, so that a larger one is noticed."""
    if file == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    with Path(file).open("rb") as stream:
        return stream.read(MAX_BYTES + 1)
