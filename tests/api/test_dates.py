"""The one reader of dates: what programs write is the moment that they mean, whatever their way to write it."""

import email.utils
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.api.dates import EARLIEST, LATEST, MAX_LENGTH, NO_TIME, parse_date, parse_value

BERLIN = "2026-12-01T12:17:42"
SPELLINGS = {
    # GitLab, Ruby
    "2018-11-11 13:23:52 UTC": "2018-11-11T13:23:52",
    "2026-12-01 13:17:42 +0100": BERLIN,
    # Go's Time.String()
    "2019-06-13 14:36:52 +0000 UTC": "2019-06-13T14:36:52",
    "2026-12-01 13:17:42.123456789 +0100 CET m=+0.000123456": "2026-12-01T12:17:42.123456",
    "2026-12-01 15:17:42 +03 +03": BERLIN,
    # Java's ZonedDateTime, JavaScript's Temporal: RFC 9557
    "2026-12-01T13:17:42+01:00[Europe/Berlin]": BERLIN,
    "2026-12-01T13:17:42[Europe/Berlin]": BERLIN,
    "2026-07-01T13:17:42[Europe/Berlin]": "2026-07-01T11:17:42",
    "2026-12-01T12:17:42Z[Europe/Berlin]": BERLIN,
    "2026-12-01T13:17:42+01:00[!Europe/Berlin][u-ca=gregory]": BERLIN,
    # A form read the + as a space.
    "2026-12-01T13:17:42 01:00[Europe/Berlin]": BERLIN,
    "Tue Dec 1 13:17:42 2026  0100": BERLIN,
    # git, RFC 2822, HTTP, C, date, JavaScript
    "Tue Dec 1 13:17:42 2026 +0100": BERLIN,
    "Tue, 1 Dec 2026 13:17:42 +0100": BERLIN,
    "Tue, 01 Dec 2026 12:17:42 GMT": BERLIN,
    "Tuesday, 01-Dec-26 12:17:42 GMT": BERLIN,
    "Tue Dec  1 12:17:42 2026": BERLIN,
    "Tue Dec  1 12:17:42 UTC 2026": BERLIN,
    "Tue 01 Dec 2026 12:17:42 PM UTC": BERLIN,
    "Tue Dec 01 2026 13:17:42 GMT+0100 (Central European Standard Time)": BERLIN,
    # .NET
    "2026-12-01T13:17:42.1234567+01:00": "2026-12-01T12:17:42.123456",
    "2026-12-01 12:17:42Z": BERLIN,
    "/Date(1796127462000)/": BERLIN,
    "/Date(1796127462000+0100)/": BERLIN,
    # Weeks and days of the year, basic formats, 24 o'clock, a leap second, fractions of minutes
    "2026-W49-2": "2026-12-01T00:00:00",
    "2026W492T131742+0100": BERLIN,
    "2026-335T12:17:42Z": BERLIN,
    "2026335": "2026-12-01T00:00:00",
    "20261201": "2026-12-01T00:00:00",
    "20261201T121742Z": BERLIN,
    "20261201121742": BERLIN,
    "2026-12-01T24:00:00Z": "2026-12-02T00:00:00",
    "2016-12-31T23:59:60Z": "2017-01-01T00:00:00",
    "2026-12-01T12:17,7Z": BERLIN,
    "2026-12-01T13:17:42\N{MINUS SIGN}05:00": "2026-12-01T18:17:42",
    # Spreadsheets
    "46357.5122916667": BERLIN,
    "46357,5122916667": BERLIN,
    "1.12.2026 12:17": "2026-12-01T12:17:00",
    "2026/12/1 12:17": "2026-12-01T12:17:00",
    "2026-12-1 12:17": "2026-12-01T12:17:00",
    # Since 1970
    "1796127462": BERLIN,
    "1796127462 +0100": BERLIN,
    "@1796127462": BERLIN,
    "1796127462.25": "2026-12-01T12:17:42.250000",
    "1796127462123": "2026-12-01T12:17:42.123000",
    "1796127462123456": "2026-12-01T12:17:42.123456",
    "1796127462123456789": "2026-12-01T12:17:42.123456",
}


