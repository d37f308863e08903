from typing import Any

from django.db import migrations
from django.db.models.functions import Lower


def fold(apps: Any, schema_editor: Any) -> None:
    deploys = apps.get_model("deployments", "Deploy")._base_manager.using(schema_editor.connection.alias)
    in_capitals = deploys.filter(sha__regex=r"^[0-9A-Fa-f]{7,64}$").exclude(sha=Lower("sha"))
    in_capitals.update(sha=Lower("sha"))


class Migration(migrations.Migration):
    """What was written in capitals is not known afterwards, and means the same."""

    dependencies = [
        ("deployments", "0006_call_dropped_and_path_patterns"),
    ]

    operations = [
        migrations.RunPython(fold, migrations.RunPython.noop, elidable=True),
    ]
