import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('orgs', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AccessToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('name', models.CharField(max_length=100)),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('hint', models.CharField(editable=False, max_length=20)),
                ('scopes', models.CharField(help_text='REGISTER_DEPLOY, REGISTER_IMPACT, READ or ALL; commas between several.', max_length=100)),
                ('limited_to_deployments', models.BooleanField(default=False)),
                ('limited_to_environments', models.BooleanField(default=False)),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('last_used_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('last_used_address', models.GenericIPAddressField(blank=True, editable=False, null=True)),
                ('last_used_agent', models.CharField(blank=True, editable=False, max_length=200)),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('environments', models.ManyToManyField(blank=True, related_name='tokens', to='orgs.environment')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tokens', to='orgs.organization')),
            ],
            options={
                'ordering': ('organization', 'name', 'id'),
            },
        ),
        migrations.CreateModel(
            name='RetiredSecret',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('hint', models.CharField(editable=False, max_length=20)),
                ('retired_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('works_until', models.DateTimeField()),
                ('last_used_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('last_used_address', models.GenericIPAddressField(blank=True, editable=False, null=True)),
                ('last_used_agent', models.CharField(blank=True, editable=False, max_length=200)),
                ('token', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='retired_secrets', to='tokens.accesstoken')),
            ],
            options={
                'ordering': ('-retired_at',),
            },
        ),
        migrations.AddConstraint(
            model_name='accesstoken',
            constraint=models.UniqueConstraint(condition=models.Q(('revoked_at', None)), fields=('organization', 'name'), name='token_name_unique_among_unrevoked', violation_error_message='There is another access token of this name: revoke it or choose another name.'),
        ),
    ]
