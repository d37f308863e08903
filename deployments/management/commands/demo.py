from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from deployments.demo.build import (
    DatabaseNotEmpty,
    LastSuperuser,
    closing_lines,
    ensure_demo,
    find_demo,
    read_access,
    remove_demo,
)
from deployments.management import number

MAX_DAYS = 3_650


class Command(BaseCommand):
    help = (
        "Make a demo organization with weeks of history in an empty database. The password of its superuser and its "
        "access token are kept in VAR_DIR/demo.json. A second run adds nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--show", action="store_true", help="change nothing, print how to sign in and register")
        parser.add_argument("--remove", action="store_true", help="delete the demo organization and its people")
        parser.add_argument("--days", type=number(MAX_DAYS), default=56, help="days of history (default: 56)")

    def handle(self, *args: Any, show: bool, remove: bool, days: int, **options: Any) -> None:
        if show:
            access = read_access()
            if access is None or find_demo() is None:
                raise CommandError("There is no demo organization: make it with manage.py demo.")
            self.stdout.write("\n".join(closing_lines(access)))
            return
        if remove:
            try:
                remove_demo()
            except LastSuperuser:
                raise CommandError(
                    "Make yourself a superuser first, by manage.py createsuperuser: the demo's user is the only one."
                ) from None
            self.stdout.write("The demo organization and its people are gone.")
            return
        try:
            added = ensure_demo(now=timezone.now(), days=days)
        except DatabaseNotEmpty as error:
            raise CommandError(str(error)) from None
        state = "is there already" if added is None else f"is ready, with {added} deploys"
        self.stdout.write(
            f"The demo organization {state}. To see how to sign in: .venv/bin/python manage.py demo --show"
        )
