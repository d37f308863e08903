from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from deployments.models import Call
from deployments.models.call import Outcome
from deployments.request_log.queries import UNRESOLVED, CallFilter, calls_of, count_rejected, replays_of
from deployments.request_log.replay import as_curl, replay_call
from orgs.access import MemberRequest, member_page
from orgs.pages import page_of
from orgs.roles import Permission
from orgs.text import storable

REPLAYS_SHOWN = 5


@require_safe
@member_page(Permission.VIEW_REQUESTS)
def requests(request: MemberRequest) -> HttpResponse:
    chosen = CallFilter(
        outcome=request.GET.get("outcome", ""),
        deployment=storable(request.GET.get("deployment", "").strip()),
        request_id=storable(request.GET.get("request_id", "").strip()),
    )
    context = {
        "chosen": chosen,
        "outcomes": [
            ("", "All"),
            (UNRESOLVED, "Rejected and unresolved"),
            ("all-rejected", "Rejected for any reason"),
            *Outcome.choices,
        ],
        "page": page_of(calls_of(request.organization, chosen), after=request.GET.get("after", ""), by="-id"),
        "days_kept": settings.REQUEST_LOG_DAYS,
        "count_rejected": count_rejected(request.organization),
    }
    return render(request, "request_log/requests.html", context)


def call_or_404(request: MemberRequest, call_id: int) -> Call:
    calls = Call.objects.select_related("deployment", "organization", "deploy")
    return get_object_or_404(calls, organization=request.organization, pk=call_id)


@require_safe
@member_page(Permission.VIEW_REQUESTS)
def request_page(request: MemberRequest, call_id: int) -> HttpResponse:
    call = call_or_404(request, call_id)
    context = {"call": call, "curl": as_curl(call), "replays": replays_of(call)[:REPLAYS_SHOWN]}
    return render(request, "request_log/request.html", context)


@require_POST
@member_page(Permission.REGISTER)
def replay_request(request: MemberRequest, call_id: int) -> HttpResponse:
    call = call_or_404(request, call_id)
    replayed = replay_call(call=call, member=request.user)
    if replayed.deploy_id:
        messages.success(request, f"Replayed: {replayed.answer}")
        return redirect("deploy-page", organization=request.organization.slug, deploy=replayed.deploy_id)
    messages.error(request, f"Replayed, and rejected again: {replayed.answer}")
    return redirect("request", organization=request.organization.slug, call_id=call.pk)
