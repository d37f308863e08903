import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('deployments', '0011_dry_run_outcome'),
    ]

    operations = [
        migrations.AlterField(
            model_name='target',
            name='deployment',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='targets', to='deployments.deployment'),
        ),
    ]
