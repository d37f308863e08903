"""Reading the request log."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce
from django.utils import timezone

from deployments.lookup import caseless
from deployments.models import Call, Deploy, Deployment, ManualChange
from deployments.models.call import REJECTED_OUTCOMES, Outcome
from deployments.timeline.queries import matches
from orgs.access import MemberRequest
from orgs.models import Organization
from orgs.queries import midnight
from orgs.roles import Permission, role_allows

FILTERS = {
    "all-rejected": REJECTED_OUTCOMES,
    **{outcome.value: (outcome,) for outcome in Outcome},
}
UNRESOLVED = "unresolved"
# How many calls a filter reads that no index helps. Dates, an outcome or a deployment narrow what it begins with.
SCANNED = 20_000
# Ids follow the time closely, so an index finds where a day begins.
OUT_OF_ORDER = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """``outcome`` is a key of FILTERS or UNRESOLVED, ``deployment`` a slug, ``request_id`` a part of an X-Request-Id,
    ``token`` a part of its name, ``until`` the end of a day. Empty means all."""

    outcome: str = ""
    deployment: str = ""
    request_id: str = ""
    token: str = ""
    environment: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_empty(self) -> bool:
        return self == CallFilter()

    @property
    def scans(self) -> bool:
        """Whether no index helps, so that only the newest SCANNED calls are searched."""
        return bool(self.token or self.environment or self.text or self.request_id)


def calls_of(organization: Organization, chosen: CallFilter) -> QuerySet[Call]:
    """Newest first, with their deployments."""
    calls = Call.objects.filter(organization=organization).select_related("deployment").order_by("-id")
    if chosen.outcome == UNRESOLVED:
        calls = unresolved(calls)
    elif outcomes := FILTERS.get(chosen.outcome):
        # As literals, so that PostgreSQL plans for how frequent each is.
        calls = calls.filter(outcome__in=[RawSQL(f"'{outcome}'", []) for outcome in outcomes])  # noqa: S611 - our names
    if chosen.deployment:
        found = Deployment.all_objects.filter(organization=organization, slug=chosen.deployment)
        calls = calls.filter(deployment__in=list(found.values_list("pk", flat=True)))
    if chosen.since:
        calls = calls.filter(created_at__gte=chosen.since)
    if chosen.until:
        calls = calls.filter(created_at__lt=chosen.until)
    return scanned(calls, chosen) if chosen.scans else calls


def scanned(calls: QuerySet[Call], chosen: CallFilter) -> QuerySet[Call]:
    ids = list(calls.values_list("id", flat=True)[SCANNED : SCANNED + 1])
    if ids:
        calls = calls.filter(id__gt=ids[0])
    if chosen.request_id:
        calls = calls.filter(request_id__regex=caseless(chosen.request_id))
    if chosen.token:
        calls = calls.filter(token_name__regex=caseless(chosen.token))
    if chosen.environment:
        calls = calls.filter(
            Q(deploy__environment__slug=chosen.environment.lower())
            | Q(sent__regex=f"(^| )to {caseless(chosen.environment)}$")
        )
    if chosen.text:
        texts = ("sent", "path", "body", "answer", "explanation", "agent")
        calls = calls.filter(matches(caseless(chosen.text), *texts))
    return calls


# --- A rejected call is resolved once it was replayed, or a later call of its kind to the same address succeeded ---

SUCCEEDED = (Outcome.ACCEPTED, Outcome.DUPLICATE)


def unresolved(calls: QuerySet[Call]) -> QuerySet[Call]:
    """Those of the rejected ``calls`` that still need somebody's attention. A replay is no call of its own."""
    succeeded = Call.objects.filter(outcome__in=SUCCEEDED)
    replayed = succeeded.filter(replay_of=OuterRef("pk"))
    later = succeeded.filter(
        organization=OuterRef("organization"), kind=OuterRef("kind"), id__gt=OuterRef("id"), replay_of=None
    )
    # By the slug, since the deployment may not have existed when its first calls came.
    to_deployment = later.filter(
        deployment__organization=OuterRef("organization"), deployment__slug=OuterRef("deployment_slug")
    )
    return calls.filter(
        ~Exists(replayed),
        ~Exists(to_deployment),
        ~(Q(deployment_slug="") & Exists(later.filter(path=OuterRef("path")))),
        outcome__in=REJECTED_OUTCOMES,
        replay_of=None,
    )


def replays_of(call: Call) -> QuerySet[Call]:
    """Newest first."""
    return Call.objects.filter(replay_of=call.pk).order_by("-id")


def call_of_deploy(deploy: Deploy) -> Call | None:
    """The call that registered a deploy, while the log still has it."""
    return Call.objects.filter(deploy=deploy, outcome=Outcome.ACCEPTED).order_by("id").first()


def call_of_manual_change(change: ManualChange) -> Call | None:
    """The call that registered it, if one did, while the log still has it."""
    return Call.objects.filter(manual_change=change).order_by("id").first()


def count_rejected(organization: Organization, *, now: datetime | None = None) -> int:
    """How many calls of the organization were rejected since its midnight and are unresolved."""
    return calls_rejected_today(organization, now).count()


def count_rejected_by_deployment(
    organization: Organization, deployments: Collection[int], *, now: datetime | None = None
) -> dict[int, int]:
    """The same for each of these deployments that had any."""
    counted = (
        calls_rejected_today(organization, now)
        # COALESCE keeps SQLite from reading all calls of a deployment instead of the few that were rejected.
        .annotate(among=Coalesce("deployment", "deployment"))
        .filter(among__in=deployments)
        .order_by()
        .values("among")
        .annotate(count=Count("id"))
    )
    return {row["among"]: row["count"] for row in counted}


def calls_rejected_today(organization: Organization, now: datetime | None) -> QuerySet[Call]:
    today = (now or timezone.now()).astimezone(ZoneInfo(organization.time_zone)).date()
    since = Q(created_at__gte=midnight(organization, today))
    first = Call.objects.filter(since).order_by("created_at").values(bound=F("id") - OUT_OF_ORDER)[:1]
    return unresolved(Call.objects.filter(since, organization=organization, id__gte=Subquery(first)))


def newest_rejected_call(organization: Organization, path: str) -> Call | None:
    """The newest call to an address that begins so, among those that were rejected."""
    calls = Call.objects.filter(organization=organization, outcome__in=REJECTED_OUTCOMES, path__startswith=path)
    return calls.order_by("-id").first()


def newest_call(deployment: Deployment) -> Call | None:
    return Call.objects.filter(deployment=deployment).order_by("-id").first()


# --- Calls that were rejected today and are unresolved, for those who may see why ---


def may_see_requests(request: MemberRequest) -> bool:
    return role_allows(request.membership.role, Permission.VIEW_REQUESTS)


def count_rejected_today(request: MemberRequest) -> int:
    return count_rejected(request.organization) if may_see_requests(request) else 0


def rejected_today_of(request: MemberRequest, deployments: Iterable[Deployment]) -> dict[int, int]:
    """By the id of each of the deployments that had any."""
    if not may_see_requests(request):
        return {}
    return count_rejected_by_deployment(request.organization, [deployment.pk for deployment in deployments])
