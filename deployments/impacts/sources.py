"""Writing impact sources."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from deployments.models import ImpactKind, ImpactSource
from orgs import audit
from orgs.deletion import bring_back
from orgs.locking import lock_living, lock_row
from orgs.models import Environment
from orgs.naming import save_with_slug
from orgs.services import save_changes


@transaction.atomic
def create_impact_source(*, environment: Environment, kind: ImpactKind, name: str, slug: str = "") -> ImpactSource:
    """Kind, slug and environment stay what they are: callers use them."""
    project = lock_living(environment.project)
    source = ImpactSource(
        organization=project.organization,
        project=project,
        environment=lock_living(environment),
        kind=kind,
        name=name,
    )
    save_with_slug(
        source,
        slug=slug,
        fallback="impact-source",
        is_taken=lambda s: ImpactSource.objects.filter(environment=environment, slug=s).exists(),
    )
    changes = {"name": name, "slug": source.slug, "kind": source.kind}
    record("impact_source.created", source, **changes)
    return source


@transaction.atomic
def rename_impact_source(*, source: ImpactSource, name: str) -> None:
    changes = save_changes(source, {"name": name})
    audit.record_changes("impact_source.changed", source, organization=source.organization, changes=changes)


@transaction.atomic
def delete_impact_source(*, source: ImpactSource) -> None:
    """What it reported stays; its calls are refused from now on."""
    source = lock_row(source)
    if source.deleted_at is None:
        source.deleted_at = timezone.now()
        source.save(update_fields=["deleted_at", "updated_at"])
        record("impact_source.deleted", source)


@transaction.atomic
def restore_impact_source(*, source: ImpactSource) -> None:
    """Raises ValidationError where its environment is deleted or its slug has been taken since."""
    lock_living(source.project)
    lock_living(source.environment)
    source = lock_row(source)
    if source.deleted_at:
        bring_back(source)
        record("impact_source.restored", source)


def record(action: str, source: ImpactSource, **changes: str) -> None:
    place = {"project": source.project.name, "environment": source.environment.name}
    audit.record(action, source, organization=source.organization, changes=changes | place)


def check_kind(source: ImpactSource, kind: ImpactKind) -> None:
    """Raises ValidationError where the source is of another kind."""
    if source.kind != kind:
        raise ValidationError({"kind": f"{source} is of kind {source.kind}, which stays: choose another slug."})
