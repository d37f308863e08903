"""Patterns of short-lived environments in a provisioning file."""

import pytest

from orgs.models import Project
from tests.provisioning.provisioning import Provision, Rejected, changed


def test_a_file_sets_them(provision: Provision) -> None:
    document = changed("projects", 0, "short_lived_patterns", value=["review/*"])

    printed = provision(document)["organizations"][0]["projects"]

    assert [(each["short_lived_patterns"], each["short_lived_days"]) for each in printed] == [
        *((["review/*"], 14), ([], 14)),
    ]
    yaml = "organizations: [{slug: acme, projects: [{slug: shop, short_lived_days: 30}]}]"
    assert provision(yaml)["organizations"][0]["projects"][0]["short_lived_days"] == 30
    assert Project.objects.get(slug="shop").short_lived_patterns == ["review/*"]


@pytest.mark.parametrize("days", ["0", "91", "-3", "1000", "1.5", "14 days", "1e1"])
def test_a_file_with_other_days(rejected: Rejected, days: str) -> None:
    (line,) = rejected(f"organizations: [{{slug: acme, projects: [{{slug: shop, short_lived_days: {days}}}]}}]")

    assert line.startswith("organizations[0].projects[0].short_lived_days: must be "), line


@pytest.mark.parametrize("pattern", ["review", "*", "a*b*"])
def test_a_file_with_another_pattern(rejected: Rejected, pattern: str) -> None:
    (line,) = rejected(changed("projects", 0, "short_lived_patterns", value=[pattern]))

    assert line.endswith(
        'short_lived_patterns[0]: must be the beginning of a name and a *, in quotes, such as "review/*".'
    )
