"""What the pages of Django admin have in common. They are for the operator, who may see all organizations."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html

from orgs import audit
from orgs.models import Membership

# Models with another name in the audit log.
NOUNS = {"membership": "member", "accesstoken": "token"}


def record(verb: str, obj: Model, changes: dict[str, Any] | None = None) -> None:
    organization = audit.organization_of(obj)
    if organization is None or (verb == "deleted" and obj == organization) or (verb == "changed" and not changes):
        return
    name = str(obj._meta.model_name)  # noqa: SLF001 - documented in spite of its name
    subject: Model = obj
    if isinstance(obj, Membership):
        subject, changes = obj.user, changes or {"role": obj.role}
    audit.record(f"{NOUNS.get(name, name)}.{verb}", subject, organization=organization, changes=changes)


def changes_of(form: Any) -> dict[str, Any]:
    return {
        name: [plain(form.initial.get(name)), plain(form.cleaned_data[name])]
        for name in form.changed_data
        if name in form.cleaned_data
    }


def plain(value: Any) -> Any:
    return str(value) if isinstance(value, Model) else value


# Counting millions of rows would make each page of their list slow.
MOST_ROWS_COUNTED = 10_000
INLINE_ROWS = 50


# Of an organization, a project or an environment.
HISTORY = {
    "deploys": "deploys",
    "manual_changes": "manual changes",
    "impact_sources__incident_events": "incidents",
    "impact_sources__values": "values of metrics",
}


class OperatorAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # ModelAdmin is generic to the type checker only
    """Records in the audit log what Django admin stores without services.

    ``fixed_fields`` are editable when an object is added, and read-only after that.
    """

    fixed_fields: ClassVar[tuple[str, ...]] = ()
    # Look-ups of rows that must not be deleted here, with their names in messages.
    history: ClassVar[Mapping[str, str]] = {}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fixed = self.fixed_fields if obj else ()
        return (*super().get_readonly_fields(request, obj), *fixed)

    def create(self, obj: Any) -> Model | None:
        """The row that a service stored for ``obj``, a filled-in form, or ``None`` if Django is to store it."""
        return None

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if created := None if change else self.create(obj):
            adopt(obj, created)
        else:
            super().save_model(request, obj, form, change)
            record("changed" if change else "added", obj, changes_of(form) if change else {})

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        record("deleted", obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for obj in queryset:
            record("deleted", obj)
        super().delete_queryset(request, queryset)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        changes = {inline.instance.pk: changes_of(inline) for inline in formset.forms}
        for obj in formset.new_objects:
            record("added", obj)
        for obj, _ in formset.changed_objects:
            record("changed", obj, changes[obj.pk])
        for obj in formset.deleted_objects:
            record("deleted", obj)

    def reason_to_keep(self, obj: Any) -> str:
        """Why ``obj`` cannot be deleted here, or empty."""
        for look_up, words in self.history.items():
            if type(obj).objects.filter(pk=obj.pk, **{f"{look_up}__isnull": False}).exists():
                return f"{obj} has {words}: their history is kept, so it cannot be deleted here."
        return ""

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id))
        if obj and self.has_delete_permission(request, obj) and (reason := self.reason_to_keep(obj)):
            self.message_user(request, reason, messages.ERROR)
            return HttpResponseRedirect(change_url(obj))
        return super().delete_view(request, object_id, extra_context)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[Any], dict[str, int], set[str], Any]:
        """With an object its parts may be deleted, even if they cannot be deleted one by one."""
        deleted, counts, _, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, set(), protected

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Objects with a history are deleted one by one."""
        actions = super().get_actions(request)
        if self.history:
            actions.pop("delete_selected", None)
        return actions


def adopt(obj: Any, stored: Model) -> None:
    """Make ``obj``, which the form has filled in, the row that a service stored."""
    obj.pk = stored.pk
    obj.refresh_from_db()


class ReadOnly:
    """Shown, never edited. Mixed in before an admin or an inline."""

    def never(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_add_permission = has_change_permission = has_delete_permission = never


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # generic to the type checker only
    """Pages of the first MOST_ROWS_COUNTED rows. The others are found by search and filters."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows[:MOST_ROWS_COUNTED].count())


class FactAdmin(ReadOnly, OperatorAdmin):
    """A read-only list of a table that grows without end, newest rows first and in no other order."""

    ordering = ("-id",)
    sortable_by = ()
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50


class FirstRows(BaseInlineFormSet):  # type: ignore[type-arg]  # generic to the type checker only
    def get_queryset(self) -> QuerySet[Any]:
        if not hasattr(self, "_queryset"):
            self._queryset = super().get_queryset()[:INLINE_ROWS]
        return self._queryset


class FactInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # generic to the type checker only
    """The first INLINE_ROWS rows. The list of the model has all."""

    formset = FirstRows
    extra = 0
    show_change_link = True


def fact_inline(model: type[Model], *fields: str) -> type[FactInline]:
    return type(f"{model.__name__}Inline", (FactInline,), {"model": model, "fields": fields})


class ConditionFilter(admin.SimpleListFilter):
    """A filter by the conditions that ``conditions`` gives, each with its label."""

    def conditions(self) -> Mapping[str, tuple[str, Q]]:
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, label) for value, (label, _) in self.conditions().items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        _, condition = self.conditions().get(self.value() or "", ("", Q()))
        return queryset.filter(condition)


class LinesField(forms.CharField):
    """A list of texts, one on each line."""

    widget = forms.Textarea(attrs={"rows": 4, "cols": 60})

    def prepare_value(self, value: Any) -> Any:
        return "\r\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        return [line.strip() for line in super().clean(value).splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


def is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


def may_touch(request: HttpRequest, user: Any) -> bool:
    """Staff who are no superusers leave superusers alone."""
    return user is None or not user.is_superuser or is_superuser(request)


def change_url(obj: Model) -> str:
    meta = obj._meta  # noqa: SLF001 - documented in spite of its name
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[obj.pk])


def change_link(obj: Model | None) -> str:
    return format_html('<a href="{}">{}</a>', change_url(obj), obj) if obj else "-"
