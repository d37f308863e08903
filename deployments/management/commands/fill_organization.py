from time import monotonic
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from deployments.demo.company import NAMES
from deployments.demo.filling import OrganizationExists, fill_organization
from deployments.management import number
from orgs.audit import Actor, acting_as
from orgs.models import User

FILL = Actor(label="fill_organization")
DEPLOYS_BETWEEN_LINES = 100_000


class Command(BaseCommand):
    help = (
        "Make a new organization with a year of made-up deploys, to see how Gumshoe works with many. The same slug and "
        "day give the same deploys. Prints the secret of its access token once. A million deploys take some minutes; "
        "meanwhile SQLite takes no other writes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", nargs="?", default="large", help="of the organization (default: large)")
        parser.add_argument("--deployments", type=number(100_000), default=1_000, help="default: 1000")
        parser.add_argument(
            "--environments", type=number(len(NAMES["environments"])), default=5, help="of each project (default: 5)"
        )
        parser.add_argument("--deploys", type=number(100_000_000), default=1_000_000, help="default: 1000000")
        parser.add_argument("--owner", metavar="EMAIL", help="a user who becomes the owner of the organization")

    def handle(self, *args: Any, slug: str, deploys: int, owner: str | None, **options: Any) -> None:
        began = monotonic()
        try:
            with acting_as(FILL):
                secret = fill_organization(
                    slug=slug,
                    deployments=options["deployments"],
                    environments=options["environments"],
                    deploys=deploys,
                    owner=find_user(owner) if owner else None,
                    now=timezone.now(),
                    report_progress=self.report_progress,
                )
        except OrganizationExists as error:
            raise CommandError(str(error)) from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(f"{slug} has {deploys:,} deploys, stored in {monotonic() - began:.0f} seconds.")
        self.stdout.write(f"Its access token, which is shown only once: {secret}")

    def report_progress(self, before: int, stored: int) -> None:
        lines = stored // DEPLOYS_BETWEEN_LINES
        if lines > before // DEPLOYS_BETWEEN_LINES:
            self.stdout.write(f"{lines * DEPLOYS_BETWEEN_LINES:,} deploys…")
            self.stdout.flush()


def find_user(email: str) -> User:
    user: User | None = User.objects.filter(email=email.lower()).first()
    if user is None:
        raise CommandError(f"There is no user {email}: make one with manage.py createsuperuser.")
    return user
