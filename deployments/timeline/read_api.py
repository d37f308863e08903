"""What the lists of the read API share: filters, pages and ETags."""

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from rest_framework.request import Request

from deployments.api.body import read_query, with_query
from deployments.api.dates import parse_date
from deployments.api.views import TokenView
from deployments.errors import InvalidField
from deployments.lookup import by_slug_or_name, unknown_sentence
from deployments.models import Status
from deployments.timeline.forms import (
    EARLIEST,
    KINDS,
    KINDS_OF_DEPLOYS,
    LATEST,
    TimelineForm,
    TimelineScope,
    kind_field,
)
from deployments.timeline.pager import Key
from deployments.timeline.queries import Filters
from deployments.token_limits import allowed_deployment_ids, allowed_environment_ids, visible
from orgs.models import Organization, Project
from orgs.slugs import is_slug
from orgs.text import printable, shortened
from tokens.scopes import Scope
from tokens.statements import TokenRow

NO_DATE = "Write a day such as 2024-05-01, or a moment such as 2024-05-01T12:35:00Z."


class DayOrMomentField(forms.Field):
    """A day or a moment, in the same range as the days of a timeline's form."""

    def to_python(self, value: str | None) -> date | datetime | None:
        if not value:
            return None
        try:
            day: date | datetime | None = date.fromisoformat(value)
        except ValueError:
            day = parse_date(value)
        if day is None or not EARLIEST <= (day.date() if isinstance(day, datetime) else day) <= LATEST:
            raise forms.ValidationError(NO_DATE)
        return day


class ReadForm(TimelineForm):
    """The filters of a timeline, with moments as well as days. It knows only what the token may see."""

    kinds: Sequence[tuple[str, str]] = KINDS
    # Filters of a timeline that this list lacks.
    without: tuple[str, ...] = ()

    since = DayOrMomentField(required=False)  # type: ignore[assignment]  # a form's fields may be of any class
    until = DayOrMomentField(required=False)  # type: ignore[assignment]  # the same

    def __init__(self, data: Mapping[str, Any], *, token: TokenRow, organization: Organization) -> None:
        self.token = token
        super().__init__(data, scope=TimelineScope(organization=organization))
        self.fields["kind"] = kind_field(self.kinds)
        valid = ", ".join(kind for kind, _ in self.kinds if kind)
        self.fields["kind"].error_messages["invalid_choice"] = f"Write {valid} or nothing."
        self.fields["status"].error_messages["invalid_choice"] = f"Write {', '.join(Status.values)} or nothing."
        for name in self.without:
            del self.fields[name]

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(name for name in cls.base_fields if name not in cls.without)

    def projects(self) -> Any:
        return visible(super().projects(), self.token)

    def deployments(self) -> Any:
        return visible(super().deployments(), self.token)

    def environments(self) -> Any:
        return visible(super().environments(), self.token)

    def matching(self, rows: Any, text: str) -> Any:
        return by_slug_or_name(rows, text)

    def unknown(self, noun: str, text: str, rows: Any) -> str:
        return unknown_sentence(noun, text, rows)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        text, environments = cleaned.get("environment"), self.environments()
        if text and not self.matching(environments, text).exists():
            self.add_error("environment", self.unknown("environment", text, environments))
        return cleaned

    def filters(self) -> Filters:
        filters = super().filters()
        limits = allowed_deployment_ids(self.token)
        if limits is not None and filters.deployment_id is None:
            filters = replace(filters, deployment_ids=limits)
        return filters

    def environment_ids(self, slug: str, project: Project | None) -> tuple[int, ...] | None:
        chosen = super().environment_ids(slug, project)
        return allowed_environment_ids(self.token) if chosen is None else chosen

    def beginning_of(self, day: date) -> datetime:
        return day if isinstance(day, datetime) else super().beginning_of(day)

    def end_of(self, day: date) -> datetime:
        return day if isinstance(day, datetime) else super().end_of(day)

    def first_error(self) -> str:
        """The first error of an invalid form, as one sentence."""
        field, (error, *_) = next(iter(self.errors.items()))
        return f"{field}: {error}"


class DeploysForm(ReadForm):
    kinds = KINDS_OF_DEPLOYS


# --- Views: answers with an ETag, and lists in pages ---

PAGE_SIZE = 100
MOST_A_PAGE = 100
PAGING: tuple[str, ...] = ("cursor", "limit")
# Any call may have its access token there.
TOKEN_FIELD = "api_key"
LIMIT = re.compile(r"0*([1-9][0-9]?|100)", re.ASCII)
WHOLE_NUMBER = re.compile(r"[0-9]{1,18}")
AnyForm = TypeVar("AnyForm", bound=ReadForm)


