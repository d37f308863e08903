"""The page of a deploy, and deleting and restoring it."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from deployments.deploys import queries, services
from deployments.deploys.queries import Stage
from deployments.models import Deploy
from deployments.registration.representation import change_type_of
from deployments.request_log.queries import call_of_deploy, may_see_requests
from deployments.request_log.replay import as_curl
from deployments.request_log.sent import laid_out
from deployments.templatetags.deploys import revision_of
from deployments.timeline.views import state_of
from orgs.access import MemberRequest, member_page
from orgs.pages import offer_undo, page_of
from orgs.roles import Permission

COMMITS_SHOWN = 100
PULL_REQUESTS_SHOWN = 50
FILES_SHOWN = 200


def find_deploy(request: MemberRequest, pk: int) -> Deploy:
    return get_object_or_404(queries.deploys_for_page(request.organization.pk), pk=pk)


@member_page(Permission.VIEW)
def deploy_page(request: MemberRequest, deploy: int) -> HttpResponse:
    found = find_deploy(request, deploy)
    previous, following = queries.neighbours_of(found)
    undone, undone_count = queries.undone_deploys(found)
    state, word = state_of(found)
    tab = chosen_tab(request)
    context = {
        "deploy": found,
        "state": state,
        "word": word,
        "path": queries.path_of(found),
        "change_type": change_type_of(found),
        "previous": previous,
        "following": following,
        "undone": undone,
        "undone_count": undone_count,
        "ribbon": list(draw_ribbon(queries.stages_of(found))),
        "tab": tab,
        **TABS[tab](request, found),
    }
    return render(request, "deploys/deploy.html", context)


def chosen_tab(request: MemberRequest) -> str:
    """Only members who may see the request log may see the call."""
    tab = request.GET.get("tab", "")
    if tab == "request" and not may_see_requests(request):
        return "changes"
    return tab if tab in TABS else "changes"


def changes_tab(request: MemberRequest, deploy: Deploy) -> dict[str, Any]:
    after = request.GET.get("after", "")
    return {
        "authors": queries.authors_of(deploy),
        "pull_requests": deploy.pull_requests.order_by("id")[:PULL_REQUESTS_SHOWN] if not after else (),
        "commits": page_of(deploy.commits.all(), after=after, by="id", size=COMMITS_SHOWN),
    }


def files_tab(request: MemberRequest, deploy: Deploy) -> dict[str, Any]:
    after = request.GET.get("after", "")
    files = page_of(deploy.files.all(), after=after, by="id", size=FILES_SHOWN)
    if not files.rows and not after:
        return {"paths": queries.paths_in_commits(deploy)[:FILES_SHOWN]}
    return {"files": files}


def request_tab(request: MemberRequest, deploy: Deploy) -> dict[str, Any]:
    call = call_of_deploy(deploy)
    if call:
        return {"call": call, "curl": as_curl(call), "body": laid_out(call)}
    kept_since = timezone.now() - timedelta(days=settings.REQUEST_LOG_DAYS)
    return {"was_pruned": deploy.created_at < kept_since, "days_kept": settings.REQUEST_LOG_DAYS}


TABS = {"changes": changes_tab, "files": files_tab, "request": request_tab}


# --- The ribbon: the stages of the lead time side by side, each as wide as it was long ---

WIDTH = 1000
# Keeps a short stage visible.
NARROWEST = 6


def draw_ribbon(stages: Sequence[Stage]) -> Iterator[dict[str, Any]]:
    to_share = WIDTH - NARROWEST * len(stages)
    total = sum(stage.seconds for stage in stages) or 1
    x = 0
    for number, stage in enumerate(stages, start=1):
        is_last = number == len(stages)
        width = WIDTH - x if is_last else NARROWEST + to_share * stage.seconds // total
        yield {"stage": stage, "number": number, "x": x, "width": width}
        x += width


# --- Deleting and restoring ---


@member_page(Permission.REGISTER)
@require_POST
def delete_deploy(request: MemberRequest, deploy: int) -> HttpResponse:
    found = find_deploy(request, deploy)
    services.delete_deploy(deploy=found)
    undo = reverse("restore-deploy", kwargs={"organization": request.organization.slug, "deploy": found.pk})
    offer_undo(request, f"The deploy of {revision_of(found)} was deleted.", undo)
    if found.deployment.deleted_at:
        return redirect("timeline", organization=request.organization.slug)
    return redirect("deployment", organization=request.organization.slug, deployment=found.deployment.slug)


@member_page(Permission.REGISTER)
@require_POST
def restore_deploy(request: MemberRequest, deploy: int) -> HttpResponse:
    found = find_deploy(request, deploy)
    services.restore_deploy(deploy=found)
    messages.success(request, f"The deploy of {revision_of(found)} is back on the timeline.")
    return redirect("deploy-page", organization=request.organization.slug, deploy=found.pk)
