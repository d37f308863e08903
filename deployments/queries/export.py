"""All deploys of a timeline, in any number, a part at a time."""

from collections.abc import Iterator

from django.db.models import Q

from deployments.models import Deploy
from deployments.queries.keyset import NEWEST_FIRST, Key
from deployments.queries.timeline import Filters, rows_of

# Deploys looked through by one statement, so that none takes long and no transaction spans the download.
PART = 1_000


def every_deploy(filters: Filters, *, allowed: Q | None = None) -> Iterator[Deploy]:
    """Newest first; ``allowed`` narrows them further."""
    start: Key | None = None
    while True:
        place = filters.indexed()
        if start:
            place &= start.older()
        ends = Deploy.everything.filter(place).order_by(*NEWEST_FIRST).values_list("deployed_at", "id")
        start = next((Key(*end) for end in ends[PART - 1 : PART]), None)
        if start:
            place &= start.not_older()
        deploys = Deploy.objects.filter(place).filter(filters.sifting()).filter(allowed or Q())
        yield from rows_of(deploys).order_by(*NEWEST_FIRST)
        if start is None:
            return
