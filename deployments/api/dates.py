"""Dates as callers write them: the one reader for all endpoints and files.

A date is a moment. Where the text has no zone, it is in UTC.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from deployments.api.dropped import Dropped
from deployments.errors import InvalidField

# Earlier dates are what programs write for no time: the zero of Go and .NET (0001-01-01), of Unix (1970-01-01), of
# databases (0000-00-00) and spreadsheets (1899-12-30).
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NO_TIME = datetime.min.replace(tzinfo=UTC)
# A client without a zone in its date may be up to 14 hours ahead of UTC.
MAX_AHEAD = timedelta(days=1)
# As much may the clocks of two machines differ that report to us within these minutes.
CLOCK_SKEW = timedelta(minutes=5)
MICROSECOND = timedelta(microseconds=1)
ZERO = re.compile(r"(0000|0001-?01-?01)[-\d T:.Z+]{0,30}", re.ASCII)
# Longer than any date with the name of its zone.
MAX_LENGTH = 120

# The text is Sleuth's, with its two spaces; clients compare it.
INVALID_DATE = "Invalid date format.  Must be in ISO 8601 format"

# The most common spelling, also in files of a million lines. Python itself reads it in a third of the time.
PLAIN = re.compile(r"\d{4}-\d\d-\d\d[T ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?", re.ASCII)

TIME = r"""
    (?P<hour>\d{1,2})(:?(?P<minute>\d\d)(:?(?P<second>\d\d))?)?(?P<fraction>[.,]\d{1,20})?
    (\s?(?P<half>[AaPp])\.?[Mm]\.?)?
"""
# Without a sign it is east of Greenwich: curl -d sends the + of +02:00 unencoded, which a form reads as a space.
# A name may follow an offset, as Go writes it (2019-06-13 14:36:52 +0200 CEST m=+0.1), and a note, as JavaScript and
# e-mail do: (Central European Time). RFC 9557 of Java and of JavaScript's Temporal has [Europe/Berlin][u-ca=gregory].
ZONE = r"""
    (\s*(?P<utc>Z|(UTC|GMT|UT)(?=\W|$)))?
    ((\s*(?P<sign>[+-])(?P<zone_hours>\d\d)(:?(?P<zone_minutes>\d\d))?|\s+(?P<bare>\d\d:?\d\d))
     (\s+([A-Z]{1,5}|[+-]\d\d(\d\d)?))?(\s+m=[+-][\d.]+)?)?
    (\s*\([^()]*\))?
    (\[!?(?P<place>[A-Za-z0-9_+:/-]+)\])?(\[!?[a-z0-9_-]+=[^\]]*\])*
