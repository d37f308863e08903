from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('deployments', '0004_request_log'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='deploy',
            name='deploy_by_restores',
        ),
        migrations.RemoveIndex(
            model_name='deploy',
            name='deploy_by_rolled_back_by',
        ),
        migrations.AddIndex(
            model_name='deploy',
            index=models.Index(condition=models.Q(('restores__isnull', False)), fields=['restores'], name='deploy_by_restores'),
        ),
        migrations.AddIndex(
            model_name='deploy',
            index=models.Index(condition=models.Q(('rolled_back_by__isnull', False)), fields=['rolled_back_by'], name='deploy_by_rolled_back_by'),
        ),
    ]