class ReadView(TokenView):
    required_scope = Scope.READ
    # The names of its parameters. A misspelt one would answer with more than was asked for, or the same page for ever.
    takes: tuple[str, ...] = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raises InvalidField for a parameter that there is not."""
        super().initial(request, *args, **kwargs)
        for name in self.parameters:
            if name not in (*self.takes, TOKEN_FIELD):
                raise InvalidField(unknown_parameter(name, self.takes))

    @property
    def parameters(self) -> dict[str, str]:
        """The query string's parameters. Raises UnreadableBody and InvalidField."""
        sent = with_query(read_query(self.request.META.get("QUERY_STRING", "")), {})
        for name, value in sent.items():
            if not isinstance(value, str):
                raise InvalidField(f"{name[:40]} came more than once: send it once.")
        return sent

    def filtered_by(self, form_class: type[AnyForm]) -> AnyForm:
        """A valid form with the query string's parameters. Raises InvalidField."""
        organization = Organization.objects.get(pk=self.token.organization_id)
        form = form_class(self.parameters, token=self.token, organization=organization)
        if not form.is_valid():
            raise InvalidField(form.first_error())
        return form

    def cursor(self, *, of_changes: bool = False) -> Key | None:
        """The position at which the page begins. Raises InvalidField."""
        text = self.parameters.get("cursor", "")
        key = Key.parse(text)
        if text and (key is None or (key.is_change and not of_changes)):
            raise bad_cursor()
        return key

    def chosen_format(self, *formats: str) -> str:
        """The first of ``formats`` by default. Raises InvalidField."""
        chosen = self.parameters.get("format") or formats[0]
        if chosen not in formats:
            raise InvalidField(
                f"There is no format '{shortened(chosen, 20)}': leave it out for {formats[0]}, or send format=csv."
            )
        return chosen

    def limit(self) -> int | None:
        """The number of rows that the caller asks for; None by default. Raises InvalidField."""
        text = self.parameters.get("limit", "")
        if not text:
            return None
        match = LIMIT.fullmatch(text)
        if match is None:
            raise InvalidField(f"limit must be a whole number from 1 to {MOST_A_PAGE}.")
        return int(match[1])

    def answer(self, data: Any, headers: Mapping[str, str] | None = None) -> HttpResponse:
        """Sends 304 without a body if the caller's If-None-Match names the same data."""
        body = json.dumps(data, ensure_ascii=False).encode()
        all_headers = {**cached_by(tag_of(body)), **(headers or {})}
        if self.was_seen(all_headers["ETag"]):
            return HttpResponse(status=304, headers=all_headers)
        return HttpResponse(body, content_type="application/json", headers=all_headers)

    def was_seen(self, tag: str) -> bool:
        seen = self.request.META.get("HTTP_IF_NONE_MATCH", "").split(",")
        return any(one.strip().removeprefix("W/") in (tag.removeprefix("W/"), "*") for one in seen)

    def page(self, rows: Sequence[dict[str, Any]], following: str) -> HttpResponse:
        """``following`` is the cursor of the next page; it is empty on the last page."""
        return self.answer(rows, {"Link": self.next_link(following)} if following else None)

    def next_link(self, following: str) -> str:
        # Answers may be logged, so they must not contain a secret.
        parameters = {name: value for name, value in self.parameters.items() if name != TOKEN_FIELD}
        query = urlencode({**parameters, "cursor": following})
        return f'<{settings.SITE_URL}{self.request.path}?{query}>; rel="next"'


def unknown_parameter(name: str, known: Sequence[str]) -> str:
    instead = f"it takes {', '.join(sorted(known))}" if known else "it takes none"
    return f"This call has no parameter '{printable(shortened(name, 40))}': {instead}."


class ListView(ReadView, ABC):
    """A list that is sorted by the columns ``by``. They are numbers and slugs and, together, unique. Their values make
    the cursor. The last one is a number, so that a slug alone is not a valid cursor."""

    by: tuple[str, ...] = ("id",)
    takes: tuple[str, ...] = PAGING

    @abstractmethod
    def rows(self) -> QuerySet[Any]: ...

    @abstractmethod
    def represent(self, row: Any) -> dict[str, Any]: ...

    def get(self, request: Request, **scope: Any) -> HttpResponse:
        rows, size = self.rows(), self.limit() or PAGE_SIZE
        if cursor := self.parameters.get("cursor"):
            rows = rows.filter(after_cursor(self.by, cursor))
        found = list(rows.order_by(*self.by)[: size + 1])
        page = found[:size]
        following = ",".join(str(getattr(page[-1], column)) for column in self.by) if len(found) > size else ""
        return self.page([self.represent(row) for row in page], following)


def tag_of(body: bytes) -> str:
    return f'"{hashlib.blake2s(body, digest_size=12).hexdigest()}"'


def cached_by(tag: str) -> dict[str, str]:
    return {"ETag": tag, "Cache-Control": "private, no-cache"}


def after_cursor(columns: Sequence[str], cursor: str) -> Q:
    """Raises InvalidField."""
    values = cursor.split(",")
    if len(values) != len(columns) or not all(map(is_value, columns, values)):
        raise bad_cursor()
    found, same = Q(), Q()
    for column, value in zip(columns, values, strict=True):
        found |= same & Q((f"{column}__gt", value))
        same &= Q((column, value))
    return found


def is_value(column: str, text: str) -> bool:
    return is_slug(text) if column == "slug" else WHOLE_NUMBER.fullmatch(text) is not None


def bad_cursor() -> InvalidField:
    return InvalidField("The cursor does not come from a Link header: begin again without it.")
