import os
import warnings
from typing import Any

from celery import Celery
from celery.beat import PersistentScheduler
from celery.exceptions import SecurityWarning
from celery.signals import beat_embedded_init, worker_init
from django.conf import settings

from config.broker import clear_leftovers
from config.orphans import end_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Celery warns about running as root because of pickled messages. Ours are JSON.
warnings.filterwarnings("ignore", category=SecurityWarning)


class Scheduler(PersistentScheduler):
    """Celery's, which goes on when the clock was ahead and is set right.

    It waits for the time of the next job as that clock told it, which may be days away.
    """

    def tick(self, *args: Any, **options: Any) -> float:
        now = self.app.now()
        ahead = [entry for entry in self.schedule.values() if entry.last_run_at and entry.last_run_at > now]
        for entry in ahead:
            entry.last_run_at = now
        if ahead:
            # It is made anew from the entries.
            self._heap = None
        seconds: float = super().tick(*args, **options)
        return seconds


app = Celery("gumshoe")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def clear_broker(**kwargs: object) -> None:
    if settings.CELERY_BROKER_URL.startswith("filesystem:"):
        clear_leftovers(settings.BROKER_DIR)


@beat_embedded_init.connect
def end_beat_with_worker(**kwargs: object) -> None:
    """The scheduler of ``celery worker --beat`` is a separate process, which a killed worker would leave behind."""
    end_with_parent()
