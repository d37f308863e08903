from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import render

from orgs import queries
from orgs.access import MemberRequest, member_page
from orgs.audit import changes_in_words, words_of_action
from orgs.csv_export import csv_response
from orgs.forms import AuditFilterForm
from orgs.models import AuditEvent
from orgs.pages import PAGE_SIZE, ROW_ID
from orgs.roles import Permission

MOST_SUGGESTIONS = 200


@member_page(Permission.VIEW_AUDIT_LOG)
def audit_log(request: MemberRequest) -> HttpResponseBase:
    """``?after=`` an event's id begins a page behind it; ``?format=csv`` gives all that the filters leave."""
    people = queries.members(request.organization).order_by("email").values_list("email", flat=True)
    form = AuditFilterForm(
        request.GET,
        actions=queries.audit_actions(request.organization),
        people=list(people[:MOST_SUGGESTIONS]),
    )
    form.is_valid()
    filters = form.cleaned_data
    events = queries.audit_events(request.organization, filters)
    if request.GET.get("format") == "csv":
        return csv_response(f"{request.organization.slug}-audit-log.csv", csv_rows(events))
    after = request.GET.get("after", "")
    if ROW_ID.fullmatch(after):
        events = events.filter(id__lt=int(after))
    found = list(events[: PAGE_SIZE + 1])
    context = {
        "form": form,
        "is_filtered": any(filters.values()) or bool(form.errors),
        "events": [described(event) for event in found[:PAGE_SIZE]],
        "following": found[PAGE_SIZE - 1].pk if len(found) > PAGE_SIZE else "",
    }
    return render(request, "orgs/audit_log.html", context)


def described(event: AuditEvent) -> dict[str, Any]:
    return {
        "event": event,
        "action": words_of_action(event.action),
        "changes": changes_in_words(event.changes),
    }


def csv_rows(events: QuerySet[AuditEvent]) -> Iterator[Sequence[Any]]:
    yield ("time", "who", "address", "action", "subject type", "subject id", "subject", "changes")
    for event in events.iterator(chunk_size=1000):
        yield (
            event.created_at.isoformat(),
            event.actor_label,
            event.address,
            event.action,
            event.subject_type,
            event.subject_id,
            event.subject_label,
            "; ".join(change.sentence for change in changes_in_words(event.changes)),
        )