"""
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH = rf"(?P<month_name>{'|'.join(MONTHS)})[a-z]*\.?"
WEEKDAY = r"((mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+)?"
FORMS = [
    re.compile(form, re.VERBOSE | re.ASCII | re.IGNORECASE)
    for form in (
        # ISO 8601 with its weeks and days of the year, with slashes as Go's log and some spreadsheets have it, and
        # 1.12.2026 as others do. The order of 12/1/2026 cannot be known.
        rf"""((?P<year>\d{{4}})(-(?P<month>\d\d?)-(?P<day>\d\d?)|/(?P<month_>\d\d?)/(?P<day_>\d\d?)
             |(?P<month__>\d\d)(?P<day__>\d\d)
             |-?W(?P<week>\d\d)(-?(?P<weekday>\d))?|-?(?P<day_of_year>\d{{3}}))
            |(?P<dotted_day>\d\d?)\.(?P<dotted_month>\d\d?)\.(?P<dotted_year>\d{{4}}))
            ([T\ ]\s*{TIME}{ZONE})?""",
        # date +%Y%m%d%H%M%S
        rf"(?P<year>\d{{4}})(?P<month>\d\d)(?P<day>\d\d)(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d){ZONE}",
        # RFC 2822 as git, HTTP and e-mail write it, and JavaScript: Tue Dec 01 2026 13:17:42 GMT+0100.
        rf"""{WEEKDAY}((?P<day>\d\d?)[\ -]{MONTH}|{MONTH.replace("month_name", "month_name_")}\s+(?P<day_>\d\d?),?)
            [\ -](?P<year>\d{{4}}|\d\d)\s+{TIME}{ZONE}""",
        # git, C and date: Tue Dec  1 13:17:42 UTC 2026 +0100.
        rf"""{WEEKDAY}{MONTH}\s+(?P<day>\d\d?)\s+{TIME}(\s+(?P<named>UTC|GMT))?\s+(?P<year>\d{{4}}){ZONE}""",
    )
]
# Since 1970, as git, Unix, .NET (/Date(1733059062000+0100)/) and others write it. The zone changes nothing.
NUMBER = re.compile(
    r"(?P<open>@|/Date\()?(?P<whole>-?\d+)(?P<fraction>[.,]\d{1,20})?(\s*[+-]?\d{4})?(?(open)(\)/)?)", re.ASCII
)
UNITS = {9: 1, 10: 1, 12: 10**3, 13: 10**3, 15: 10**6, 16: 10**6, 18: 10**9, 19: 10**9}
# Days of a spreadsheet.
SERIAL_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)
SERIALS = range((EARLIEST - SERIAL_EPOCH).days, (LATEST - SERIAL_EPOCH).days)


def parse_date(text: str) -> datetime | None:
    """The moment in UTC, or None if ``text`` is no date or is one after 2200. NO_TIME stands for what no calendar has,
    such as 0000-00-00, where programs write it for no time."""
    text = text.strip()
    try:
        if PLAIN.fullmatch(text):
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is not UTC:
                moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        else:
            moment = read_otherwise(text)
    except (ValueError, OverflowError):
        return NO_TIME if ZERO.fullmatch(text) else None
    return moment if moment < LATEST else None


def read_otherwise(text: str) -> datetime:
    """Raises ValueError, and OverflowError for a moment of no year."""
    if len(text) > MAX_LENGTH:
        raise ValueError
    text = text.replace("\N{MINUS SIGN}", "-")
    if number := NUMBER.fullmatch(text):
        try:
            return since_epoch(number["whole"], number["fraction"] or "")
        except ValueError:
            if number["open"]:
                raise
    match = next((match for form in FORMS if (match := form.fullmatch(text))), None)
    if match is None:
        raise ValueError
    parts = match.groupdict()
    local = day_of(parts) + time_of(parts)
    return (local - offset_of(parts, local)).replace(tzinfo=UTC)


def since_epoch(whole: str, fraction: str) -> datetime:
    digits = len(whole.lstrip("-"))
    if int(whole[:20]) <= 0 and digits <= max(UNITS):
        return NO_TIME
    if digits == 5 and int(whole) in SERIALS:
        return SERIAL_EPOCH + timedelta(seconds=round(float(f"{whole}.{fraction[1:]}") * 86_400))
    if (unit := UNITS.get(digits)) is None:
        raise ValueError
    # Not by floating point, which has no room for nanoseconds.
    microseconds = int(whole) * 10**6 // unit
    if unit == 1 and fraction:
        microseconds += int(fraction[1:7].ljust(6, "0"))
    return EPOCH + timedelta(microseconds=microseconds)


def day_of(parts: dict[str, Any]) -> datetime:
    def part(*names: str) -> str:
        return next((value for name in names if (value := parts.get(name))), "")

    year = part("year", "dotted_year")
    number = int(year) + (2000 if len(year) == 2 else 0)
    if week := part("week"):
        return datetime.fromisocalendar(number, int(week), int(part("weekday") or 1))
    if nth := part("day_of_year"):
        day = datetime(number, 1, 1) + timedelta(days=int(nth) - 1)  # noqa: DTZ001 - its zone follows
        if day.year != number:
            raise ValueError
        return day
    name = part("month_name", "month_name_")
    month = MONTHS.index(name.lower()) + 1 if name else int(part("month", "month_", "month__", "dotted_month"))
    return datetime(number, month, int(part("day", "day_", "day__", "dotted_day")))  # noqa: DTZ001 - the same


def time_of(parts: dict[str, Any]) -> timedelta:
    """The fraction is one of the last unit that there is, as in ISO 8601. 24:00 and a leap second belong to what
    follows."""
    hour, minute, second = (int(parts.get(name) or 0) for name in ("hour", "minute", "second"))
    if half := parts.get("half"):
        if not 1 <= hour <= 12:
            raise ValueError
        hour = hour % 12 + (12 if half in "Pp" else 0)
    if minute > 59 or second > 60 or hour > 24:
        raise ValueError
    time = timedelta(hours=hour, minutes=minute, seconds=second)
    if fraction := parts.get("fraction"):
        unit = "seconds" if parts.get("second") else "minutes" if parts.get("minute") else "hours"
        # Cut and not rounded, so that it is no other second.
        time += int(fraction[1:10].ljust(9, "0")) * timedelta(**{unit: 1}) // 10**9
    if time > timedelta(days=1):
        raise ValueError
    return time


def offset_of(parts: dict[str, Any], local: datetime) -> timedelta:
    if bare := parts.get("bare"):
        hours, minutes, sign = int(bare[:2]), int(bare[-2:]), "+"
    elif parts.get("zone_hours"):
        hours, minutes, sign = int(parts["zone_hours"]), int(parts["zone_minutes"] or 0), parts["sign"]
    elif (place := parts.get("place")) and not (parts.get("utc") or parts.get("named")):
        return offset_at(place, local)
    else:
        return timedelta()
    if minutes > 59:
        raise ValueError
    offset = timedelta(hours=hours, minutes=minutes) * (-1 if sign == "-" else 1)
    # Raises ValueError for a day and more.
    timezone(offset)
    return offset


def offset_at(place: str, local: datetime) -> timedelta:
    try:
        offset = ZoneInfo(place).utcoffset(local)
    except (KeyError, OSError):
        raise ValueError from None
    return offset or timedelta()


def to_microseconds(moment: datetime) -> int:
    """Since 1970."""
    return (moment - EPOCH) // MICROSECOND


def from_microseconds(number: int) -> datetime:
    return EPOCH + number * MICROSECOND


# --- Dates of fields ---


def check_dates(*dates: Any) -> None:
    """Call this before the schema is checked, whose sentence is not Sleuth's. Raises InvalidField."""
    for date in dates:
        if date is not None and (isinstance(date, bool) or not isinstance(date, str | int | float)):
            raise InvalidField(INVALID_DATE)


