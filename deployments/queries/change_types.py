"""What a deploy did to its environment, by Sweetr's words: forward, rollback or no change.

It is read off the history, since an earlier deploy may be registered, deleted or restored later.
"""

from django.db.models import OuterRef, QuerySet, Subquery, TextChoices

from deployments.models import Deploy
from deployments.queries.keyset import NEWEST_FIRST
from deployments.registration import history


class ChangeType(TextChoices):
    FORWARD = "forward", "Forward"
    ROLLBACK = "rollback", "Rollback: this sha was live here before"
    NO_CHANGE = "no_change", "No change: the deploy before it has the same sha"


def with_previous_sha(deploys: QuerySet[Deploy]) -> QuerySet[Deploy]:
    """For :func:`change_type_of`."""
    this = Deploy(deployed_at=OuterRef("deployed_at"), id=OuterRef("pk"))
    earlier = Deploy.objects.filter(history.before(this), target=OuterRef("target")).order_by(*NEWEST_FIRST)
    previous_sha = Subquery(earlier.values("sha")[:1])
    return deploys.annotate(previous_sha=previous_sha)  # type: ignore[no-redef]  # the model declares it for readers


def change_type_of(deploy: Deploy) -> ChangeType:
    if deploy.is_rollback:
        return ChangeType.ROLLBACK
    return ChangeType.NO_CHANGE if deploy.sha == deploy.previous_sha else ChangeType.FORWARD
