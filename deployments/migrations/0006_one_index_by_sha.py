from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('deployments', '0005_partial_indexes_for_sqlite'),
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
