from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.views.decorators.http import require_POST

from deployments.errors import BadHistory, RegistrationError
from deployments.imports import drafts as queries
from deployments.imports import importing
from deployments.imports.drafts import KEPT, history_of, import_draft, keep_draft
from deployments.imports.file import check_readable
from deployments.imports.preview import preview_import
from deployments.models import Deployment, ImportDraft
from deployments.pages import find_deployment
from deployments.timeline.queries import target_of
from orgs.access import MemberRequest, member_page
from orgs.models import Environment
from orgs.pages import offer_undo
from orgs.queries import promotion_path
from orgs.roles import Permission
from orgs.templatetags.ui import plural
from orgs.text import shortened


class ImportForm(forms.Form):
    environment = forms.ChoiceField()
    csv_file = forms.FileField(
        label="CSV file",
        max_length=1000,
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
        help_text="UTF-8, with the columns sha and date in its first line. Columns branch, title, author, email and "
        "first_commit_at are taken too; others are ignored.",
        error_messages={"required": "Choose a file."},
    )

    def __init__(self, *args: Any, environments: Sequence[Environment], body_bytes: int = 0, **options: Any) -> None:
        super().__init__(*args, **options)
        self.environments = {environment.slug: environment for environment in environments}
        choices = [(environment.slug, environment.name) for environment in environments]
        default = next((environment.slug for environment in environments if environment.is_default), None)
        self.fields["environment"] = forms.ChoiceField(
            label="Environment",
            choices=choices,
            initial=default,
            help_text="The history there is replaced by that of the file.",
        )
        if body_bytes > settings.MAX_IMPORT_BYTES:
            most = filesizeformat(settings.MAX_IMPORT_BYTES)
            self.fields["csv_file"].error_messages["required"] = (
                f"The file is larger than {most}: leave out columns, or the oldest rows."
            )

    def clean_environment(self) -> Environment:
        return self.environments[self.cleaned_data["environment"]]


# --- Importing a history from a file: choose it, see what would happen, do it, undo it ---


@member_page(Permission.MANAGE_PROJECTS)
def imports(request: MemberRequest, deployment: str) -> HttpResponse:
    found = find_deployment(request, deployment)
    sent = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    body_bytes = int(request.META.get("CONTENT_LENGTH") or 0)
    form = ImportForm(*sent, environments=promotion_path(found.project), body_bytes=body_bytes)
    if form.is_valid():
        try:
            draft = store_draft(request, found, form)
        except BadHistory as error:
            form.add_error("csv_file", str(error))
        else:
            return redirect("import-draft", request.organization.slug, found.slug, draft.pk)
    context = {"deployment": found, "form": form, "imports": queries.past_imports(found)}
    return render(request, "imports/imports.html", context)


def store_draft(request: MemberRequest, deployment: Deployment, form: ImportForm) -> ImportDraft:
    """Raises BadHistory where the file is not even the beginning of one."""
    upload = form.cleaned_data["csv_file"]
    check_readable(upload.file)
    upload.seek(0)
    return keep_draft(
        deployment=deployment,
        environment=form.cleaned_data["environment"],
        user=request.user,
        file_name=upload.name,
        file=upload,
    )


@member_page(Permission.MANAGE_PROJECTS)
def import_draft_page(request: MemberRequest, deployment: str, pk: int) -> HttpResponse:
    """GET shows what the file would do, POST does it."""
    found = find_deployment(request, deployment)
    draft = queries.draft_of(found, pk)
    if draft is None:
        if request.method == "POST":
            messages.error(request, f"The file was imported, or is older than {KEPT.days * 24} hours: upload it again.")
            return redirect("imports", request.organization.slug, found.slug)
        raise Http404
    if request.method == "POST":
        return apply(request, found, draft)
    return render(request, "imports/import_draft.html", {"deployment": found, "draft": draft, **preview(draft)})


def preview(draft: ImportDraft) -> dict[str, Any]:
    target_id = target_of(deployment_id=draft.deployment_id, environment_id=draft.environment_id)
    with history_of(draft) as file:
        try:
            return {"preview": preview_import(target_id=target_id, rows=file.rows()), "wrong": file.wrong}
        except BadHistory as error:
            return {"unreadable": str(error)}


def apply(request: MemberRequest, deployment: Deployment, draft: ImportDraft) -> HttpResponse:
    try:
        done = import_draft(draft=draft, member=request.user)
    except RegistrationError as error:
        # Of thousands of wrong lines the page itself shows enough.
        messages.error(request, shortened(str(error), 300))
        return redirect("import-draft", request.organization.slug, deployment.slug, draft.pk)
    undo = reverse("undo-import", args=[request.organization.slug, deployment.slug, done.pk])
    text = f"{plural(done.deploy_count, 'deploy')} imported to {draft.environment}."
    if done.replaced_count:
        text += f" {plural(done.replaced_count, 'deploy')} made way for them."
    offer_undo(request, text, undo)
    return redirect("deployment", request.organization.slug, deployment.slug)


@member_page(Permission.MANAGE_PROJECTS)
@require_POST
def undo_import(request: MemberRequest, deployment: str, pk: int) -> HttpResponse:
    found = find_deployment(request, deployment)
    done = queries.import_of(found, pk)
    if done is None:
        raise Http404
    try:
        importing.undo_import(history_import=done)
    except ValidationError as error:
        messages.error(request, error.messages[0])
    else:
        messages.success(
            request, f"The history of {found} in {done.target.environment} is what it was before the import."
        )
    return redirect("imports", request.organization.slug, found.slug)
