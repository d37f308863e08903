import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """Made anew: what was remembered of a day does not say which token it came with."""

    dependencies = [
        ('deployments', '0014_call_by_deploy_for_sqlite'),
        ('tokens', '0001_initial'),
    ]

    operations = [
        migrations.DeleteModel(name='IdempotencyKey'),
        migrations.CreateModel(
            name='IdempotencyKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('called', models.CharField(help_text='The endpoint, and the id of the deployment or project.', max_length=60)),
                ('key', models.CharField(max_length=255)),
                ('fingerprint', models.CharField(help_text="SHA-256 of the call's fields.", max_length=64)),
                ('answer', models.JSONField(default=dict, help_text='headers and body, or the duplicate and its deploy_id.')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('token', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tokens.accesstoken')),
            ],
            options={
                'indexes': [models.Index(fields=['created_at'], name='idempotency_key_by_age')],
                'constraints': [models.UniqueConstraint(fields=('token', 'called', 'key'), name='idempotency_key_unique_in_token_and_call')],
            },
        ),
    ]
