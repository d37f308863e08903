"""The filters of a timeline, taken from its query string."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.utils.choices import CallableChoiceIterator

from deployments.models import Deployment, Status
from deployments.models.deploy import MAX_SHA_LENGTH, MAX_VERSION_LENGTH
from deployments.timeline.queries import MANUAL_CHANGE, Filters, target_of
from orgs.models import Environment, Organization, Project

KINDS = (
    ("", "Any kind"),
    ("deploy", "Deploys"),
    ("rollback", "Rollbacks"),
    ("rolled_back", "Rolled back"),
    (MANUAL_CHANGE, "Manual changes"),
)
KINDS_OF_DEPLOYS = KINDS[:-1]
EARLIEST, LATEST = date(1970, 1, 2), date(2199, 12, 30)
OFFERED_DEPLOYMENTS = 500
COMMON_FIELDS = ("q", "kind", "environment")
SEARCH_LABEL = "Search"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineScope:
    """What the path of a timeline's address fixes. The query string cannot filter by it."""

    organization: Organization
    project: Project | None = None
    deployment: Deployment | None = None
    environment: Environment | None = None

    def fixed_fields(self) -> Iterator[str]:
        if self.project or self.deployment:
            yield "project"
        if self.deployment:
            yield "deployment"
        if self.environment:
            yield "environment"


def text_field(label: str, max_length: int = 200, **attributes: str) -> forms.CharField:
    widget = forms.TextInput(attrs={"class": "input", "autocomplete": "off", **attributes})
    return forms.CharField(required=False, max_length=max_length, label=label, widget=widget)


def search_field(label: str, max_length: int) -> forms.CharField:
    return text_field(label, max_length, type="search", placeholder=label, **{"data-search": ""})


def date_field(label: str) -> forms.DateField:
    return forms.DateField(
        required=False,
        label=label,
        widget=forms.DateInput(attrs={"type": "date", "class": "input"}, format="%Y-%m-%d"),
        validators=[MinValueValidator(EARLIEST), MaxValueValidator(LATEST)],
    )


def kind_field(kinds: Sequence[tuple[str, str]]) -> forms.ChoiceField:
    widget = forms.Select(attrs={"class": "input"})
    return forms.ChoiceField(required=False, choices=kinds, label="Kind", widget=widget)


