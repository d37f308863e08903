"""The forms of projects, environments and deployments."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from deployments.models import BranchMatch, Provider, Target
from deployments.models.deployment import validate_repository_url
from deployments.pages import RowField, slug_field
from deployments.setup.services import DeploymentFields, validate_branch_mapping
from orgs.forms import EnvironmentNamesField, NameField
from orgs.models import Environment, Project
from orgs.services import ENVIRONMENT_COLOURS, NewEnvironment
from orgs.short_lived import DEFAULT_DAYS


class NewProjectForm(forms.Form):
    name = NameField()
    slug = slug_field("Part of the project's addresses. It cannot be changed. Leave empty to derive it from the name.")
    environments = EnvironmentNamesField()

    def clean_environments(self) -> list[NewEnvironment]:
        names = self.cleaned_data["environments"]
        return [NewEnvironment(name=name, is_default=name is names[-1]) for name in names]


class ColourInput(forms.TextInput):
    input_type = "color"


class AliasesField(forms.CharField):
    """Names with commas between them."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        return [name.strip() for name in super().clean(value).split(",")]


class EnvironmentForm(forms.Form):
    name = NameField()
    aliases = AliasesField(
        required=False,
        max_length=2_500,
        help_text="Other names that calls may use for it, with commas between them: prod, live.",
    )
    description = forms.CharField(required=False, max_length=500, help_text="What it is for, or where it runs.")
    colour = forms.RegexField(
        r"^#[0-9a-fA-F]{6}\Z",
        label="Colour",
        widget=ColourInput(attrs={"list": "environment-colours"}),
        error_messages={"invalid": "Write the colour as # and six hexadecimal digits."},
    )
    suggested_colours = ENVIRONMENT_COLOURS

    def clean_colour(self) -> str:
        return str(self.cleaned_data["colour"]).lower()


class NewEnvironmentForm(EnvironmentForm):
    slug = slug_field("Calls name the environment by it. It cannot be changed. Leave empty to derive it from the name.")
    is_default = forms.BooleanField(
        required=False, label="Default", help_text="Calls that name no environment go to the default one."
    )
    field_order = ("name", "slug", "aliases", "description", "colour", "is_default")


# --- The forms of a code deployment ---

MAX_PATTERNS = 100
MAX_PATTERN_LENGTH = 500

# Explains a mapping; the page keeps the text up to date while one types. {} is the branch.
BRANCH_WORDS = {
    BranchMatch.ANY: "Accepts every branch.",
    BranchMatch.EXACT: "Accepts the branch {} and calls that name no branch. Calls from other branches are rejected.",
    BranchMatch.PREFIX: "Accepts branches that begin with {}. Calls that name another branch, or none, are rejected.",
}


class LinesField(forms.CharField):
    """A list, written as one item per line."""

    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "class": "mono"})

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=MAX_PATTERNS * MAX_PATTERN_LENGTH, **options)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        lines = [line.strip() for line in super().clean(value).splitlines() if line.strip()]
        if len(lines) > MAX_PATTERNS or any(len(line) > MAX_PATTERN_LENGTH for line in lines):
            raise forms.ValidationError(
                f"Write at most {MAX_PATTERNS} patterns, each of at most {MAX_PATTERN_LENGTH} characters."
            )
        return lines


class ProjectForm(forms.Form):
    name = NameField()
    short_lived_patterns = LinesField(
        label="Short-lived environments",
        help_text="Calls that name an environment such as review/42 create it if a pattern allows: review/* or pr-*, "
        "one per line. Leave empty to reject them.",
    )
    short_lived_days = forms.IntegerField(
        label="Days until they end",
        required=False,
        min_value=1,
        max_value=90,
        help_text="After the last deploy, 1 to 90. Then a short-lived environment is deleted. It can be restored.",
    )

    def clean_short_lived_days(self) -> int:
        days: int | None = self.cleaned_data["short_lived_days"]
        return DEFAULT_DAYS if days is None else days


