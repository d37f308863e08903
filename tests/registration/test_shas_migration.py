from importlib import import_module
from types import SimpleNamespace

from django.apps import apps
from django.db import connection

from deployments.models import Deploy
from tests.conftest import World

SHA = "5f0c7a1e9b3d4c2f8a6e0d1b7c9f3a5e2d4b6c80"


def test_hashes_that_were_stored_in_capitals_are_folded(ci: World) -> None:
    shas = {SHA.upper(): SHA, "5F0C7A1": "5f0c7a1", "ABC": "ABC", "V1.2.3-RC1": "V1.2.3-RC1", SHA[::-1]: SHA[::-1]}
    for number, sha in enumerate(shas):
        ci.register(sha=f"v{number}")
        Deploy.objects.filter(sha=f"v{number}").update(sha=sha)

    migration = import_module("deployments.migrations.0007_shas_in_small_letters")
    migration.fold(apps, SimpleNamespace(connection=connection))

    assert list(Deploy.objects.order_by("id").values_list("sha", flat=True)) == list(shas.values())
