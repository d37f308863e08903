from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('deployments', '0013_deploy_import'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='call',
            name='call_by_deploy',
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(condition=models.Q(('deploy__isnull', False)), fields=['deploy'], name='call_by_deploy'),
        ),
    ]
