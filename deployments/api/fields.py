"""Fields that several wire formats have: dates, tags and links, as callers write them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from deployments.api.schemas import load_schema
from deployments.errors import InvalidField
from deployments.models.change import MAX_TAG_LENGTH

# Both databases store these. Other dates are mistakes of the caller (0001-01-01, seconds taken for milliseconds).
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
# A client without a zone in its date may be up to 14 hours ahead of UTC.
MAX_AHEAD = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)

ISO_8601 = re.compile(
    r"""
    # In the basic format, 20240501T123501, a day alone would be any number of eight digits.
    (?P<day>\d{4}-\d{2}-\d{2}|\d{8}(?=[Tt]))
    (
        [Tt\ ](?P<time>\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?|\d{4}(\d{2}([.,]\d{1,9})?)?)
        (\ ?(?P<zone>[Zz]|[+-]\d{2}(:?\d{2})?)|\ (?P<bare_zone>\d{2}:?\d{2}))?
    )?
    """,
    re.VERBOSE | re.ASCII,
)

# The most common spelling, also in files of a million lines. Python itself reads it in a third of the time.
PLAIN = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)?", re.ASCII)


def parse_date(text: str) -> datetime | None:
    """The moment in UTC, or None if ``text`` is no date of ISO 8601 between 1970 and 2200. Without a zone it is in UTC.

    A zone without a sign counts as east of Greenwich: ``curl -d`` sends the ``+`` of ``+02:00`` unencoded, which a form
    reads as a space. ``git log --date=iso`` writes a space before the zone.
    """
    text = text.strip()
    try:
        moment = datetime.fromisoformat(text if PLAIN.fullmatch(text) else spelt_plainly(text))
        if moment.tzinfo is not UTC:
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return moment if EARLIEST <= moment < LATEST else None


def spelt_plainly(text: str) -> str:
    """Raises ValueError if ``text`` is not a date."""
    match = ISO_8601.fullmatch(text)
    if match is None:
        raise ValueError
    zone = match["zone"] or (f"+{match['bare_zone']}" if match["bare_zone"] else "Z")
    return f"{match['day']}T{match['time'] or '00:00'}{zone.upper()}"


# The text is Sleuth's, with its two spaces; clients compare it.
INVALID_DATE = "Invalid date format.  Must be in ISO 8601 format"
TAG = re.compile(r"#([a-z0-9_-]+)")
SLEUTH_FIELDS = load_schema("register_deploy")["properties"]
MAX_TAGS = SLEUTH_FIELDS["tags"]["maxItems"]
EMAIL = re.compile(SLEUTH_FIELDS["email"]["pattern"])


def to_microseconds(moment: datetime) -> int:
    """Since 1970."""
    return (moment - EARLIEST) // MICROSECOND


def from_microseconds(number: int) -> datetime:
    return EARLIEST + number * MICROSECOND


def check_dates_are_text(*dates: Any) -> None:
    """Call this before the schema is checked, whose sentence is not Sleuth's. Raises InvalidField."""
    if any(date is not None and not isinstance(date, str) for date in dates):
        raise InvalidField(INVALID_DATE)


def read_date(text: str | None) -> datetime | None:
    if text is None:
        return None
    date = parse_date(text)
    if date is None:
        raise InvalidField(INVALID_DATE)
    reject_future(date, "date")
    return date


def reject_future(date: datetime | None, field: str) -> None:
    if date and date > datetime.now(UTC) + MAX_AHEAD:
        raise InvalidField(f"{field} is in the future: send when it happened, or leave it out for now.")


def read_date_at(text: str | None, path: str) -> datetime | None:
    if not text:
        return None
    date = parse_date(text)
    if date is None:
        raise InvalidField(f"{path} must be a date in ISO 8601, such as 2024-05-01T12:35:00Z.")
    return date


def read_tags(value: str | list[str] | None) -> tuple[str, ...] | None:
    """Tags without their #, once each. None if there are none: then the changed files decide."""
    texts = [value] if isinstance(value, str) else value or []
    tags: dict[str, None] = {}
    for tag in (part.strip() for text in texts for part in text.split(",")):
        if not tag:
            continue
        match = TAG.fullmatch(tag)
        if match is None or len(match[1]) > MAX_TAG_LENGTH:
            raise InvalidField(
                f"The tag '{tag[:60]}' is not valid: write # and up to {MAX_TAG_LENGTH} lower-case letters, "
                "digits, - or _, with commas between tags."
            )
        tags[match[1]] = None
    if len(tags) > MAX_TAGS:
        raise InvalidField(f"tags has {len(tags)} items: at most {MAX_TAGS} are accepted.")
    return tuple(tags) or None


def split_link(text: str) -> dict[str, str]:
    """``name=url``; the url may have more = in it."""
    name, equals, url = (part.strip() for part in text.partition("="))
    if not equals:
        raise InvalidField("links must be name=url, or an object of names and addresses.")
    return {name: url}
