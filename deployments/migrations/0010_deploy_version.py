from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("deployments", "0009_commit_by_revision")]

    operations = [
        migrations.AddField(
            model_name="deploy",
            name="version",
            field=models.CharField(
                blank=True, default="", help_text="What its team calls it: v1.4.2, build-456.", max_length=70
            ),
            preserve_default=False,
        ),
    ]