@pytest.mark.parametrize("text", SPELLINGS)
def test_spellings(text: str) -> None:
    expected = datetime.fromisoformat(SPELLINGS[text]).replace(tzinfo=UTC)

    assert parse_date(text) == parse_date(f" {text}\r\n") == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "Z", "2026", "2026-12", "12345", "17961274621", "12/01/2026 13:17", "2026-W54-1", "2026-366"),
        *("2026-12-01T13:17:42 CET", "2026-12-01T13:17:42[Europe/Atlantis]", "2026-12-01T13:17:42[/etc/passwd]"),
        *("Tue Foo 1 13:17:42 2026", "13 PM 2026-12-01", "2026-12-01 13:17 PM", "2026-12-01T13:17:42+24:00"),
        *("2026-12-01T13:17:42Z" + " " * MAX_LENGTH + "x", "9" * 500, "0" * 500, "#NAME?", "########", "1.79E+09"),
    ],
)  # fmt: skip
def test_what_is_no_date(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize("text", ["0", "-1", "0000-00-00", "0000-00-00 00:00:00", "0001-01-01T00:00:00+14:00"])
def test_what_no_calendar_has_is_no_time(text: str) -> None:
    assert parse_date(text) == NO_TIME


MOMENTS = st.datetimes(
    EARLIEST.replace(tzinfo=None), (LATEST - timedelta(days=2)).replace(tzinfo=None), timezones=st.just(UTC)
)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# How programs write a moment, and the part of a second that is lost.
WRITERS: dict[str, tuple[Callable[[datetime], str], int]] = {
    "isoformat": (lambda at: at.isoformat(), 1),
    "with a blank": (lambda at: at.isoformat(" "), 1),
    "basic": (lambda at: at.strftime("%Y%m%dT%H%M%S.%f%z"), 1),
    "Go": (lambda at: at.strftime("%Y-%m-%d %H:%M:%S.%f000 %z CEST"), 1),
    "git": (lambda at: at.strftime("%a %b %-d %H:%M:%S %Y %z"), 10**6),
    "JavaScript": (lambda at: at.strftime("%a %b %d %Y %H:%M:%S GMT%z (Some Time)"), 10**6),
    "RFC 2822": (email.utils.format_datetime, 10**6),
    "HTTP": (lambda at: email.utils.format_datetime(at.astimezone(UTC), usegmt=True), 10**6),
    "week": (lambda at: at.strftime("%G-W%V-%uT%H:%M:%S.%f%z"), 1),
    "day of the year": (lambda at: at.strftime("%Y-%jT%H:%M:%S.%f%z"), 1),
    "12 hours": (lambda at: at.strftime("%Y-%m-%d %I:%M:%S %p %z"), 10**6),
    "seconds": (lambda at: str(int(at.timestamp())), 10**6),
    "milliseconds": (lambda at: str(int(at.timestamp()) * 1000), 10**6),
    "nanoseconds": (lambda at: str(int(at.timestamp()) * 10**9), 10**6),
}


@given(moment=MOMENTS, offset=OFFSETS, name=st.sampled_from(sorted(WRITERS)))
def test_any_moment_that_a_program_writes(moment: datetime, offset: timezone, name: str) -> None:
    write, lost = WRITERS[name]
    local = moment.astimezone(offset)

    assert parse_date(write(local)) == moment - timedelta(microseconds=moment.microsecond % lost)


@given(moment=MOMENTS)
def test_numbers_of_json(moment: datetime) -> None:
    seconds = int(moment.timestamp())

    assert parse_value(seconds) == parse_value(float(seconds)) == moment.replace(microsecond=0)


PIECES = st.sampled_from(
    ["2026-12-01", "T", " ", "13:17:42", "Z", "+01:00", "UTC", "[", "]", "Dec", "1", "0", "-", "/"]
)


@given(text=st.text(max_size=150) | st.lists(PIECES, max_size=12).map("".join))
def test_any_text_is_a_date_or_none(text: str) -> None:
    date = parse_date(text)

    assert date is None or (date.tzinfo is UTC and date < LATEST)