def parse_value(value: str | float) -> datetime | None:
    """The same of a member of JSON, where a number counts since 1970."""
    return parse_date(f"{value:.6f}" if isinstance(value, float) else str(value))


def read_date(value: str | float | None, field: str = "date", *, otherwise: str = INVALID_DATE) -> datetime | None:
    """A date that says when what is reported happened. Raises InvalidField, with ``otherwise`` if it is no date."""
    if value is None:
        return None
    date = parse_value(value)
    if date is None:
        raise InvalidField(otherwise)
    if date < EARLIEST:
        raise InvalidField(
            f"{field} is {str(value).strip()}, which is before 2000 and means no time: send when it happened, "
            "or leave it out for now."
        )
    if date > datetime.now(UTC) + MAX_AHEAD:
        raise InvalidField(f"{field} is in the future: send when it happened, or leave it out for now.")
    return date


def no_date(path: str) -> str:
    return f"{path} must be a date in ISO 8601, such as 2024-05-01T12:35:00Z."


def read_optional_date(value: str | float | None, path: str) -> datetime | None:
    """A date that may be unknown: None if there is none, or one before 2000. Raises InvalidField."""
    if value is None or value == "":
        return None
    date = parse_value(value)
    if date is None:
        raise InvalidField(no_date(path))
    return None if date < EARLIEST else date


def read_detail_date(value: str | float | None, path: str, dropped: Dropped) -> datetime | None:
    """The same of a detail: what is no date is told to ``dropped``."""
    try:
        return read_optional_date(value, path)
    except InvalidField as error:
        sentence = str(error)
        dropped.leave_out(path, lambda: f"it {sentence.removeprefix(path).strip(' .')}")
        return None
