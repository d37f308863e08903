import deployments.models.deployment
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('deployments', '0015_idempotency_key_of_token_and_call'),
    ]

    operations = [
        migrations.AlterField(
            model_name='deployment',
            name='repository_url',
            field=models.CharField(blank=True, max_length=500, validators=[deployments.models.deployment.validate_repository_url]),
        ),
    ]
