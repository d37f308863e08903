"""The geometry of charts, which templates draw as SVG.

A drawing is stretched to fill its frame. Its coordinates run from 0 to WIDTH and, downwards, from 0 to HEIGHT. The
labels of the axes are outside the drawing, because they must not be stretched.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.dateformat import format as format_date

from deployments.impacts.queries import Bucket
from deployments.models import Incident

WIDTH, HEIGHT = 1000, 100
# In a chart of a month, a minute would be too narrow to see.
NARROWEST = 3
LARGEST = sys.float_info.max
# Smaller numbers and differences leave a double no room for ticks.
SMALLEST, MOST_PRECISE = 1e-300, 1e-9


@dataclass(frozen=True, slots=True)
class Span:
    """The period that a chart shows."""

    since: datetime
    until: datetime
    zone: ZoneInfo

    def x(self, moment: datetime) -> float:
        share = (moment - self.since) / (self.until - self.since)
        return round(min(max(share, 0.0), 1.0) * WIDTH, 1)

    @property
    def labels(self) -> list[str]:
        """Five at equal distances, from the left end to the right end."""
        date_format = "H:i" if self.until - self.since <= timedelta(days=1) else "j M"
        step = (self.until - self.since) / 4
        return [format_date((self.since + step * number).astimezone(self.zone), date_format) for number in range(5)]


@dataclass(frozen=True, slots=True)
class Bar:
    """The time during which an incident was open."""

    incident: Incident
    x: float
    width: float


def bars_of(incidents: Sequence[Incident], span: Span) -> list[Bar]:
    bars = []
    for incident in incidents:
        left, right = span.x(incident.started_at), span.x(incident.ended_at or span.until)
        width = max(right - left, NARROWEST)
        bars.append(Bar(incident, round(min(left, WIDTH - width), 1), round(width, 1)))
    return bars


@dataclass(frozen=True, slots=True)
class LineChart:
    """``line`` and ``band`` are SVG path data; the band runs from the lowest to the highest value of each bucket.
    ``ticks`` are the labels of the left axis, from top to bottom and at equal distances."""

    line: str
    band: str
    dots: list[tuple[float, float]]
    ticks: list[str]


# More dots would look like a line.
MOST_DOTS = 60


def line_chart(buckets: Sequence[Bucket], span: Span) -> LineChart:
    """``buckets`` must not be empty."""
    ticks = ticks_between(min(bucket.low for bucket in buckets), max(bucket.high for bucket in buckets))
    low, high = ticks[0], ticks[-1]

    def y(value: float) -> float:
        # Uses halves, because the difference of two large numbers may be infinite.
        return round(HEIGHT * ((high / 2 - value / 2) / (high / 2 - low / 2)), 2)

    xs = [span.x(bucket.at) for bucket in buckets]
    means = [(x, y(bucket.mean)) for x, bucket in zip(xs, buckets, strict=True)]
    highs = [(x, y(bucket.high)) for x, bucket in zip(xs, buckets, strict=True)]
    lows = [(x, y(bucket.low)) for x, bucket in zip(xs, buckets, strict=True)]
    return LineChart(
        line=path_through(means),
        band=f"{path_through([*highs, *reversed(lows)])}Z",
        dots=means if len(means) <= MOST_DOTS else [],
        ticks=[f"{tick:.6g}" for tick in reversed(ticks)],
    )


def path_through(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def ticks_between(low: float, high: float) -> list[float]:
    """Round numbers at equal distances, from ``low`` or less to ``high`` or more."""
    if 0 < low < high / 2:
        low = 0.0
    size = max(abs(low), abs(high))
    if size < SMALLEST:
        low, high = 0.0, 1.0
    elif high / 2 - low / 2 < size * MOST_PRECISE:
        low, high = max(low - size / 2, -LARGEST), min(high + size / 2, LARGEST)
    step = round_step(high / 4 - low / 4)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [min(max(number * step, -LARGEST), LARGEST) for number in range(first, last + 1)]


def round_step(step: float) -> float:
    """The next number from ``step`` upwards that is 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * 0.999)
