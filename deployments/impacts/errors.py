"""Why a report of an impact source is refused, in the sentence that the caller gets."""

from deployments.registration.errors import RegistrationError


class UnknownImpactSource(RegistrationError):
    code = "unknown_impact_source"


class MetricTooSoon(RegistrationError):
    """The source got a value less than MetricValue's interval ago; ``wait`` is in whole seconds."""

    code = "metric_too_soon"

    def __init__(self, message: str, *, wait: int) -> None:
        super().__init__(message)
        self.wait = wait
