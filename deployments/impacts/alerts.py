"""The notifications of Prometheus' Alertmanager and of Grafana, whose body nobody can configure → reports of incidents.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config and
https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from deployments.api.dates import read_optional_date
from deployments.api.dropped import Dropped
from deployments.errors import InvalidField
from deployments.impacts.incidents import IncidentReport, as_line
from deployments.models import IncidentEventType
from deployments.models.change import MAX_URL_LENGTH
from deployments.models.impact import MAX_INCIDENT_ID_LENGTH

RESOLVED = "resolved"
MAX_ALERTS = 1_000


def is_notification(fields: Mapping[str, Any]) -> bool:
    """A call with a type is one of Sleuth's, which ignores unknown members."""
    return "type" not in fields and isinstance(fields.get("alerts"), list)


def read_notification(fields: Mapping[str, Any], dropped: Dropped) -> list[IncidentReport]:
    """One report for each alert, up to MAX_ALERTS. The same alert comes again at each repetition, and says nothing new
    then.

    What cannot be read of an alert is left out, since its sender would not send it otherwise. Raises InvalidField for
    something that is no alert at all.
    """
    alerts = fields["alerts"]
    if len(alerts) > MAX_ALERTS:
        dropped.cut_list("alerts", len(alerts), MAX_ALERTS)
        alerts = alerts[:MAX_ALERTS]
    for number, alert in enumerate(alerts):
        if not isinstance(alert, dict):
            raise InvalidField(f"alerts[{number}] must be an object, as Alertmanager sends it.")
    return [read_alert(alert, default_status=fields.get("status")) for alert in alerts]


def read_alert(alert: Mapping[str, Any], *, default_status: Any) -> IncidentReport:
    labels, annotations = members(alert, "labels"), members(alert, "annotations")
    started_at, ended_at = date_of(alert, "startsAt"), None
    type_ = IncidentEventType.TRIGGERED
    if (alert.get("status") or default_status) == RESOLVED:
        # endsAt of an alert that still fires is when it will be forgotten.
        ended_at = date_of(alert, "endsAt")
        if started_at and ended_at:
            # A trigger with its end, in case the notification that it fired was lost.
            ended_at = max(started_at, ended_at)
        else:
            type_, started_at, ended_at = IncidentEventType.RESOLVED, ended_at, None
    return IncidentReport(
        type=type_,
        external_id=id_of(alert, labels),
        occurred_at=started_at,
        ended_at=ended_at,
        title=as_line(text_of(annotations, "summary") or text_of(labels, "alertname")),
        url=url_of(alert),
    )


def id_of(alert: Mapping[str, Any], labels: Mapping[str, Any]) -> str:
    """Alertmanager before 0.19 sends no fingerprint; an alert is its labels."""
    fingerprint = text_of(alert, "fingerprint")
    if fingerprint and fingerprint.isprintable() and len(fingerprint) <= MAX_INCIDENT_ID_LENGTH:
        return fingerprint
    return hashlib.sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16]


def url_of(alert: Mapping[str, Any]) -> str:
    url = text_of(alert, "generatorURL")
    return url if url.isprintable() and len(url) <= MAX_URL_LENGTH else ""


def date_of(alert: Mapping[str, Any], name: str) -> datetime | None:
    value = alert.get(name)
    try:
        return read_optional_date(value, name) if isinstance(value, str) else None
    except InvalidField:
        return None


def members(alert: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = alert.get(name)
    return value if isinstance(value, dict) else {}


def text_of(texts: Mapping[str, Any], name: str) -> str:
    value = texts.get(name)
    return value.strip() if isinstance(value, str) else ""
