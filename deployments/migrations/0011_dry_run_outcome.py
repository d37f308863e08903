from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("deployments", "0010_deploy_version")]

    operations = [
        migrations.AlterField(
            model_name="call",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("accepted", "Accepted"),
                    ("duplicate", "Duplicate"),
                    ("dry_run", "Dry run"),
                    ("rejected", "Rejected"),
                    ("unauthorized", "Unauthorized"),
                    ("rate_limited", "Rate-limited"),
                    ("failed", "Failed on our side"),
                ],
                max_length=20,
            ),
        ),
    ]
