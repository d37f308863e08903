from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('deployments', '0008_deploy_health'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='commit',
            index=models.Index(fields=['revision'], name='commit_by_revision'),
        ),
    ]
