import os
import warnings

from celery import Celery
from celery.exceptions import SecurityWarning
from celery.signals import beat_embedded_init, worker_init
from django.conf import settings

from config.broker import clear_leftovers
from config.orphans import end_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Celery warns about running as root because of pickled messages. Ours are JSON.
warnings.filterwarnings("ignore", category=SecurityWarning)

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
