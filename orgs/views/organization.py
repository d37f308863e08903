from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from orgs.access import MemberRequest, acting_for, member_page
from orgs.forms import NewOrganizationForm, OrganizationForm
from orgs.models import Membership, Organization, User
from orgs.roles import Permission
from orgs.services import found_organization, update_organization


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


@login_required
@never_cache
def new_organization(request: HttpRequest) -> HttpResponse:
    """For the operator: the first organization after the installation, and later ones."""
    user: User = request.user  # type: ignore[assignment]  # login_required
    if not user.is_superuser:
        raise PermissionDenied("Only superusers create organizations.")
    form = NewOrganizationForm(request.POST or None)
    if form.is_valid():
        data = form.cleaned_data
        try:
            with acting_for(request):
                organization = found_organization(
                    name=data["name"], project=data["project"], environments=data["environments"], owner=user
                )
        except ValidationError as error:
            form.add_error(None, ValidationError(error.messages))
        else:
            messages.success(request, f"{organization} is ready.")
            return redirect("home", organization=organization.slug)
    is_first = not Organization.objects.exists()
    return render(request, "orgs/new_organization.html", {"form": form, "is_first": is_first})


@member_page(Permission.MANAGE_ORGANIZATION)
def settings(request: MemberRequest) -> HttpResponse:
    # A row of its own: the frame around the form goes on to show what is stored.
    organization = Organization.objects.get(pk=request.organization.pk)
    form = OrganizationForm(request.POST or None, instance=organization)
    if form.is_valid():
        try:
            update_organization(organization=request.organization, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, "Settings saved.")
            return redirect("organization-settings", organization=request.organization.slug)
    context = {"form": form, "former_slugs": request.organization.former_slugs.order_by("-id")}
    return render(request, "orgs/settings.html", context)
