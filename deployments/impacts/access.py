"""Whether a token may report to an impact source."""

from deployments.models import ImpactSource
from deployments.registration.errors import OutsideTokenLimits
from orgs.models import Environment
from tokens.statements import TokenRow


def check_source_allowed(*, token: TokenRow, source: ImpactSource) -> None:
    """A source belongs to an environment and to no deployment. Raises OutsideTokenLimits."""
    if token.limited_to_deployments:
        raise OutsideTokenLimits(
            "This access token is limited to some deployments, and an impact source belongs to none: "
            "use a token without that limit."
        )
    if not token.limited_to_environments:
        return
    allowed = Environment.objects.filter(tokens=token.id)
    if not allowed.filter(pk=source.environment_id).exists():
        slugs = ", ".join(sorted({environment.slug for environment in allowed}))
        raise OutsideTokenLimits(
            f"This access token is limited to {f'the environments {slugs}' if slugs else 'no environment'}."
        )
