from collections.abc import Callable
from functools import partial
from types import TracebackType

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.template import Context, engines
from django.urls import reverse

from deployments.models import Deployment
from orgs.access import MemberRequest
from orgs.models import Environment, Organization, Project
from orgs.slugs import MAX_SLUG_LENGTH, validate_slug


def add_errors(form: forms.BaseForm, error: ValidationError) -> None:
    """Show what a service refused beside the fields it names, and at the top where the form has no such field."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, errors in error.error_dict.items():
        form.add_error(name if name in form.fields else None, errors)


# --- What the address of a page names, in the member's organization, or 404 ---


def find_project(request: MemberRequest, slug: str) -> Project:
    found: Project = get_object_or_404(Project, organization=request.organization, slug=slug)
    return found


def find_environment(request: MemberRequest, project: str, slug: str) -> Environment:
    environments = Environment.objects.select_related("project__organization")
    found: Environment = get_object_or_404(environments, project=find_project(request, project), slug=slug)
    return found


def find_deployment(request: MemberRequest, slug: str) -> Deployment:
    deployments = Deployment.objects.select_related("project")
    return get_object_or_404(deployments, organization=request.organization, slug=slug)


# --- Showing people what a service refused ---


class Refusals:
    """A ``with`` block that a refusal leaves; it is shown, and the view goes on behind the block."""

    def __init__(self, show: Callable[[ValidationError], None]) -> None:
        self.show = show

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if not isinstance(error, ValidationError):
            return False
        self.show(error)
        return True


def refusals_in(form: forms.BaseForm) -> Refusals:
    return Refusals(partial(add_errors, form))


def refusals_told(request: HttpRequest) -> Refusals:
    """On the next page."""
    return Refusals(lambda error: messages.error(request, error.messages[0]))


# --- Parts of a page that ask again whether anything has come, as components/_polling.html lets them ---


def wants_part(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def has_seen(request: HttpRequest, seen: str) -> bool:
    """Whether the part that asks shows what ``seen``, an ETag, stands for."""
    return wants_part(request) and bool(seen) and request.headers.get("If-None-Match") == seen


def slug_field(help_text: str) -> forms.CharField:
    return forms.CharField(required=False, max_length=MAX_SLUG_LENGTH, validators=[validate_slug], help_text=help_text)


def filled_in(template_name: str, context: dict[str, str]) -> str:
    """A template of plain text."""
    template = engines["django"].engine.get_template(template_name)  # type: ignore[attr-defined]
    text: str = template.render(Context(context, autoescape=False))
    return text.strip()


def deploys_path(organization: Organization) -> str:
    """What a deploy's id makes its page's address: for lists, where looking up a route for each row takes longest."""
    return reverse("deploy-page", kwargs={"organization": organization.slug, "deploy": 0}).removesuffix("0")


def changes_path(organization: Organization) -> str:
    """What a change's id makes its page's address, as ``deploys_path``."""
    path = reverse("manual-change-page", kwargs={"organization": organization.slug, "change": 0})
    return path.removesuffix("0")
