"""The times of periodic jobs."""

from datetime import timedelta
from pathlib import Path

from django.utils import timezone
from time_machine import travel

from config.celery import Scheduler, app


class Listing(Scheduler):
    """Names what it would send to the broker."""

    sent: list[str]

    def apply_entry(self, entry: object, producer: object = None) -> None:
        self.sent.append(entry.name)  # type: ignore[attr-defined]


def tick(scheduler: Listing) -> set[str]:
    scheduler.sent = []
    for _ in range(2 * len(scheduler.schedule)):
        scheduler.tick()
    return set(scheduler.sent)


def test_a_clock_that_was_ahead_stops_no_job(tmp_path: Path) -> None:
    now = timezone.now()
    with travel(now + timedelta(days=40), tick=False):
        scheduler = Listing(app=app, schedule_filename=str(tmp_path / "schedule"))
        tick(scheduler)
        jobs = set(scheduler.schedule)
        assert jobs

    with travel(now, tick=False):
        assert tick(scheduler) == set()
    with travel(now + timedelta(hours=1, seconds=1), tick=False):
        assert tick(scheduler) >= jobs - {"celery.backend_cleanup"}
    scheduler.close()
