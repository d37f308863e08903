from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('deployments', '0011_dry_run_outcome'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='deploy',
            name='deploy_by_sha',
        ),
        migrations.RemoveIndex(
            model_name='deploy',
            name='deploy_by_organization_sha',
        ),
        migrations.AddIndex(
            model_name='deploy',
            index=models.Index(fields=['sha', 'target', 'organization'], name='deploy_by_sha'),
        ),
    ]
