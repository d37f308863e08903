"""Organizations, projects, environments and deployments."""

from typing import Any

from django.db.models import QuerySet

from deployments.errors import InvalidField
from deployments.lookup import by_slug_or_name, unknown_sentence
from deployments.models import Deployment
from deployments.registration.representation import as_text
from deployments.timeline.read_api import PAGING, ListView, ReadView
from deployments.token_limits import visible
from orgs.models import Environment, Organization, Project


class OrganizationsView(ListView):
    """Lists one organization, the access token's."""

    def rows(self) -> QuerySet[Any]:
        return Organization.objects.filter(pk=self.token.organization_id)

    def represent(self, row: Organization) -> dict[str, Any]:
        return {
            "slug": row.slug,
            "name": row.name,
            "time_zone": row.time_zone,
            "created_at": as_text(row.created_at),
        }


class ProjectsView(ListView):
    by = ("slug", "id")

    def rows(self) -> QuerySet[Any]:
        return visible(Project.objects.all(), self.token)

    def represent(self, row: Project) -> dict[str, Any]:
        return {"slug": row.slug, "name": row.name, "created_at": as_text(row.created_at)}


class EnvironmentsView(ListView):
    """In promotion order."""

    by = ("position", "id")
    takes = (*PAGING, "project")

    def rows(self) -> QuerySet[Any]:
        return in_project(self, Environment.objects.prefetch_related("alias_rows"))

    def represent(self, row: Environment) -> dict[str, Any]:
        return {
            "project": row.project.slug,
            "slug": row.slug,
            "name": row.name,
            "description": row.description,
            "colour": row.colour,
            "position": row.position,
            "default": row.is_default,
            "aliases": row.aliases,
            "ends_at": as_text(row.ends_at) if row.ends_at else None,
            "created_at": as_text(row.created_at),
        }


class DeploymentsView(ListView):
    by = ("slug", "id")
    takes = (*PAGING, "project")

    def rows(self) -> QuerySet[Any]:
        return in_project(self, Deployment.objects.all())

    def represent(self, row: Deployment) -> dict[str, Any]:
        return {
            "project": row.project.slug,
            "slug": row.slug,
            "name": row.name,
            "repository": {"provider": row.repository_provider, "url": row.repository_url or None},
            "path_includes": row.path_includes,
            "path_excludes": row.path_excludes,
            "records_redeploys": row.records_redeploys,
            "created_at": as_text(row.created_at),
        }


def in_project(view: ReadView, rows: QuerySet[Any]) -> QuerySet[Any]:
    """The rows that the token may see, of the project that the query string names, if it names one. Raises
    InvalidField."""
    rows = visible(rows.filter(project__deleted_at=None).select_related("project"), view.token)
    text, projects = view.parameters.get("project", ""), visible(Project.objects.all(), view.token)
    if not text:
        return rows
    project = by_slug_or_name(projects, text).first()
    if project is None:
        raise InvalidField(unknown_sentence("project", text, projects))
    return rows.filter(project=project)
