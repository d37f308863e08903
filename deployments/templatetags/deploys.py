"""How pages show deploys and manual changes."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils import timezone
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
    """Shortens a hash to its first digits, and a version only if it is long."""
    if HASH.fullmatch(sha):
        return sha[:SHORT_HASH]
    return sha if len(sha) <= SHORT_VERSION else f"{sha[: SHORT_VERSION - 1]}…"


@register.filter
def revision_of(deploy: Deploy) -> str:
    """The version, or the sha if there is no version, shortened."""
    return short(deploy.version or deploy.sha)


@register.filter
def full_revision_of(deploy: Deploy) -> str:
    return f"{deploy.version} · {deploy.sha}" if deploy.version else deploy.sha


@register.filter
def display_name(deploy: Deploy) -> str:
    """The title; if it has none, the version or the sha."""
    return deploy.title or deploy.version or deploy.sha


@register.filter
def author_of(deploy: Deploy) -> str:
    return deploy.author_name or local_part(deploy.author_email)


@register.filter
def changed_by(change: ManualChange) -> str:
    """The e-mail address of the author, or else of the person who recorded the change."""
    member = change.registered_by.email if change.registered_by else ""
    return change.author_email or change.user_email or member


@register.filter
def local_part(email: str) -> str:
    """An e-mail address without its domain."""
    return email.partition("@")[0]


@register.simple_tag
def web_link(url: str, text: str) -> SafeString | str:
    """``text``, as a link only if ``url`` is a web address, because callers may send any text as an address."""
    if not WEB_ADDRESS.fullmatch(url):
        return text
    return format_html('<a href="{}" rel="noopener noreferrer nofollow">{}</a>', url, text)


@register.simple_tag
def local_time(moment: datetime) -> SafeString:
    """The moment in the organization's time zone, which its pages have as the current one."""
    local = timezone.localtime(moment)
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), format_date(local, "j M Y, H:i:s T"))


@register.simple_tag(takes_context=True)
def rejected_badge(context: dict[str, Any], deployment: Deployment, rejected_today: Mapping[int, int]) -> SafeString:
    """Says how many of the deployment's calls were rejected today and are unresolved, and links to them."""
    count = rejected_today.get(deployment.pk)
    if not count:
        return SafeString()
    requests = reverse("requests", kwargs={"organization": context["request"].organization.slug})
    query = urlencode({"deployment": deployment.slug, "outcome": "unresolved"})
    return format_html('<a class="badge bad" href="{}?{}">{} rejected today</a>', requests, query, f"{count:,}")
