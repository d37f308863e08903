"""The demo organization: small, believable, with weeks of history."""

from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction

from deployments.demo.access import EMAIL, Access, ensure_token, ensure_user, write_access
from deployments.demo.calls import log_calls
from deployments.demo.changes import CHANGES
from deployments.demo.history import make_history
from deployments.demo.impacts import report_impacts
from deployments.manual_changes.services import register_manual_change
from deployments.provisioning.applying import provision
from deployments.provisioning.document import read_document
from deployments.registration.statements import find_targets
from deployments.registration.store import register_deploy
from deployments.registration.targets import choose_target
from orgs.models import Environment, Organization, User
from tokens.models import AccessToken

SLUG = "acme"
SEED = "acme"


class NoPlaceForDemo(Exception):
    """The database belongs to somebody: its message says so."""


def find_demo() -> Organization | None:
    """Not just any Acme: the one that the demo's user is a member of."""
    return Organization.objects.filter(slug=SLUG, memberships__user__email=EMAIL).first()


def ensure_demo(*, now: datetime, days: int) -> int | None:
    """Build the demo unless it is there, and keep its access valid. Gives how many deploys it got, if it was built.

    Raises NoPlaceForDemo where there are other organizations and no demo.
    """
    added = None
    with transaction.atomic():
        organization = find_demo()
        if organization is None:
            refuse_other_organizations()
            password = ensure_user()
            provision(read_document((Path(__file__).parent / "acme.yaml").read_bytes()), now=now)
            organization = Organization.objects.get(slug=SLUG)
            token, secret = ensure_token(organization)
            added = register_history(organization, token, now=now, days=days)
            record_manual_changes(organization, now=now, days=days)
            report_impacts(organization, now=now, days=days, seed=SEED)
        else:
            password = ensure_user()
            token, secret = ensure_token(organization)
    write_access(Access(password=password, token=secret))
    return added


def refuse_other_organizations() -> None:
    slugs = list(Organization.objects.order_by("slug").values_list("slug", flat=True)[:5])
    if slugs:
        raise NoPlaceForDemo(
            f"This database has organizations already ({', '.join(slugs)}): the demo is only for an empty one."
        )


def register_history(organization: Organization, token: AccessToken, *, now: datetime, days: int) -> int:
    events = make_history(seed=SEED, now=now, days=days)
    slugs = organization.deployments.values_list("slug", flat=True)
    places = {slug: find_targets(organization.pk, slug) for slug in slugs}
    registered = []
    for event in events:
        deploy_id = register_deploy(
            organization_id=organization.pk,
            token_id=token.pk,
            target=choose_target(places[event.deployment], environment=event.registration.environment),
            registration=event.registration,
            now=event.at,
        )
        registered.append((event, deploy_id))
    log_calls(token, registered, places, now=now, seed=SEED)
    return len(events)


def record_manual_changes(organization: Organization, *, now: datetime, days: int) -> None:
    """Each by the person who made it."""
    for story in CHANGES:
        changed_at = now - timedelta(days=story.days_ago, hours=story.hours)
        if story.days_ago < days:
            register_manual_change(
                environment=Environment.objects.select_related("project__organization").get(
                    project__organization=organization, project__slug=story.project, slug=story.environment
                ),
                fields=story.fields(changed_at),
                member=User.objects.get(email=story.person.email),
            )
