import deployments.models.keys
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Fails where a deploy belongs to another project or environment than its target. ``manage.py check_history --fix``
    of the version before mends that.
    """

    dependencies = [
        ('deployments', '0002_call_digest'),
        ('orgs', '0001_initial'),
        ('tokens', '0001_initial'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='deployment',
            constraint=models.UniqueConstraint(fields=('id', 'project', 'organization'), name='deployment_in_its_project'),
        ),
        migrations.AddConstraint(
            model_name='target',
            constraint=models.UniqueConstraint(fields=('id', 'deployment', 'environment'), name='target_of_its_deployment'),
        ),
        migrations.AddConstraint(
            model_name='deploy',
            constraint=deployments.models.keys.CompositeForeignKey(columns=('target_id', 'deployment_id', 'environment_id'), name='deploy_in_target', references='deployments_target (id, deployment_id, environment_id)'),
        ),
        migrations.AddConstraint(
            model_name='deploy',
            constraint=deployments.models.keys.CompositeForeignKey(columns=('deployment_id', 'project_id', 'organization_id'), name='deploy_in_project', references='deployments_deployment (id, project_id, organization_id)'),
        ),
        migrations.AlterField(
            model_name='deploy',
            name='deployment',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deploys', to='deployments.deployment'),
        ),
        migrations.AlterField(
            model_name='deploy',
            name='environment',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deploys', to='orgs.environment'),
        ),
        migrations.AlterField(
            model_name='deploy',
            name='organization',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deploys', to='orgs.organization'),
        ),
        migrations.AlterField(
            model_name='deploy',
            name='project',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deploys', to='orgs.project'),
        ),
        migrations.AlterField(
            model_name='deploy',
            name='target',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deploys', to='deployments.target'),
        ),
    ]
