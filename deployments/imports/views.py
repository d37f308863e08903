from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.views.decorators.http import require_POST

from deployments.errors import BadHistory
from deployments.imports import drafts, importing, jobs
from deployments.imports.drafts import KEPT
from deployments.imports.file import check_readable
from deployments.imports.file_history import as_history
from deployments.imports.preview import preview_addition, preview_replacement
from deployments.models import Deployment, ImportDraft
from deployments.models.history_import import UNFINISHED, ImportState
from deployments.pages import find_deployment, has_seen, wants_part
from deployments.timeline.queries import target_of
from orgs.access import MemberRequest, member_page
from orgs.models import Environment
from orgs.queries import promotion_path
from orgs.roles import Permission


class ImportForm(forms.Form):
    environment = forms.ChoiceField()
    mode = forms.ChoiceField(
        label="What is there already",
        required=False,
        choices=[
            ("add", "Keep it, and add the deploys that are missing"),
            ("replace", "Replace it by the history of the file"),
        ],
        initial="add",
        widget=forms.RadioSelect,
    )
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
    context = {
        "deployment": found,
        "form": form,
        "unfinished": drafts.unfinished_imports(found),
        "imports": drafts.past_imports(found),
        "max_rows": f"{settings.MAX_IMPORT_ROWS:,}",
    }
    return render(request, "imports/imports.html", context)


def store_draft(request: MemberRequest, deployment: Deployment, form: ImportForm) -> ImportDraft:
    """Raises BadHistory if the file does not begin as a history."""
    upload = form.cleaned_data["csv_file"]
    check_readable(upload.file)
    upload.seek(0)
    return drafts.keep_draft(
        deployment=deployment,
        environment=form.cleaned_data["environment"],
        replaces=form.cleaned_data["mode"] == "replace",
        user=request.user,
        file_name=upload.name,
        file=upload,
    )


@member_page(Permission.MANAGE_PROJECTS)
def import_draft_page(request: MemberRequest, deployment: str, pk: int) -> HttpResponse:
    """GET shows what the file would do, or how far its import is; POST has it imported."""
    found = find_deployment(request, deployment)
    draft = drafts.draft_of(found, pk)
    if draft is None:
        if request.method == "POST":
            messages.error(request, f"A file is kept for {KEPT.days * 24} hours, until the next one: upload it again.")
            return redirect("imports", request.organization.slug, found.slug)
        raise Http404
    if request.method == "POST":
        jobs.request_import(draft=draft, member=request.user, address=request.META.get("REMOTE_ADDR", ""))
        return redirect("import-draft", request.organization.slug, found.slug, draft.pk)
    if draft.state in UNFINISHED:
        return show_progress(request, found, draft)
    if wants_part(request):
        # The progress bar asked, and there is more to show than that.
        return HttpResponse(headers={"HX-Refresh": "true"})
    if draft.state == ImportState.DONE:
        past = next((past for past in drafts.past_imports(found) if past.done.pk == draft.history_import_id), None)
        return render(request, "imports/import_done.html", {"deployment": found, "draft": draft, "past": past})
    return render(request, "imports/import_draft.html", {"deployment": found, "draft": draft, **preview(draft)})


def show_progress(request: MemberRequest, deployment: Deployment, draft: ImportDraft) -> HttpResponse:
    progress = (draft.state, draft.attempts, draft.read_count, draft.deploy_count, draft.stored_count)
    seen = f'"{"-".join(map(str, progress))}"'
    if has_seen(request, seen):
        return HttpResponse(status=204)
    context = {"deployment": deployment, "draft": draft, "seen": seen, "percent": percent_done(draft)}
    page = "imports/_import_progress.html" if wants_part(request) else "imports/import_progress.html"
    return render(request, page, context)


def percent_done(draft: ImportDraft) -> int:
    """Reading takes a third of the time, and storing the rest."""
    if draft.deploy_count:
        return 34 + 65 * draft.stored_count // draft.deploy_count
    return min(33, 33 * draft.read_count // max(draft.line_count, 1))


def preview(draft: ImportDraft) -> dict[str, Any]:
    target_id = target_of(deployment_id=draft.deployment_id, environment_id=draft.environment_id)
    with drafts.history_of(draft) as file:
        try:
            history = as_history(file.read(), records_redeploys=draft.deployment.records_redeploys)
        except BadHistory as error:
            return {"unreadable": str(error)}
    preview_of = preview_replacement if draft.replaces else preview_addition
    return {"preview": preview_of(target_id=target_id, history=history), "wrong": file.wrong}


@member_page(Permission.MANAGE_PROJECTS)
@require_POST
def cancel_import(request: MemberRequest, deployment: str, pk: int) -> HttpResponse:
    found = find_deployment(request, deployment)
    draft = drafts.draft_of(found, pk)
    if draft is None:
        raise Http404
    if not jobs.cancel_import(draft=draft):
        messages.error(request, "The import had ended before it could be cancelled.")
    return redirect("import-draft", request.organization.slug, found.slug, draft.pk)


@member_page(Permission.MANAGE_PROJECTS)
@require_POST
def undo_import(request: MemberRequest, deployment: str, pk: int) -> HttpResponse:
    found = find_deployment(request, deployment)
    done = drafts.import_of(found, pk)
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
