from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deployments.deploys.consistency import check_all_targets


class Command(BaseCommand):
    help = (
        "Compare what deploys and targets repeat with what it follows from: organization, project, deployment and "
        "environment of a deploy, its counts, rollbacks, and the live deploy of a target. Prints a line for each "
        "disagreement, and exits with status 1 if it leaves any. Calls are answered meanwhile."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fix", action="store_true", help="mend what is found, one target at a time")

    def handle(self, *args: Any, fix: bool, **options: Any) -> None:
        count = 0
        for disagreement in check_all_targets(fix=fix):
            count += 1
            self.stdout.write(f"{disagreement}{': mended' if fix else ''}")
        if count and not fix:
            raise CommandError(f"{count:,} found. Mend with manage.py check_history --fix.")
        self.stdout.write(f"{count:,} mended." if count else "Nothing is wrong.")
