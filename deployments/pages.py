"""What the pages of several features share."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from django import forms
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.template import Context, engines
from django.urls import reverse

from deployments.models import Deployment
from orgs.access import MemberRequest
from orgs.models import Environment, Project
from orgs.slugs import MAX_SLUG_LENGTH, validate_slug

# --- Looking up what a page's address names; anything outside the member's organization is a 404 ---


def find_project(request: MemberRequest, slug: str) -> Project:
    found: Project = get_object_or_404(Project, organization=request.organization, slug=slug)
    return found


def find_environment(request: MemberRequest, project: str, slug: str) -> Environment:
    environments = Environment.objects.select_related("project__organization")
    in_project = environments.filter(
        project__organization=request.organization, project__slug=project, project__deleted_at=None
    )
    found: Environment = get_object_or_404(in_project, slug=slug)
    return found


def find_deployment(request: MemberRequest, slug: str) -> Deployment:
    deployments = Deployment.objects.select_related("project")
    return get_object_or_404(deployments, organization=request.organization, slug=slug)


def choose_environment(environments: Sequence[Environment], slug: str) -> Environment:
    """The environment with this slug; if there is none, the default one."""
    with_slug = (environment for environment in environments if environment.slug == slug)
    return next(with_slug, None) or next(environment for environment in environments if environment.is_default)


# --- Parts of a page that refresh themselves, by components/_polling.html ---


def wants_part(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def has_seen(request: HttpRequest, seen: str) -> bool:
    """Whether the part on the page is still up to date. ``seen`` is the ETag of its present state."""
    return wants_part(request) and bool(seen) and request.headers.get("If-None-Match") == seen


# --- Forms, snippets and addresses ---


class RowField(forms.ChoiceField):
    """A choice among rows that the view has read."""

    rows: Mapping[str, Any] = {}

    def offer(self, rows: Iterable[Any], *, key: str = "slug", empty_label: str = "") -> None:
        """``key`` names the column whose value the form sends."""
        self.rows = {str(getattr(row, key)): row for row in rows}
        empty = [("", empty_label)] if empty_label else []
        self.choices = [*empty, *((value, str(row)) for value, row in self.rows.items())]

    def clean(self, value: Any) -> Any:
        return self.rows[super().clean(value)]


def slug_field(help_text: str) -> forms.CharField:
    return forms.CharField(required=False, max_length=MAX_SLUG_LENGTH, validators=[validate_slug], help_text=help_text)


# Tools that can call the API, by what they report. ``slug`` also names the template of a tool's snippet, which is in
# templates/setup/snippets/ or templates/impacts/.
TOOLS: dict[str, list[dict[str, str]]] = json.loads(Path(__file__).with_name("tools.json").read_text(encoding="utf-8"))


def choose_tool(reports: str, slug: str) -> tuple[list[dict[str, str]], dict[str, str]]:
    """The tools for this kind of report, and among them the one with this slug; if there is none, the first one."""
    tools = TOOLS[reports]
    return tools, next((tool for tool in tools if tool["slug"] == slug), tools[0])


def render_text(template_name: str, context: dict[str, str]) -> str:
    """Renders a template of plain text, in which nothing is escaped for HTML."""
    template = engines["django"].engine.get_template(template_name)  # type: ignore[attr-defined]
    text: str = template.render(Context(context, autoescape=False))
    return text.strip()


# In lists, reversing a route for each row would take most of the time.


def deploys_path(organization_slug: str) -> str:
    """The address of a deploy's page without the id at its end."""
    return reverse("deploy-page", args=[organization_slug, 0]).removesuffix("0")


def changes_path(organization_slug: str) -> str:
    """The address of a manual change's page without the id at its end."""
    return reverse("manual-change-page", args=[organization_slug, 0]).removesuffix("0")
