from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('deployments', '0007_impact_sources'),
        ('orgs', '0004_default_of_deleted_project'),
        ('tokens', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='deploy',
            name='health_set',
            field=models.CharField(blank=True, choices=[('healthy', 'Healthy'), ('ailing', 'Ailing'), ('unhealthy', 'Unhealthy')], help_text='As somebody judged it.', max_length=10, null=True, verbose_name='health'),
        ),
        migrations.AddField(
            model_name='deploy',
            name='health_set_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='deploy',
            name='health_set_by',
            field=models.CharField(blank=True, help_text="A user's address or a token's name, which outlives either.", max_length=254, null=True),
        ),
        migrations.AddConstraint(
            model_name='deploy',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('health_set', None), ('health_set_at', None), ('health_set_by', None)), models.Q(('health_set__in', ['healthy', 'ailing', 'unhealthy']), ('health_set_at__isnull', False), ('health_set_by__isnull', False)), _connector='OR'), name='deploy_health_is_known_with_who_and_when'),
        ),
    ]
