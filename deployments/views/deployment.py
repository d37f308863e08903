from typing import Any

from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone

from deployments.forms.timeline import Place
from deployments.models import Deployment
from deployments.queries.live import read_live_of
from deployments.views.rejected import rejected_today_of
from deployments.views.timeline import show_timeline
from orgs.access import MemberRequest, member_page
from orgs.roles import Permission


@member_page(Permission.VIEW)
def deployment(request: MemberRequest, deployment: str) -> HttpResponseBase:
    """What is live in each of its environments, and its timeline."""
    deployments = Deployment.objects.select_related("project").filter(organization=request.organization)
    found = get_object_or_404(deployments, slug=deployment)

    def live() -> dict[str, Any]:
        return {
            "deployment": found,
            "cells": read_live_of(found, now=timezone.now()),
            "rejected_today": rejected_today_of(request, [found]),
        }

    place = Place(organization=request.organization, deployment=found)
    return show_timeline(request, place, "deployments/deployment.html", live)
