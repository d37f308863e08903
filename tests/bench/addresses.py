"""The pages and lists that are measured: ``python -m tests.bench.addresses 10000`` fills the empty database of the
settings with so many deploys and names them.

A process of its own, since Django's settings are read once a process. The names are the same whatever the database has.

A page of more rows takes longer, however fast they are found. So the deploys are of such a kind that ten thousand fill
the pages which a million fill: a few deployments have most of them and the others only a handful at either size, many
were rolled back, and many calls were rejected before. What even a million fill no page with is rare at either size,
since a page looks through a limited number of deploys.
"""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

import django

SLUG = "large"
DEPLOYMENTS, ENVIRONMENTS = 1_000, 5
EMAIL, PASSWORD = "bench@example.com", "a password for measuring"
ACTOR = "fill_organization"


@dataclass(frozen=True)
class Filled:
    """``addresses`` by name; those of the API are asked with ``token``, the others as the organization's owner."""

    token: str
    addresses: dict[str, str]

    @classmethod
    def from_json(cls, text: str) -> "Filled":
        return cls(**json.loads(text))


def fill(deploys: int) -> Filled:
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from deployments.demo.company import Habits
    from deployments.demo.filling import fill_organization
    from orgs.audit import Actor, acting_as
    from orgs.models import User

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    owner = User.objects.create_superuser(EMAIL, PASSWORD)
    # See the docstring of this module: in one deployment, too, there are rollbacks for a page, far back as well.
    habits = Habits(skew=-1.3, deployed_again=200, share_failed=0.8, share_rejected_before=0.6)
    with acting_as(Actor(label=ACTOR)):
        token = fill_organization(
            slug=SLUG,
            deployments=DEPLOYMENTS,
            environments=ENVIRONMENTS,
            deploys=deploys,
            owner=owner,
            now=timezone.now(),
            report_progress=lambda before, stored: None,
            habits=habits,
        )
    if connection.vendor == "postgresql":
        # As autovacuum will have done it by the time somebody looks.
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")
    return Filled(token, dict(name_addresses()))


def name_addresses() -> Iterator[tuple[str, str]]:
    """By name: of a page of every kind, and of lists at their beginning, far back and with each filter."""
    from deployments.models import Deployment
    from orgs.models import Organization

    organization = Organization.objects.get(slug=SLUG)
    deployments = list(Deployment.objects.filter(organization=organization).order_by("pk"))
    often, middle, seldom = deployments[0], deployments[10], deployments[-1]
    project = often.project.slug
    yield from home(project)
    for name, path in (
        ("timeline", f"/{SLUG}/timeline"),
        ("timeline of a project", f"/{SLUG}/projects/{project}/timeline"),
        ("timeline of an environment", f"/{SLUG}/projects/{project}/environments/production/timeline"),
        ("deployment", f"/{SLUG}/deployments/{often.slug}"),
    ):
        for what, query in timeline_queries(organization, often):
            yield f"{name}{what}", path + query
    yield "deployment that is deployed now and then", f"/{SLUG}/deployments/{middle.slug}"
    yield "deployment that is deployed seldom", f"/{SLUG}/deployments/{seldom.slug}"
    yield from deploys(organization)
    yield from settings_pages(organization, often)
    yield from logs(organization, often)
    yield from api(organization)


def home(project: str) -> Iterator[tuple[str, str]]:
    yield "home", f"/{SLUG}"
    for what, values in {
        "a page in the middle": {"after": "mobile/a"},
        "text": {"q": "gateway"},
        "text that nothing has": {"q": "no such words"},
        "project": {"project": project},
        "behind": {"state": "behind"},
        "rolled back": {"state": "rolled-back"},
        "stale": {"state": "stale"},
    }.items():
        yield f"home: {what}", f"/{SLUG}?{urlencode(values)}"


def timeline_queries(organization: Any, deployment: Any) -> Iterator[tuple[str, str]]:
    """Days and digits are as many as find the same number of deploys at either size."""
    from django.db.models import Count

    from deployments.models import Deploy
    from deployments.timeline.pager import Key

    yield "", ""
    history = Deploy.objects.filter(organization=organization).order_by("deployed_at", "id")
    first, last = history[0], history.reverse()[0]
    far = first.deployed_at + (last.deployed_at - first.deployed_at) / 3
    until_far = history.filter(deployed_at__lte=far).reverse()
    back, second = until_far[0], Key.of(history.reverse()[50])
    in_production = until_far.filter(deployment=deployment, environment__slug="production")
    of_long_ago = in_production.filter(sha__regex="^[0-9a-f]{40}$")[0]
    few_digits = next(
        digits
        for digits in (of_long_ago.sha[:length] for length in range(4, 40))
        if history.filter(sha__startswith=digits).aggregate(shas=Count("sha", distinct=True))["shas"] == 1
    )
    days = {"since": f"{in_production[60].deployed_at:%Y-%m-%d}", "until": f"{far:%Y-%m-%d}"}
    month = {"since": f"{first.deployed_at:%Y-%m-%d}", "until": f"{far:%Y-%m-%d}"}
    queries: dict[str, dict[str, Any]] = {
        "second page": {"before": second},
        "far back": {"before": Key.of(back)},
        "forward from far back": {"after": Key.of(back)},
        "the oldest": {"after": "0-0"},
        "as many days as have a page": days,
        "months": month,
        "environment": {"environment": "production"},
        "project": {"project": deployment.project.slug},
        "deployment": {"deployment": deployment.slug},
        "deployment and environment": {"deployment": deployment.slug, "environment": "production"},
        "kind deploy": {"kind": "deploy"},
        "kind rollback": {"kind": "rollback"},
        "kind rolled back": {"kind": "rolled_back"},
        "kind rollback, far back": {"kind": "rollback", "before": Key.of(back)},
        "frequent author": {"author": "priya"},
        "unknown author": {"author": "nobody"},
        "frequent tag": {"tag": "feature"},
        "rare tag": {"tag": "security"},
        "unknown tag": {"tag": "nothing"},
        "unknown tag, far back": {"tag": "nothing", "before": Key.of(back)},
        "unknown tag, forward from far back": {"tag": "nothing", "after": Key.of(back)},
        "hash": {"sha": of_long_ago.sha},
        "few digits of a hash": {"sha": few_digits},
        "unknown image tag": {"sha": "v9.9"},
        "version": {"version": "v1."},
        "unknown version": {"version": "v9.9"},
        "frequent text": {"q": "Update dependencies"},
        "unknown text": {"q": "no such words"},
        "unknown text, far back": {"q": "no such words", "before": Key.of(back)},
        "rollbacks in months": {"kind": "rollback", **month},
        "text, author and tag": {"q": "Fix", "author": "tom", "tag": "docker"},
        "environment and rare tag": {"environment": "staging", "tag": "security"},
        "rollbacks of an author": {"kind": "rollback", "author": "priya", "environment": "production"},
    }
    for what, values in queries.items():
        yield f": {what}", f"?{urlencode(values)}"


