"""Where failure is seen: impact sources, and the incidents or values that they report."""

from django.db import models
from django.utils import timezone

from deployments.models.change import MAX_URL_LENGTH
from orgs.models import ActiveManager, Environment, Organization, Project, Timestamped
from orgs.slugs import MAX_SLUG_LENGTH, validate_slug
from tokens.models import AccessToken

MAX_INCIDENT_ID_LENGTH = 255
MAX_INCIDENT_TITLE_LENGTH = 255


class ImpactKind(models.TextChoices):
    INCIDENT = "incident", "Custom incident"
    METRIC = "metric", "Custom metric"


class ImpactSource(Timestamped):
    """Belongs to an environment of a project; calls name an incident source by slugs, a metric source by its id."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="impact_sources")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="impact_sources")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="impact_sources")
    kind = models.CharField(max_length=20, choices=ImpactKind)
    name = models.CharField(max_length=100)
    slug = models.CharField(max_length=MAX_SLUG_LENGTH, validators=[validate_slug])
    last_value_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When the newest value of a metric arrived."
    )
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ActiveManager()
    all_objects = models.Manager()

    class Meta:
        ordering = ("name",)
        constraints = (
            # Also finds the source that an incident names.
            models.UniqueConstraint(
                fields=("environment", "slug"),
                condition=models.Q(deleted_at=None),
                name="impact_source_slug_unique_in_environment",
            ),
            models.CheckConstraint(condition=models.Q(kind__in=ImpactKind.values), name="impact_source_kind_is_known"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_metric(self) -> bool:
        return self.kind == ImpactKind.METRIC


class Incident(Timestamped):
    """A failure period, open as long as it has no end. It follows from its events in the order of their dates.

    ``key`` tells the incidents of a source apart. If the caller's id comes again after the incident's end, it is
    another incident.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="incidents", db_index=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="incidents", db_index=False)
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="incidents", db_index=False)
    source = models.ForeignKey(ImpactSource, on_delete=models.CASCADE, related_name="incidents", db_index=False)
    key = models.CharField(max_length=64, editable=False)
    external_id = models.CharField("id of the caller", max_length=MAX_INCIDENT_ID_LENGTH, blank=True)
    title = models.CharField(max_length=MAX_INCIDENT_TITLE_LENGTH, blank=True)
    url = models.CharField(max_length=MAX_URL_LENGTH, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-started_at", "-id")
        indexes = (
            # The incidents of an organization, a project, an environment and a source, newest first.
            models.Index(fields=("organization", "-started_at", "-id"), name="incident_by_organization"),
            models.Index(fields=("project", "-started_at", "-id"), name="incident_by_project"),
            models.Index(fields=("environment", "-started_at", "-id"), name="incident_by_environment"),
            models.Index(fields=("source", "-started_at", "-id"), name="incident_by_source"),
            # The incidents of an event's key.
            models.Index(fields=("source", "key", "-started_at"), name="incident_by_key"),
            # The open incidents of a project, which are few.
            models.Index(
                fields=("project", "environment"),
                name="incident_open_in_project",
                condition=models.Q(ended_at__isnull=True),
            ),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("source", "key"), condition=models.Q(ended_at__isnull=True), name="incident_open_once_in_source"
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True) | models.Q(ended_at__gte=models.F("started_at")),
                name="incident_ends_after_its_start",
            ),
        )

    def __str__(self) -> str:
        return self.title or self.external_id or "Incident"

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    @property
    def seconds(self) -> int:
        """How long it lasted, or has lasted so far. Never negative, even if the client's clock is ahead of ours."""
        lasted = (self.ended_at or timezone.now()) - self.started_at
        return max(0, int(lasted.total_seconds()))


class IncidentEventType(models.TextChoices):
    TRIGGERED = "triggered"
    REOPENED = "reopened"
    RESOLVED = "resolved"


class IncidentEvent(models.Model):
    """What a caller reported about an incident.

    An event without an incident waits for it, since a resolution may arrive before what it resolves. An event without
    a key resolved all incidents that were open in its source.
    """

    source = models.ForeignKey(ImpactSource, on_delete=models.CASCADE, related_name="incident_events", db_index=False)
    incident = models.ForeignKey(Incident, null=True, blank=True, on_delete=models.SET_NULL, related_name="events")
    token = models.ForeignKey(
        AccessToken, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    key = models.CharField(max_length=64, blank=True, editable=False)
    type = models.CharField(max_length=20, choices=IncidentEventType)
    external_id = models.CharField("id of the caller", max_length=MAX_INCIDENT_ID_LENGTH, blank=True)
    title = models.CharField(max_length=MAX_INCIDENT_TITLE_LENGTH, blank=True)
    url = models.CharField(max_length=MAX_URL_LENGTH, blank=True)
    occurred_at = models.DateTimeField()
    reported_at = models.DateTimeField(null=True, blank=True, help_text="The date that the caller sent, if any.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("id",)
        # The events of one key since its last incident ended, and those that resolved a whole source.
        indexes = (models.Index(fields=("source", "key", "occurred_at"), name="incident_event_by_key"),)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(type__in=IncidentEventType.values), name="incident_event_type_is_known"
            ),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.external_id or self.title}".strip()


class MetricValue(models.Model):
    """One value of a custom metric; ``measured_at`` is the caller's date."""

    source = models.ForeignKey(ImpactSource, on_delete=models.CASCADE, related_name="values", db_index=False)
    token = models.ForeignKey(
        AccessToken, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    value = models.FloatField()
    measured_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-measured_at", "-id")
        # A source's chart and the table below it.
        indexes = (models.Index(fields=("source", "-measured_at", "-id"), name="metric_value_by_source"),)

    def __str__(self) -> str:
        return f"{self.value:g}"
