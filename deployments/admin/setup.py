"""Code deployments and their targets, which the operator may set up here."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import RelatedOnlyFieldListFilter
from django.contrib.admin.widgets import AdminTextInputWidget
from django.db.models import QuerySet
from django.http import HttpRequest

from deployments.models import BranchMatch, Deployment, Provider, Target
from deployments.setup import services
from deployments.setup.forms import RepositoryUrlField
from orgs.admin.base import FactInline, LinesField, OperatorAdmin, adopt, change_link
from orgs.admin.organizations import SluggedForm
from orgs.models import Project

DEPLOYS = {"deploys": "deploys"}


class DeploymentForm(SluggedForm):
    parent = "project"
    repository_url = RepositoryUrlField(label="Repository URL", widget=AdminTextInputWidget)
    path_includes = LinesField(required=False, help_text="Patterns of the paths that belong to it, one to a line.")
    path_excludes = LinesField(
        required=False, help_text="Patterns of the paths that do not belong to it, one to a line."
    )

    def namesakes(self, parent: Project) -> QuerySet[Deployment]:
        return Deployment.objects.filter(organization=parent.organization_id)


def mapping_text(target: Target) -> str:
    return f"{target.branch}*" if target.branch_match == BranchMatch.PREFIX else target.branch


@admin.display(description="branches")
def branch_words(_: object, target: Target) -> str:
    return mapping_text(target) or "any"


class TargetInline(FactInline):
    model = Target
    fields = readonly_fields = ("environment", "branches", "live_deploy")
    branches = branch_words

    def get_queryset(self, request: HttpRequest) -> QuerySet[Target]:
        return Target.objects.select_related("environment", "deployment", "live_deploy")


@admin.register(Deployment)
class DeploymentAdmin(OperatorAdmin):
    form = DeploymentForm
    fixed_fields = ("project", "slug")
    history = DEPLOYS
    # Chosen from their list, since projects of several organizations may have the same name.
    raw_id_fields = ("project",)
    inlines = (TargetInline,)
    fields = (
        "project",
        "name",
        "slug",
        "repository_provider",
        "repository_url",
        "path_includes",
        "path_excludes",
        "records_redeploys",
    )
    list_display = ("name", "slug", "project", "organization", "repository_provider", "repository_url")
    list_filter = (("organization", RelatedOnlyFieldListFilter), "repository_provider")
    list_select_related = ("project", "organization")
    search_fields = ("name", "slug", "repository_url", "project__slug", "organization__slug")

    def create(self, obj: Deployment) -> Deployment:
        return services.create_deployment(
            project=obj.project,
            name=obj.name,
            slug=obj.slug,
            repository_provider=Provider(obj.repository_provider),
            repository_url=obj.repository_url,
            path_includes=obj.path_includes,
            path_excludes=obj.path_excludes,
            records_redeploys=obj.records_redeploys,
        )


class TargetForm(forms.ModelForm):  # type: ignore[type-arg]  # generic to the type checker only
    """One field for the kind of match and its text, as in a provisioning file."""

    branch_mapping = forms.CharField(
        required=False,
        max_length=255,
        validators=[services.validate_branch_mapping],
        help_text="A branch, or a prefix that ends in *. Empty: any branch.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["branch_mapping"] = mapping_text(self.instance)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        deployment, environment = cleaned.get("deployment"), cleaned.get("environment")
        if deployment and environment and deployment.project_id != environment.project_id:
            self.add_error(
                "environment", f"Choose an environment of {deployment.project}, to which {deployment} belongs."
            )
        return cleaned


@admin.register(Target)
class TargetAdmin(OperatorAdmin):
    form = TargetForm
    fixed_fields = ("deployment", "environment")
    history = DEPLOYS
    fields = ("deployment", "environment", "branch_mapping", "live")
    readonly_fields = ("live",)
    # Chosen from their lists, since every project has a production.
    raw_id_fields = ("deployment", "environment")
    list_display = ("deployment", "environment", "deployment__organization", "branches", "live_deploy")
    branches = branch_words
    list_filter = (("deployment__organization", RelatedOnlyFieldListFilter),)
    list_select_related = ("deployment__organization", "environment", "live_deploy")
    search_fields = ("deployment__name", "deployment__slug", "environment__slug", "deployment__organization__slug")
    show_full_result_count = False

    @admin.display(description="live deploy")
    def live(self, target: Target) -> str:
        return change_link(target.live_deploy)

    def save_model(self, request: HttpRequest, obj: Target, form: Any, change: bool) -> None:
        target = services.map_branch(
            deployment=obj.deployment, environment=obj.environment, branch=form.cleaned_data["branch_mapping"]
        )
        adopt(obj, target)
