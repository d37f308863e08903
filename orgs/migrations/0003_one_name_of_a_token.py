from typing import Any

from django.db import migrations
from django.db.models import Value
from django.db.models.functions import Concat, Substr


def name_tokens_in_one_way(apps: Any, schema_editor: Any) -> None:
    """Earlier versions recorded ``token ci`` where it is ``access token ci`` now. No person's address has a space."""
    events = apps.get_model("orgs", "AuditEvent").objects.filter(actor=None, actor_label__startswith="token ")
    events.update(actor_label=Substr(Concat(Value("access "), "actor_label"), 1, 254))


class Migration(migrations.Migration):
    dependencies = [("orgs", "0002_sign_in_facts")]  # noqa: RUF012 - Django's own

    operations = [migrations.RunPython(name_tokens_in_one_way, migrations.RunPython.noop)]  # noqa: RUF012 - the same
