"""Organizations, projects and environments, which the operator may set up."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import RelatedOnlyFieldListFilter
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from orgs import services
from orgs.admin.base import HISTORY, OperatorAdmin
from orgs.admin.people import MembershipInline
from orgs.models import Environment, Organization, Project
from orgs.organization_slugs import SLUG_TAKEN, cannot_be_claimed
from orgs.services import NewEnvironment

admin.site.site_header = admin.site.site_title = "Gumshoe"
admin.site.index_title = "Operator"
# The site has no page at /.
admin.site.site_url = None

SLUG_HELP = "Cannot be changed, since addresses and callers use it. Leave it empty to make it from the name."


class SluggedForm(forms.ModelForm):  # type: ignore[type-arg]  # generic to the type checker only
    """``parent`` is the field with the row in which a slug is unique."""

    parent = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if slug := self.fields.get("slug"):
            slug.required = False
            slug.help_text = SLUG_HELP

    def namesakes(self, parent: Any) -> QuerySet[Any]:
        model: Any = type(self.instance)
        return model.objects.filter(**{self.parent: parent})  # type: ignore[no-any-return]  # of any model

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        parent, slug = cleaned.get(self.parent), cleaned.get("slug")
        if parent and slug and self.namesakes(parent).filter(slug=slug).exists():
            noun = self.instance._meta.verbose_name  # noqa: SLF001 - documented in spite of its name
            self.add_error("slug", f"There is another {noun} with this slug: choose another slug.")
        return cleaned


class OrganizationForm(SluggedForm):
    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"])
        if slug and cannot_be_claimed(slug):
            raise forms.ValidationError(SLUG_TAKEN)
        return slug


@admin.register(Organization)
class OrganizationAdmin(OperatorAdmin):
    form = OrganizationForm
    fixed_fields = ("slug",)
    history = HISTORY
    fields = ("name", "slug")
    inlines = (MembershipInline,)
    list_display = ("name", "slug", "project_count", "member_count", "created_at")
    search_fields = ("name", "slug")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        counts = {
            "projects_counted": Count("projects", distinct=True),
            "members_counted": Count("memberships", distinct=True),
        }
        return Organization.objects.annotate(**counts)

    @admin.display(description="projects", ordering="projects_counted")
    def project_count(self, organization: Any) -> int:
        return int(organization.projects_counted)

    @admin.display(description="members", ordering="members_counted")
    def member_count(self, organization: Any) -> int:
        return int(organization.members_counted)

    def create(self, obj: Organization) -> Organization:
        return services.create_organization(name=obj.name, slug=obj.slug)


class ProjectForm(SluggedForm):
    parent = "organization"


@admin.register(Project)
class ProjectAdmin(OperatorAdmin):
    form = ProjectForm
    fixed_fields = ("organization", "slug")
    history = HISTORY
    fields = ("organization", "name", "slug")
    autocomplete_fields = ("organization",)
    list_display = ("name", "slug", "organization", "created_at")
    list_filter = (("organization", RelatedOnlyFieldListFilter),)
    list_select_related = ("organization",)
    search_fields = ("name", "slug", "organization__name", "organization__slug")

    def create(self, obj: Project) -> Project:
        return services.create_project(organization=obj.organization, name=obj.name, slug=obj.slug)


class EnvironmentForm(SluggedForm):
    """``is_default`` can be moved here from another environment, but not removed."""

    parent = "project"

    def clean_is_default(self) -> bool:
        ticked = bool(self.cleaned_data["is_default"])
        if self.initial.get("is_default") and not ticked:
            raise forms.ValidationError(
                "A project needs a default environment: tick it in another one to move it there."
            )
        if ticked and self.instance.ends_at:
            raise forms.ValidationError("A short-lived environment cannot be the default: tick it in another one.")
        return ticked

    def _get_validation_exclusions(self) -> set[str]:
        # The constraint of one default in a project is met only after the move.
        return {*super()._get_validation_exclusions(), "is_default"}  # type: ignore[misc]  # not in the stubs


@admin.register(Environment)
class EnvironmentAdmin(OperatorAdmin):
    form = EnvironmentForm
    fixed_fields = ("project", "slug")
    history = HISTORY
    # Not a select box, since projects of several organizations may have the same name.
    raw_id_fields = ("project",)
    list_display = ("name", "slug", "project", "project__organization", "position", "is_default")
    list_filter = (("project__organization", RelatedOnlyFieldListFilter), "is_default")
    list_select_related = ("project__organization",)
    search_fields = ("name", "slug", "project__name", "project__slug", "project__organization__slug")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        position = ("position",) if obj else ()
        return ("project", "name", "slug", "description", "colour", "is_default", *position)

    def reason_to_keep(self, obj: Environment) -> str:
        if obj.is_default:
            return f"{obj} is the default environment of {obj.project}: tick the default in another one first."
        return super().reason_to_keep(obj)

    def save_model(self, request: HttpRequest, obj: Environment, form: Any, change: bool) -> None:
        becomes_default = change and obj.is_default and not form.initial.get("is_default")
        if becomes_default:
            obj.is_default = False
        super().save_model(request, obj, form, change)
        if becomes_default:
            services.set_default_environment(environment=obj)

    def create(self, obj: Environment) -> Environment:
        new = NewEnvironment(
            name=obj.name, slug=obj.slug, description=obj.description, colour=obj.colour, is_default=obj.is_default
        )
        return services.create_environment(project=obj.project, new=new)
