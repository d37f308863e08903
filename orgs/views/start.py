from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from orgs.models import Membership


@login_required
def start(request: HttpRequest) -> HttpResponse:
    """The site's root: the organization where the person was last, or what to do without one."""
    memberships = Membership.objects.filter(user=request.user.pk).select_related("organization")
    last = request.session.get("organization")
    membership = memberships.filter(organization=last).first() or memberships.first()
    if membership:
        return redirect("home", organization=membership.organization.slug)
    if request.user.is_superuser:
        return redirect("new-organization")
    return render(request, "orgs/no_organization.html")
