"""Reporting incidents and values as their clients do."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deployments.models import ImpactKind, ImpactSource, Incident
from tests.calls import JSON, call
from tests.conftest import World
from tests.factories import make_impact_source, make_token
from tests.imports.histories import START
from tokens.scopes import Scope


@dataclass
class Reporter:
    """Posts to an impact source of the world's project, with a token for that."""

    world: World
    source: ImpactSource
    secret: str

    @property
    def path(self) -> str:
        if self.source.kind == ImpactKind.METRIC:
            return f"/api/1/impact/{self.source.pk}/register_impact"
        project, environment = self.source.project.slug, self.source.environment.slug
        organization = self.world.organization.slug
        return f"/api/1/deployments/{organization}/{project}/{environment}/{self.source.slug}/register_impact"

    def send(self, body: bytes | str, content_type: str | None = JSON, *, path: str = "", **options: Any) -> Any:
        options.setdefault("headers", {"Authorization": f"Bearer {self.secret}"})
        return call(path or self.path, body, content_type=content_type, **options)

    def post(self, **body: Any) -> Any:
        return self.send(json.dumps(body))

    def tell(self, type_: str, **body: Any) -> None:
        response = self.post(type=type_, **body)
        assert (response.status_code, response.content) == (200, b"Success")

    @property
    def incidents(self) -> list[tuple[str, float, float | None]]:
        """The caller's id, and begin and end in minutes after START; the oldest first."""
        return [
            (
                incident.external_id,
                minutes(incident.started_at),
                minutes(incident.ended_at) if incident.ended_at else None,
            )
            for incident in Incident.objects.filter(source=self.source).order_by("started_at", "id")
        ]


def minutes(moment: datetime) -> float:
    return round((moment - START).total_seconds() / 60, 3)


def make_reporter(world: World, kind: ImpactKind, name: str = "", *, environment: str = "production") -> Reporter:
    source = make_impact_source(world.project, kind, name, environment=environment)
    _, secret = make_token(world.organization, Scope.REGISTER_IMPACT)
    return Reporter(world, source, secret)
