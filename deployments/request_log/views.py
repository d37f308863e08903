from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from deployments.models import Call
from deployments.request_log.cures import cures_of
from deployments.request_log.forms import CallFilterForm
from deployments.request_log.queries import SCANNED, calls_of, count_rejected, replays_of
from deployments.request_log.replay import as_curl, replay_call
from deployments.request_log.sent import editable, laid_out
from orgs.access import MemberRequest, member_page
from orgs.pages import page_of
from orgs.roles import Permission, role_allows

REPLAYS_SHOWN = 5


@require_safe
@member_page(Permission.VIEW_REQUESTS)
def requests(request: MemberRequest) -> HttpResponse:
    form = CallFilterForm(request.GET, organization=request.organization)
    chosen = form.chosen()
    context = {
        "form": form,
        "chosen": chosen,
        "page": page_of(calls_of(request.organization, chosen), after=request.GET.get("after", ""), by="-id"),
        "days_kept": settings.REQUEST_LOG_DAYS,
        "scanned": SCANNED if chosen.scans else None,
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
    role = request.membership.role
    context = {
        "call": call,
        "curl": as_curl(call),
        "body": laid_out(call),
        "editable": editable(call),
        "replays": replays_of(call)[:REPLAYS_SHOWN],
        "cures": [cure for cure in cures_of(call) if role_allows(role, cure.permission)],
    }
    return render(request, "request_log/request.html", context)


def edited_body(request: MemberRequest, call: Call) -> str | None:
    """None if the body was not edited. Browsers send line breaks as CRLF."""
    sent = request.POST.get("body")
    if sent is None:
        return None
    body = sent.replace("\r\n", "\n")
    return None if body == editable(call).replace("\r\n", "\n") else body


@require_POST
@member_page(Permission.REGISTER)
def replay_request(request: MemberRequest, call_id: int) -> HttpResponse:
    call = call_or_404(request, call_id)
    replayed = replay_call(call=call, member=request.user, body=edited_body(request, call))
    if replayed.deploy_id:
        messages.success(request, f"Replayed: {replayed.answer}")
        return redirect("deploy-page", organization=request.organization.slug, deploy=replayed.deploy_id)
    messages.error(request, f"Replayed, and rejected again: {replayed.answer}")
    return redirect("request", organization=request.organization.slug, call_id=call.pk)
