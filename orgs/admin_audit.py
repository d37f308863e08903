"""What the operator writes in Django admin, in the audit log of the organization that it concerns.

What goes through services is recorded there; this is for what Django admin itself stores and deletes.
"""

from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from orgs import audit
from orgs.models import Membership, Organization

# The audit log's words for models that are called otherwise.
NOUNS = {"membership": "member", "accesstoken": "token"}


class Audited:
    """Mixed in before ModelAdmin."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)  # type: ignore[misc]  # ModelAdmin's
        record("changed" if change else "added", obj, changes_of(form) if change else {})

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        record("deleted", obj)
        super().delete_model(request, obj)  # type: ignore[misc]  # ModelAdmin's

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for obj in queryset:
            record("deleted", obj)
        super().delete_queryset(request, queryset)  # type: ignore[misc]  # ModelAdmin's

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)  # type: ignore[misc]  # ModelAdmin's
        changes = {inline.instance.pk: changes_of(inline) for inline in formset.forms}
        for obj in formset.new_objects:
            record("added", obj)
        for obj, _ in formset.changed_objects:
            record("changed", obj, changes[obj.pk])
        for obj in formset.deleted_objects:
            record("deleted", obj)


def record(verb: str, obj: Model, changes: dict[str, Any] | None = None) -> None:
    organization = organization_of(obj)
    if organization is None or (verb == "deleted" and obj == organization) or (verb == "changed" and not changes):
        return
    name = str(obj._meta.model_name)  # noqa: SLF001 - documented in spite of its name
    subject: Model = obj
    if isinstance(obj, Membership):
        subject, changes = obj.user, changes or {"role": obj.role}
    audit.record(f"{NOUNS.get(name, name)}.{verb}", subject, organization=organization, changes=changes)


def organization_of(obj: Any) -> Organization | None:
    if isinstance(obj, Organization):
        return obj
    for path in ("organization", "project", "deployment"):
        if found := getattr(obj, path, None):
            return organization_of(found)
    return None


def changes_of(form: Any) -> dict[str, Any]:
    return {
        name: [plain(form.initial.get(name)), plain(form.cleaned_data[name])]
        for name in form.changed_data
        if name in form.cleaned_data
    }


def plain(value: Any) -> Any:
    return str(value) if isinstance(value, Model) else value
