"""The demo's manual changes: what people did by hand beside all the deploys."""

from dataclasses import dataclass
from datetime import datetime

from deployments.demo.stories import JONAS, MIRA, PRIYA, TOM, Person
from deployments.manual_changes.services import ManualChangeFields


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeStory:
    """``days_ago`` and ``hours`` count back from now."""

    days_ago: int
    hours: float
    project: str
    environment: str
    person: Person
    name: str
    description: str = ""
    tags: tuple[str, ...] = ()
    ticket: str = ""

    def fields(self, changed_at: datetime) -> ManualChangeFields:
        links = ((self.ticket, f"https://tracker.example.com/{self.ticket}"),) if self.ticket else ()
        return ManualChangeFields(
            name=self.name,
            changed_at=changed_at,
            description=self.description,
            author_email=self.person.email,
            tags=self.tags,
            links=links,
        )


CHANGES = (
    ChangeStory(
        days_ago=0,
        hours=1.4,
        project="shop",
        environment="production",
        person=MIRA,
        name="Turned on the new search for a tenth of visitors",
        description="Flag search-v2, 10 %. Turn it off there if the search page gets slow; no deploy is needed.",
        tags=("feature-flag",),
        ticket="SHOP-871",
    ),
    ChangeStory(
        days_ago=2,
        hours=3.1,
        project="platform",
        environment="production",
        person=TOM,
        name="Scaled the API gateway up to six nodes",
        description="Was four. Traffic of the spring sale.",
        tags=("capacity",),
    ),
    ChangeStory(
        days_ago=6,
        hours=5.2,
        project="platform",
        environment="production",
        person=PRIYA,
        name="Rotated the payment provider's keys",
        description="The old key works until the end of the week.",
        tags=("secrets",),
        ticket="BILL-512",
    ),
    ChangeStory(
        days_ago=11,
        hours=2.6,
        project="shop",
        environment="staging",
        person=JONAS,
        name="Loaded a fresh copy of the catalogue",
    ),
    ChangeStory(
        days_ago=19,
        hours=7.3,
        project="platform",
        environment="production",
        person=TOM,
        name="Upgraded PostgreSQL to 17",
        description="Primary and both replicas, 40 seconds read-only.\n\nRoll back: promote the old replica.",
        tags=("database", "maintenance"),
        ticket="PLAT-390",
    ),
    ChangeStory(
        days_ago=33,
        hours=4.8,
        project="shop",
        environment="production",
        person=MIRA,
        name="Moved static files to the new CDN",
        tags=("network",),
    ),
)
