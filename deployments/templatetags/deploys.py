"""How deploys are written on pages."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import template
from django.urls import reverse
from django.utils.dateformat import format as format_date
from django.utils.html import format_html
from django.utils.safestring import SafeString

from deployments.models import Deploy, Deployment, ManualChange

register = template.Library()

HASH = re.compile(r"[0-9a-fA-F]{12,}")
WEB_ADDRESS = re.compile(r"https?://[^\s\x00-\x1f]+", re.IGNORECASE)
SHORT_HASH = 7
SHORT_VERSION = 18


@register.filter
def short(sha: str) -> str:
    """The first digits of a hash; a version as it is, unless it is long."""
    if HASH.fullmatch(sha):
        return sha[:SHORT_HASH]
    return sha if len(sha) <= SHORT_VERSION else f"{sha[: SHORT_VERSION - 1]}…"


@register.filter
def revision_of(deploy: Deploy) -> str:
    """What was deployed, in short: its version, else its sha."""
    return short(deploy.version or deploy.sha)


@register.filter
def whole_revision_of(deploy: Deploy) -> str:
    return f"{deploy.version} · {deploy.sha}" if deploy.version else deploy.sha


@register.filter
def name_of(deploy: Deploy) -> str:
    """What people call a deploy: its title, else its version or sha."""
    return deploy.title or deploy.version or deploy.sha


@register.filter
def author_of(deploy: Deploy) -> str:
    return deploy.author_name or deploy.author_email.partition("@")[0]


@register.filter
def changed_by(change: ManualChange) -> str:
    """The e-mail address of whom a manual change is ascribed to."""
    member = change.registered_by.email if change.registered_by else ""
    return change.author_email or change.user_email or member


@register.filter
def before_at(email: str) -> str:
    return email.partition("@")[0]


@register.simple_tag
def web_link(url: str, text: str) -> SafeString | str:
    """``text``, linked where ``url`` is an address of the web: callers may send any text as one."""
    if not WEB_ADDRESS.fullmatch(url):
        return text
    return format_html('<a href="{}" rel="noopener noreferrer nofollow">{}</a>', url, text)


@register.simple_tag(takes_context=True)
def local_time(context: dict[str, Any], moment: datetime) -> SafeString:
    """The moment by the organization's clock."""
    local = moment.astimezone(ZoneInfo(context["request"].organization.time_zone))
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), format_date(local, "j M Y, H:i:s T"))


@register.simple_tag(takes_context=True)
def rejected_badge(context: dict[str, Any], deployment: Deployment, rejected_today: Mapping[int, int]) -> SafeString:
    """How many calls of the deployment were rejected today, linked to them; nothing where none was."""
    count = rejected_today.get(deployment.pk)
    if not count:
        return SafeString()
    requests = reverse("requests", kwargs={"organization": context["request"].organization.slug})
    query = urlencode({"deployment": deployment.slug, "outcome": "turned-away"})
    return format_html('<a class="badge bad" href="{}?{}">{} rejected today</a>', requests, query, f"{count:,}")
