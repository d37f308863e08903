"""Sleuth's ``register_impact``: fields of a request → a report of an incident, or a value of a metric.

https://help.sleuth.io/sleuth-api/custom-incident-impact-registration and …/custom-metric-impact-registration; what
clients really send is in tests/compat.
"""

import math
from datetime import datetime
from typing import Any

from deployments.impacts.reports import IncidentReport
from deployments.models import IncidentEventType
from deployments.models.impact import MAX_INCIDENT_TITLE_LENGTH
from deployments.registration.errors import InvalidField
from deployments.wire.schemas import check_fields, violations
from deployments.wire.sleuth import INVALID_DATE, read_date, without_absent

# The text is Sleuth's; clients compare it.
NO_NUMBER = "Bad Request - impact value must be a number"


def read_metric_value(fields: dict[str, Any]) -> tuple[float, datetime | None]:
    """The value and its date, none for now. Raises InvalidField."""
    fields = without_absent(fields)
    broken = {violation.path for violation in violations("register_impact_metric", fields)}
    if "value" not in fields or "value" in broken:
        raise InvalidField(NO_NUMBER)
    value = as_number(fields["value"])
    if not isinstance(fields.get("date", ""), str):
        raise InvalidField(INVALID_DATE)
    return value, read_date(fields.get("date"))


def as_number(value: float | str) -> float:
    """Raises InvalidField for one that no double holds."""
    number = float(value)
    if not math.isfinite(number):
        raise InvalidField(NO_NUMBER)
    return number


def read_incident_report(fields: dict[str, Any]) -> IncidentReport:
    """Raises InvalidField with the first problem."""
    fields = without_absent(fields)
    for name in ("date", "ended_date"):
        if not isinstance(fields.get(name, ""), str):
            raise InvalidField(INVALID_DATE)
    if isinstance(fields.get("id"), int) and not isinstance(fields["id"], bool):
        # Systems that number their incidents send a number in one template and text in another.
        fields["id"] = str(fields["id"])
    check_fields("register_impact_incident", fields)
    type_ = IncidentEventType(fields["type"].lower())
    occurred_at, ended_at = read_date(fields.get("date")), read_date(fields.get("ended_date"))
    if type_ != IncidentEventType.TRIGGERED:
        ended_at = None
    elif ended_at and occurred_at is None:
        raise InvalidField("date is required with ended_date: send when the incident began.")
    elif ended_at and occurred_at and ended_at < occurred_at:
        raise InvalidField("ended_date is before date: send when the incident ended.")
    return IncidentReport(
        type=type_,
        external_id=fields.get("id", ""),
        occurred_at=occurred_at,
        ended_at=ended_at,
        title=as_line(fields.get("title", "")),
        url=fields.get("url", ""),
    )


def as_line(title: str) -> str:
    """Templates of alerting tools put whole messages here, and an incident is worth more than the end of its title."""
    return " ".join(title.split())[:MAX_INCIDENT_TITLE_LENGTH]