def deploys(organization: Any) -> Iterator[tuple[str, str]]:
    from deployments.models import Deploy

    history = Deploy.objects.filter(organization=organization).order_by("-deployed_at", "-id")
    for name, found in {
        "deploy": history,
        "deploy with commits": history.filter(commit_count__gt=1),
        "deploy that is a rollback": history.filter(restores__isnull=False),
        "deploy that was rolled back": history.filter(rolled_back_by__isnull=False),
        "deploy of long ago": history.reverse(),
    }.items():
        yield name, f"/{SLUG}/deploys/{found[0].pk}"
    with_files = history.filter(commit_count__gt=1)[0]
    yield "deploy with commits: files", f"/{SLUG}/deploys/{with_files.pk}?tab=files"


def settings_pages(organization: Any, deployment: Any) -> Iterator[tuple[str, str]]:
    project = f"/{SLUG}/projects/{deployment.project.slug}"
    page = f"/{SLUG}/deployments/{deployment.slug}"
    token = organization.tokens.get(name="ci")
    member = organization.memberships.get()
    yield "start", "/"
    yield "projects", f"/{SLUG}/projects"
    yield "new project", f"/{SLUG}/new-project"
    yield "project", project
    yield "project: text", f"{project}?q=api"
    yield "project settings", f"{project}/settings"
    yield "new environment", f"{project}/new-environment"
    yield "environment settings", f"{project}/environments/production/settings"
    yield "new deployment", f"/{SLUG}/new-deployment"
    yield "deployment settings", f"{page}/settings"
    yield "move a deployment", f"{page}/move"
    yield "set-up", f"{page}/setup"
    yield "set-up: waiting for the first call", f"{page}/setup/first-call"
    for kind in ("projects", "environments", "deployments"):
        yield f"deleted {kind}", f"/{SLUG}/deleted?kind={kind}"
    yield "tokens", f"/{SLUG}/tokens"
    yield "new token", f"/{SLUG}/tokens/new"
    yield "token", f"/{SLUG}/tokens/{token.pk}"
    yield "members", f"/{SLUG}/members"
    yield "member", f"/{SLUG}/members/{member.pk}"
    yield "invite a member", f"/{SLUG}/members/invite"
    yield "organization settings", f"/{SLUG}/settings"
    yield "API documentation", f"/{SLUG}/api"


def logs(organization: Any, deployment: Any) -> Iterator[tuple[str, str]]:
    from deployments.models import Call

    call = Call.objects.filter(organization=organization, outcome="rejected").order_by("id")[0]
    yield "request", f"/{SLUG}/requests/{call.pk}"
    yield "requests", f"/{SLUG}/requests"
    queries: dict[str, dict[str, Any]] = {
        "far back": {"after": call.pk + 50},
        "all rejected": {"outcome": "all-rejected"},
        "accepted": {"outcome": "accepted"},
        "rejected": {"outcome": "rejected"},
        "unauthorized": {"outcome": "unauthorized"},
        "deployment": {"deployment": deployment.slug},
        "all rejected of a deployment": {"deployment": deployment.slug, "outcome": "all-rejected"},
        "request id": {"request_id": call.request_id},
    }
    for what, values in queries.items():
        yield f"requests: {what}", f"/{SLUG}/requests?{urlencode(values)}"
    yield "audit log", f"/{SLUG}/audit"
    for what, values in {
        "person": {"person": ACTOR},
        "action": {"action": "project.created"},
        "subject": {"subject": "gateway"},
        "CSV": {"format": "csv"},
    }.items():
        yield f"audit log: {what}", f"/{SLUG}/audit?{urlencode(values)}"


def api(organization: Any) -> Iterator[tuple[str, str]]:
    from deployments.models import Deploy

    deploy = Deploy.objects.filter(organization=organization, commit_count__gt=1)[0]
    yield "API: live", f"/api/1/organizations/{SLUG}/live"
    yield "API: live as CSV", f"/api/1/organizations/{SLUG}/live?format=csv"
    yield "API: deploy", f"/api/1/organizations/{SLUG}/deploys/{deploy.pk}"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    json.dump(asdict(fill(int(sys.argv[1]))), sys.stdout)