class TimelineForm(forms.Form):
    q = search_field("Search title, sha, version, author or message", 200)
    kind = kind_field(KINDS)
    environment = forms.CharField(required=False, label="Environment", widget=forms.Select(attrs={"class": "input"}))
    project = forms.CharField(required=False, label="Project", widget=forms.Select(attrs={"class": "input"}))
    deployment = text_field("Deployment", list="deployment-slugs", placeholder="Its slug")
    status = forms.ChoiceField(
        required=False,
        choices=(("", "Any status"), *Status.choices),
        label="Status",
        widget=forms.Select(attrs={"class": "input"}),
    )
    author = text_field("Author", placeholder="Name or e-mail")
    tag = text_field("Tag", placeholder="rollback")
    sha = text_field("Sha begins with", max_length=MAX_SHA_LENGTH, spellcheck="false")
    version = text_field("Version begins with", max_length=MAX_VERSION_LENGTH, spellcheck="false")
    since = date_field("From")
    until = date_field("To")

    def __init__(self, data: Mapping[str, Any], *, scope: TimelineScope) -> None:
        super().__init__(data, label_suffix="")
        self.scope = scope
        self.zone = ZoneInfo(scope.organization.time_zone)
        self.fields["sha"].validators.append(RegexValidator(r".{4}", "Write at least four characters of the sha."))
        for name, choices in (("project", self.project_choices), ("environment", self.environment_choices)):
            widget: Any = self.fields[name].widget
            widget.choices = CallableChoiceIterator(choices)
        if scope.deployment:
            self.fields["kind"] = kind_field(KINDS_OF_DEPLOYS)
        for name in scope.fixed_fields():
            del self.fields[name]

    def projects(self) -> Any:
        return Project.objects.filter(organization=self.scope.organization)

    def deployments(self) -> Any:
        return Deployment.objects.filter(organization=self.scope.organization)

    def project_choices(self) -> list[tuple[str, str]]:
        return [("", "Any project"), *self.projects().values_list("slug", "name")]

    def environment_choices(self) -> list[tuple[str, str]]:
        """Environments with the same slug are one choice, with the name of the first one."""
        names: dict[str, str] = {}
        for slug, name in self.environments().order_by("position", "id").values_list("slug", "name"):
            names.setdefault(slug, name)
        return [("", "Any environment"), *names.items()]

    def offered_deployments(self) -> list[tuple[str, str]]:
        """Suggestions for the deployment field."""
        deployments = self.deployments()
        if project := self.chosen_project():
            deployments = deployments.filter(project=project)
        return list(deployments.order_by("slug").values_list("slug", "name")[:OFFERED_DEPLOYMENTS])

    def chosen_project(self) -> Project | None:
        if self.scope.deployment:
            return self.scope.deployment.project
        return self.scope.project or getattr(self, "cleaned_data", {}).get("project")

    def environments(self) -> Any:
        active = Environment.objects.filter(
            project__organization=self.scope.organization, project__deleted_at__isnull=True
        )
        if project := self.chosen_project():
            return active.filter(project=project)
        return active

    def matching(self, rows: Any, text: str) -> Any:
        """The rows that the text of a filter names."""
        return rows.filter(slug=text.lower())

    def unknown(self, noun: str, text: str, rows: Any) -> str:
        """The error message if the text names none of ``rows``."""
        return f"There is no {noun} {text}."

    def find_named(self, field: str, rows: Any) -> Any:
        """The row that the field names; None if it is empty. Raises ValidationError."""
        text = self.cleaned_data[field]
        found = self.matching(rows, text).first() if text else None
        if text and found is None:
            raise forms.ValidationError(self.unknown(field, text, rows))
        return found

    def clean_project(self) -> Any:
        return self.find_named("project", self.projects())

    def clean_deployment(self) -> Any:
        deployment = self.find_named("deployment", self.deployments().select_related("project"))
        if deployment and (project := self.chosen_project()) and deployment.project_id != project.pk:
            raise forms.ValidationError(f"{deployment} is not in {project}.")
        return deployment

    def clean_tag(self) -> str:
        tag: str = self.cleaned_data["tag"]
        return tag.lstrip("#").lower()

    def filters(self) -> Filters:
        """Needs a valid form."""
        data, scope = self.cleaned_data, self.scope
        deployment = scope.deployment or data.get("deployment")
        project = self.chosen_project() or (deployment.project if deployment else None)
        environment_ids = self.environment_ids(data.get("environment", ""), project)
        target_id = None
        if deployment and environment_ids and len(environment_ids) == 1:
            target_id = target_of(deployment_id=deployment.pk, environment_id=environment_ids[0])
        return Filters(
            organization_id=scope.organization.pk,
            project_id=project.pk if project else None,
            deployment_id=deployment.pk if deployment else None,
            environment_ids=environment_ids,
            target_id=target_id,
            since=self.beginning_of(data["since"]) if data["since"] else None,
            until=self.end_of(data["until"]) if data["until"] else None,
            kind=data.get("kind", ""),
            status=data.get("status", ""),
            author=data.get("author", ""),
            tag=data.get("tag", ""),
            sha=data.get("sha", ""),
            version=data.get("version", ""),
            text=data.get("q", ""),
        )

    def environment_ids(self, slug: str, project: Project | None) -> tuple[int, ...] | None:
        if self.scope.environment:
            return (self.scope.environment.pk,)
        if not slug:
            return None
        environments = self.matching(self.environments(), slug)
        if project:
            environments = environments.filter(project=project)
        return tuple(environments.values_list("pk", flat=True))

    def beginning_of(self, day: date) -> datetime:
        return datetime.combine(day, time.min, tzinfo=self.zone)

    def end_of(self, day: date) -> datetime:
        return self.beginning_of(day + timedelta(days=1))

    def active_filters(self) -> Iterator[dict[str, str]]:
        """``without`` is the address of the page without this filter."""
        for name, field in self.fields.items():
            value = str(self[name].value() or "").strip()
            if not value:
                continue
            others = {key: self[key].value() for key in self.fields if key != name and self[key].value()}
            label = SEARCH_LABEL if name == "q" else field.label or name
            text = dict(KINDS).get(value, value) if name == "kind" else value
            yield {"label": str(label), "value": text, "without": f"?{urlencode(others)}"}

    @property
    def common_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name in COMMON_FIELDS]

    @property
    def rare_fields(self) -> list[forms.BoundField]:
        """The page hides them unless one of them is set."""
        return [self[name] for name in self.fields if name not in COMMON_FIELDS]

    @property
    def has_rare_filters(self) -> bool:
        return any(field.value() for field in self.rare_fields)
