"""Reading deploys."""

from django.db.models import QuerySet

from deployments.models import Deploy


def deploys_with_place(organization_id: int) -> QuerySet[Deploy]:
    """An organization's deploys with what it takes to show one: its place, tags and links."""
    return (
        Deploy.objects.filter(organization=organization_id)
        .select_related("organization", "target__deployment__project", "target__environment")
        .prefetch_related("tags", "links")
    )
