"""Where an impact source is reported to."""

from deployments.models import ImpactSource


def register_path(source: ImpactSource) -> str:
    """Of an incident source without the token, which callers that can send no header put behind it as a last segment.

    Needs the source's organization, project and environment.
    """
    if source.is_metric:
        return f"/api/1/impact/{source.pk}/register_impact"
    slugs = (source.organization.slug, source.project.slug, source.environment.slug, source.slug)
    return f"/api/1/deployments/{'/'.join(slugs)}/register_impact"