class RepositoryUrlField(forms.CharField):
    """An address as git or a browser shows it. Adds https:// if the scheme is missing."""

    default_validators = [validate_repository_url]  # noqa: RUF012 - Django's own

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=500, **options)

    def to_python(self, value: Any) -> Any:
        address = super().to_python(value)
        return f"https://{address}" if address and ":" not in address.partition("/")[0] else address


class DeploymentForm(forms.Form):
    name = NameField()
    repository_provider = forms.ChoiceField(choices=Provider, label="Repository at")
    repository_url = RepositoryUrlField(
        label="Repository address",
        help_text="As in the browser (https://github.com/acme/storefront) or as git@host:owner/repo.git.",
    )
    path_includes = LinesField(
        label="Paths that belong to it",
        help_text="For a repository with several deployments: one pattern per line, such as services/checkout/**. "
        "Leave empty for every path.",
    )
    path_excludes = LinesField(
        label="Paths that do not belong to it", help_text="One pattern per line, such as **/*.md."
    )
    records_redeploys = forms.BooleanField(
        required=False,
        label="Record redeploys",
        help_text="Deploys of what is live already are recorded. Otherwise they are duplicates, and their calls are "
        "rejected unless they send ignore_if_duplicate.",
    )

    def clean_repository_provider(self) -> Provider:
        return Provider(self.cleaned_data["repository_provider"])

    def fields_to_store(self) -> DeploymentFields:
        stored: Any = {name: self.cleaned_data[name] for name in DeploymentForm.base_fields}
        return stored  # type: ignore[no-any-return]  # the form has the same fields


class NewDeploymentForm(DeploymentForm):
    slug = slug_field(
        "Part of the address that your CI calls. It cannot be changed. Leave empty to derive it from the name."
    )
    project = RowField()
    field_order = ("project", "name", "slug")

    def __init__(self, *args: Any, projects: Sequence[Project], **options: Any) -> None:
        super().__init__(*args, **options)
        fields: dict[str, Any] = self.fields
        fields["project"].offer(projects, empty_label="Choose a project" if len(projects) > 1 else "")


class BranchForm(forms.Form):
    """The branch that is deployed to one environment."""

    match = forms.ChoiceField(choices=[("any", "any branch"), ("exact", "this branch"), ("prefix", "begins with")])
    branch = forms.CharField(required=False, max_length=255)

    def __init__(self, data: Mapping[str, Any] | None, *, environment: Environment, target: Target | None) -> None:
        initial = {"match": target.branch_match, "branch": target.branch} if target else None
        super().__init__(data, prefix=f"environment-{environment.pk}", initial=initial)
        self.environment = environment
        self.fields["match"].widget.attrs |= {"aria-label": f"Branches for {environment.name}", "data-branch-match": ""}
        self.fields["branch"].widget.attrs |= {
            "aria-label": f"Branch for {environment.name}",
            "data-branch": "",
            "class": "mono",
            "spellcheck": "false",
            "autocapitalize": "off",
        }

    @property
    def all_words(self) -> list[tuple[str, str]]:
        return [(match.value, words) for match, words in BRANCH_WORDS.items()]

    @property
    def words(self) -> str:
        match, branch = self["match"].value() or BranchMatch.ANY, self["branch"].value()
        return BRANCH_WORDS[match].format(branch or "…") if match in BRANCH_WORDS else ""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        match, branch = data.get("match"), data.get("branch", "")
        if match == BranchMatch.ANY:
            return {**data, "mapping": ""}
        if not branch:
            self.add_error("branch", "Write the branch, or choose any branch.")
        elif "*" in branch:
            self.add_error("branch", "Write the branch without *. To accept several, choose “begins with”.")
        else:
            validate_branch_mapping(branch)
        return {**data, "mapping": branch + "*" if match == BranchMatch.PREFIX else branch}


class MoveForm(forms.Form):
    project = RowField(label="Move to")

    def __init__(self, *args: Any, projects: Sequence[Project], **options: Any) -> None:
        super().__init__(*args, **options)
        fields: dict[str, Any] = self.fields
        fields["project"].offer(projects, empty_label="Choose a project")
