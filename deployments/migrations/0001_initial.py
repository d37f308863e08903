import deployments.models.deployment
import django.db.models.deletion
import django.utils.timezone
import orgs.slugs

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('orgs', '0001_initial'),
        ('tokens', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Call',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token_name', models.CharField(blank=True, db_default='', default='', max_length=100)),
                ('kind', models.CharField(blank=True, db_default='', default='', help_text='The endpoint: register-deploy, …', max_length=40)),
                ('request_id', models.CharField(max_length=64)),
                ('method', models.CharField(max_length=10)),
                ('path', models.CharField(max_length=500)),
                ('deployment_slug', models.CharField(blank=True, db_default='', default='', max_length=100)),
                ('project_slug', models.CharField(blank=True, db_default='', default='', max_length=100)),
                ('content_type', models.CharField(blank=True, db_default='', default='', max_length=200)),
                ('body', models.TextField(blank=True, db_default='', default='')),
                ('body_bytes', models.PositiveIntegerField(db_default=0, default=0)),
                ('status', models.PositiveSmallIntegerField()),
                ('outcome', models.CharField(choices=[('accepted', 'Accepted'), ('duplicate', 'Duplicate'), ('dry_run', 'Dry run'), ('rejected', 'Rejected'), ('unauthorized', 'Unauthorized'), ('rate_limited', 'Rate-limited'), ('failed', 'Failed on our side')], max_length=20)),
                ('answer', models.CharField(blank=True, db_default='', default='', max_length=500)),
                ('explanation', models.CharField(blank=True, db_default='', default='', help_text='What the answer left out, because the caller may be a stranger.', max_length=300)),
                ('address', models.GenericIPAddressField(blank=True, null=True)),
                ('agent', models.CharField(blank=True, db_default='', default='', max_length=200)),
                ('duration', models.PositiveIntegerField(db_default=0, default=0)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'ordering': ('-id',),
            },
        ),
        migrations.CreateModel(
            name='ChangedFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('path', models.CharField(max_length=4096)),
                ('additions', models.PositiveIntegerField(db_default=0, default=0)),
                ('deletions', models.PositiveIntegerField(db_default=0, default=0)),
                ('url', models.CharField(blank=True, db_default='', default='', max_length=2000)),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='Commit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('revision', models.CharField(max_length=255)),
                ('message', models.TextField(blank=True)),
                ('author_name', models.CharField(blank=True, max_length=255)),
                ('author_email', models.CharField(blank=True, max_length=254)),
                ('author_username', models.CharField(blank=True, max_length=255)),
                ('committed_at', models.DateTimeField(blank=True, null=True)),
                ('url', models.CharField(blank=True, max_length=2000)),
                ('files', models.JSONField(blank=True, default=list, help_text='Paths.')),
                ('parents', models.JSONField(blank=True, default=list, help_text='Revisions; the Sleuth CLI sends all ancestors.')),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='Deploy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('sha', models.CharField(help_text='A commit, a git tag or an image tag.', max_length=255)),
                ('version', models.CharField(blank=True, db_default='', default='', help_text="The team's name for it: v1.4.2, build-456.", max_length=70)),
                ('branch', models.CharField(blank=True, db_default='', default='', max_length=255)),
                ('deployed_at', models.DateTimeField()),
                ('title', models.CharField(blank=True, db_default='', default='', help_text='First line of the newest commit.', max_length=255)),
                ('author_name', models.CharField(blank=True, db_default='', default='', max_length=255)),
                ('author_email', models.CharField(blank=True, db_default='', default='', max_length=254)),
                ('first_commit_at', models.DateTimeField(blank=True, null=True)),
                ('lead_time', models.BigIntegerField(blank=True, help_text='Seconds from the first commit to the deploy. Empty if no commit is known or all are dated later.', null=True)),
                ('commit_count', models.PositiveIntegerField(db_default=0, default=0)),
                ('file_count', models.PositiveIntegerField(db_default=0, default=0)),
                ('pull_request_count', models.PositiveIntegerField(db_default=0, default=0)),
                ('additions', models.PositiveBigIntegerField(db_default=0, default=0)),
                ('deletions', models.PositiveBigIntegerField(db_default=0, default=0)),
                ('health_set', models.CharField(blank=True, choices=[('healthy', 'Healthy'), ('ailing', 'Ailing'), ('unhealthy', 'Unhealthy')], help_text='As a person or a client judged it.', max_length=10, null=True, verbose_name='health')),
                ('health_set_by', models.CharField(blank=True, help_text="A user's address or a token's name, kept after the user or the token is deleted.", max_length=254, null=True)),
                ('health_set_at', models.DateTimeField(blank=True, null=True)),
                ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                'ordering': ('-deployed_at', '-id'),
            },
        ),
        migrations.CreateModel(
            name='Deployment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('name', models.CharField(max_length=100)),
                ('slug', models.CharField(max_length=100, validators=[orgs.slugs.validate_slug])),
                ('repository_provider', models.CharField(choices=[('custom', 'Custom Git'), ('github', 'GitHub'), ('gitlab', 'GitLab'), ('bitbucket', 'Bitbucket'), ('azure', 'Azure DevOps')], default='custom', max_length=20)),
                ('repository_url', models.CharField(blank=True, max_length=500, validators=[deployments.models.deployment.validate_repository_url])),
                ('path_includes', models.JSONField(blank=True, default=list, help_text='Patterns of the paths that belong to it. Empty: all paths.')),
                ('path_excludes', models.JSONField(blank=True, default=list, help_text='Patterns of the paths that do not belong to it.')),
                ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                'ordering': ('name',),
            },
        ),
        migrations.CreateModel(
            name='DraftChunk',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('data', models.BinaryField()),
            ],
            options={
                'ordering': ('draft', 'number'),
            },
        ),
        migrations.CreateModel(
            name='HistoryImport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('imported_by', models.CharField(help_text="A person's address, or a token's name.", max_length=300)),
                ('file_name', models.CharField(blank=True, max_length=200)),
                ('deploy_count', models.PositiveIntegerField()),
                ('duplicate_count', models.PositiveIntegerField(help_text='Rows that say what another says already.')),
                ('replaced_count', models.PositiveIntegerField()),
                ('first_deploy_id', models.BigIntegerField()),
                ('last_deploy_id', models.BigIntegerField()),
                ('created_at', models.DateTimeField()),
                ('undone_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'verbose_name': 'import',
                'ordering': ('-id',),
            },
        ),
        migrations.CreateModel(
            name='IdempotencyKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('called', models.CharField(help_text='The endpoint, and the id of the deployment or project.', max_length=60)),
                ('key', models.CharField(max_length=255)),
                ('fingerprint', models.CharField(help_text='SHA-256 of the fields of the call.', max_length=64)),
                ('answer', models.JSONField(default=dict, help_text='headers and body, or duplicate and deploy_id.')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name='ImpactSource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('kind', models.CharField(choices=[('incident', 'Custom incident'), ('metric', 'Custom metric')], max_length=20)),
                ('name', models.CharField(max_length=100)),
                ('slug', models.CharField(max_length=100, validators=[orgs.slugs.validate_slug])),
                ('last_value_at', models.DateTimeField(blank=True, editable=False, help_text='When the newest value of a metric arrived.', null=True)),
                ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                'ordering': ('name',),
            },
        ),
        migrations.CreateModel(
            name='ImportDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('file_name', models.CharField(blank=True, max_length=200)),
                ('byte_count', models.PositiveBigIntegerField()),
                ('line_count', models.PositiveIntegerField(default=0, help_text='Line breaks: at least as many as rows.')),
                ('state', models.CharField(choices=[('uploaded', 'Uploaded'), ('waiting', 'Waiting for the worker'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='uploaded', max_length=10)),
                ('address', models.GenericIPAddressField(blank=True, null=True)),
                ('error', models.TextField(blank=True, help_text='Why the import failed, for its member.')),
                ('attempts', models.PositiveSmallIntegerField(default=0, help_text='How often a worker has started the import.')),
                ('leased_until', models.DateTimeField(blank=True, help_text='When a running import counts as abandoned by its worker.', null=True)),
                ('read_count', models.PositiveIntegerField(default=0, help_text='Rows.')),
                ('deploy_count', models.PositiveIntegerField(blank=True, help_text='Known once all rows are checked.', null=True)),
                ('stored_count', models.PositiveIntegerField(default=0, help_text='Deploys.')),
                ('created_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
            ],
            options={
                'ordering': ('-id',),
            },
        ),
        migrations.CreateModel(
            name='Incident',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('key', models.CharField(editable=False, max_length=64)),
                ('external_id', models.CharField(blank=True, max_length=255, verbose_name='id of the caller')),
                ('title', models.CharField(blank=True, max_length=255)),
                ('url', models.CharField(blank=True, max_length=2000)),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ('-started_at', '-id'),
            },
        ),
        migrations.CreateModel(
            name='IncidentEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(blank=True, editable=False, max_length=64)),
                ('type', models.CharField(choices=[('triggered', 'Triggered'), ('reopened', 'Reopened'), ('resolved', 'Resolved')], max_length=20)),
                ('external_id', models.CharField(blank=True, max_length=255, verbose_name='id of the caller')),
                ('title', models.CharField(blank=True, max_length=255)),
                ('url', models.CharField(blank=True, max_length=2000)),
                ('occurred_at', models.DateTimeField()),
                ('reported_at', models.DateTimeField(blank=True, help_text='The date that the caller sent, if any.', null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='Link',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=255)),
                ('url', models.CharField(max_length=2000)),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='ManualChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('name', models.CharField(max_length=255)),
                ('description', models.TextField(blank=True, max_length=10000)),
                ('author_email', models.CharField(blank=True, help_text='Who made the change.', max_length=254)),
                ('user_email', models.CharField(blank=True, help_text="The project's user it is for.", max_length=254)),
                ('tags', models.CharField(blank=True, max_length=5200)),
                ('links', models.JSONField(blank=True, default=list, help_text='Pairs of name and address.')),
                ('changed_at', models.DateTimeField()),
                ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                'ordering': ('-changed_at', '-id'),
            },
        ),
        migrations.CreateModel(
            name='MetricValue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('value', models.FloatField()),
                ('measured_at', models.DateTimeField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'ordering': ('-measured_at', '-id'),
            },
        ),
        migrations.CreateModel(
            name='PullRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=50)),
                ('title', models.CharField(blank=True, max_length=1000)),
                ('url', models.CharField(blank=True, max_length=2000)),
                ('branch', models.CharField(blank=True, max_length=255)),
                ('author', models.CharField(blank=True, max_length=255)),
                ('opened_at', models.DateTimeField(blank=True, null=True)),
                ('first_reviewed_at', models.DateTimeField(blank=True, null=True)),
                ('merged_at', models.DateTimeField(blank=True, null=True)),
                ('issue_keys', models.JSONField(blank=True, default=list)),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='Tag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=50)),
            ],
            options={
                'ordering': ('name',),
            },
        ),
        migrations.CreateModel(
            name='Target',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('branch_match', models.CharField(choices=[('any', 'any branch'), ('exact', 'this branch'), ('prefix', 'branches with this prefix')], default='any', max_length=10)),
                ('branch', models.CharField(blank=True, max_length=255)),
            ],
            options={
                'ordering': ('deployment', 'environment'),
            },
        ),
        migrations.AddField(
            model_name='call',
            name='organization',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='calls', to='orgs.organization'),
        ),
        migrations.AddField(
            model_name='call',
            name='token',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='tokens.accesstoken'),
        ),
        migrations.AddField(
            model_name='deploy',
            name='environment',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deploys', to='orgs.environment'),
        ),
        migrations.AddField(
            model_name='deploy',
            name='organization',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deploys', to='orgs.organization'),
        ),
        migrations.AddField(
            model_name='deploy',
            name='project',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deploys', to='orgs.project'),
        ),
        migrations.AddField(
            model_name='deploy',
            name='restores',
            field=models.ForeignKey(blank=True, db_index=False, help_text='The earlier deploy of the same sha in this target. If it is set, this deploy is a rollback.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='restored_by', to='deployments.deploy'),
        ),
        migrations.AddField(
            model_name='deploy',
            name='rolled_back_by',
            field=models.ForeignKey(blank=True, db_index=False, help_text='The first rollback that undid this deploy.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='rolled_back', to='deployments.deploy'),
        ),
        migrations.AddField(
            model_name='deploy',
            name='token',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='deploys', to='tokens.accesstoken'),
        ),
        migrations.AddField(
            model_name='commit',
            name='deploy',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='commits', to='deployments.deploy'),
        ),
        migrations.AddField(
            model_name='changedfile',
            name='deploy',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='files', to='deployments.deploy'),
        ),
        migrations.AddField(
            model_name='call',
            name='deploy',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='calls', to='deployments.deploy'),
        ),
        migrations.AddField(
            model_name='deployment',
            name='organization',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deployments', to='orgs.organization'),
        ),
        migrations.AddField(
            model_name='deployment',
            name='project',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deployments', to='orgs.project'),
        ),
        migrations.AddField(
            model_name='deployment',
            name='tokens',
            field=models.ManyToManyField(blank=True, editable=False, related_name='deployments', to='tokens.accesstoken'),
        ),
        migrations.AddField(
            model_name='deploy',
            name='deployment',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deploys', to='deployments.deployment'),
        ),
        migrations.AddField(
            model_name='call',
            name='deployment',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='calls', to='deployments.deployment'),
        ),
        migrations.AddField(
            model_name='historyimport',
            name='organization',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orgs.organization'),
        ),
        migrations.AddField(
            model_name='idempotencykey',
            name='token',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tokens.accesstoken'),
        ),
        migrations.AddField(
            model_name='impactsource',
            name='environment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='impact_sources', to='orgs.environment'),
        ),
        migrations.AddField(
            model_name='impactsource',
            name='organization',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='impact_sources', to='orgs.organization'),
        ),
        migrations.AddField(
            model_name='impactsource',
            name='project',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='impact_sources', to='orgs.project'),
        ),
        migrations.AddField(
            model_name='importdraft',
            name='deployment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='deployments.deployment'),
        ),
        migrations.AddField(
            model_name='importdraft',
            name='environment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orgs.environment'),
        ),
        migrations.AddField(
            model_name='importdraft',
            name='history_import',
            field=models.ForeignKey(blank=True, help_text='Once it is done.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='deployments.historyimport'),
        ),
        migrations.AddField(
            model_name='importdraft',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='draftchunk',
            name='draft',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='chunks', to='deployments.importdraft'),
        ),
        migrations.AddField(
            model_name='incident',
            name='environment',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='incidents', to='orgs.environment'),
        ),
        migrations.AddField(
            model_name='incident',
            name='organization',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='incidents', to='orgs.organization'),
        ),
        migrations.AddField(
            model_name='incident',
            name='project',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='incidents', to='orgs.project'),
        ),
        migrations.AddField(
            model_name='incident',
            name='source',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='incidents', to='deployments.impactsource'),
        ),
        migrations.AddField(
            model_name='incidentevent',
            name='incident',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='events', to='deployments.incident'),
        ),
        migrations.AddField(
            model_name='incidentevent',
            name='source',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='incident_events', to='deployments.impactsource'),
        ),
        migrations.AddField(
            model_name='incidentevent',
            name='token',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='tokens.accesstoken'),
        ),
        migrations.AddField(
            model_name='link',
            name='deploy',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='links', to='deployments.deploy'),
        ),
        migrations.AddField(
            model_name='manualchange',
            name='environment',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.RESTRICT, related_name='manual_changes', to='orgs.environment'),
        ),
        migrations.AddField(
            model_name='manualchange',
            name='organization',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='manual_changes', to='orgs.organization'),
        ),
        migrations.AddField(
            model_name='manualchange',
            name='project',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.RESTRICT, related_name='manual_changes', to='orgs.project'),
        ),
        migrations.AddField(
            model_name='manualchange',
            name='registered_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='manualchange',
            name='token',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='tokens.accesstoken'),
        ),
        migrations.AddField(
            model_name='call',
            name='manual_change',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='calls', to='deployments.manualchange'),
        ),
        migrations.AddField(
            model_name='metricvalue',
            name='source',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='values', to='deployments.impactsource'),
        ),
        migrations.AddField(
            model_name='metricvalue',
            name='token',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='tokens.accesstoken'),
        ),
        migrations.AddField(
            model_name='pullrequest',
            name='deploy',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pull_requests', to='deployments.deploy'),
        ),
        migrations.AddField(
            model_name='tag',
            name='deploy',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='deployments.deploy'),
        ),
        migrations.AddField(
            model_name='target',
            name='deployment',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='targets', to='deployments.deployment'),
        ),
        migrations.AddField(
            model_name='target',
            name='environment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='targets', to='orgs.environment'),
        ),
        migrations.AddField(
            model_name='target',
            name='live_deploy',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='live_in', to='deployments.deploy'),
        ),
        migrations.AddField(
            model_name='historyimport',
            name='target',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='imports', to='deployments.target'),
        ),
        migrations.AddField(
            model_name='deploy',
            name='target',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deploys', to='deployments.target'),
        ),
        migrations.AddIndex(
            model_name='commit',
            index=models.Index(fields=['revision'], name='commit_by_revision'),
        ),
        migrations.AddConstraint(
            model_name='deployment',
            constraint=models.UniqueConstraint(condition=models.Q(('deleted_at', None)), fields=('organization', 'slug'), name='deployment_slug_unique_in_organization'),
        ),
        migrations.AddConstraint(
            model_name='deployment',
            constraint=models.CheckConstraint(condition=models.Q(('repository_provider__in', ['custom', 'github', 'gitlab', 'bitbucket', 'azure'])), name='deployment_provider_is_known'),
        ),
        migrations.AddIndex(
            model_name='idempotencykey',
            index=models.Index(fields=['created_at'], name='idempotency_key_by_age'),
        ),
        migrations.AddConstraint(
            model_name='idempotencykey',
            constraint=models.UniqueConstraint(fields=('token', 'called', 'key'), name='idempotency_key_unique_in_token_and_call'),
        ),
        migrations.AddConstraint(
            model_name='impactsource',
            constraint=models.UniqueConstraint(condition=models.Q(('deleted_at', None)), fields=('environment', 'slug'), name='impact_source_slug_unique_in_environment'),
        ),
        migrations.AddConstraint(
            model_name='impactsource',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['incident', 'metric'])), name='impact_source_kind_is_known'),
        ),
        migrations.AddConstraint(
            model_name='draftchunk',
            constraint=models.UniqueConstraint(fields=('draft', 'number'), name='chunk_once_in_a_draft'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(fields=['organization', '-started_at', '-id'], name='incident_by_organization'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(fields=['project', '-started_at', '-id'], name='incident_by_project'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(fields=['environment', '-started_at', '-id'], name='incident_by_environment'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(fields=['source', '-started_at', '-id'], name='incident_by_source'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(fields=['source', 'key', '-started_at'], name='incident_by_key'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(condition=models.Q(('ended_at__isnull', True)), fields=['project', 'environment'], name='incident_open_in_project'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('source', 'key'), name='incident_open_once_in_source'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(('ended_at__isnull', True), ('ended_at__gte', models.F('started_at')), _connector='OR'), name='incident_ends_after_its_start'),
        ),
        migrations.AddIndex(
            model_name='incidentevent',
            index=models.Index(fields=['source', 'key', 'occurred_at'], name='incident_event_by_key'),
        ),
        migrations.AddConstraint(
            model_name='incidentevent',
            constraint=models.CheckConstraint(condition=models.Q(('type__in', ['triggered', 'reopened', 'resolved'])), name='incident_event_type_is_known'),
        ),
        migrations.AddIndex(
            model_name='manualchange',
            index=models.Index(fields=['organization', '-changed_at', '-id'], name='manual_change_by_organization'),
        ),
        migrations.AddIndex(
            model_name='manualchange',
            index=models.Index(fields=['project', '-changed_at', '-id'], name='manual_change_by_project'),
        ),
        migrations.AddIndex(
            model_name='manualchange',
            index=models.Index(fields=['environment', '-changed_at', '-id'], name='manual_change_by_environment'),
        ),
        migrations.AddConstraint(
            model_name='manualchange',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='manual_change_has_a_name'),
        ),
        migrations.AddConstraint(
            model_name='manualchange',
            constraint=models.CheckConstraint(condition=models.Q(('token', None), ('registered_by', None), _connector='OR'), name='manual_change_by_token_or_member'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(fields=['organization', '-id'], name='call_by_organization'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(fields=['organization', 'outcome', '-id'], name='call_by_outcome'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(fields=['deployment', '-id'], name='call_by_deployment'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(condition=models.Q(('deploy__isnull', False)), fields=['deploy'], name='call_by_deploy'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(condition=models.Q(('manual_change__isnull', False)), fields=['manual_change'], name='call_by_manual_change'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(fields=['organization', 'request_id'], name='call_by_request_id'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(fields=['created_at'], name='call_by_age'),
        ),
        migrations.AddIndex(
            model_name='metricvalue',
            index=models.Index(fields=['source', '-measured_at', '-id'], name='metric_value_by_source'),
        ),
        migrations.AddConstraint(
            model_name='tag',
            constraint=models.UniqueConstraint(fields=('deploy', 'name'), name='tag_once_on_a_deploy'),
        ),
        migrations.AddConstraint(
            model_name='target',
            constraint=models.UniqueConstraint(fields=('deployment', 'environment'), name='target_once_a_deployment_environment'),
        ),
        migrations.AddConstraint(
            model_name='target',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('branch', ''), ('branch_match', 'any')), models.Q(('branch_match__in', ('exact', 'prefix')), models.Q(('branch', ''), _negated=True)), _connector='OR'), name='target_branch_fits_its_match'),
        ),
        migrations.AddIndex(
            model_name='historyimport',
            index=models.Index(fields=['target', '-id'], name='import_by_target'),
        ),
        migrations.AddIndex(
            model_name='historyimport',
            index=models.Index(fields=['created_at'], name='import_by_age'),
        ),
        migrations.AddIndex(
            model_name='historyimport',
            index=models.Index(fields=['organization'], name='import_by_organization'),
        ),
        migrations.AddConstraint(
            model_name='historyimport',
            constraint=models.CheckConstraint(condition=models.Q(('first_deploy_id__lte', models.F('last_deploy_id'))), name='import_brought_a_deploy'),
        ),
        migrations.AddIndex(
            model_name='deploy',
            index=models.Index(fields=['organization', '-deployed_at', '-id'], name='deploy_by_organization'),
        ),
        migrations.AddIndex(
            model_name='deploy',
            index=models.Index(fields=['project', '-deployed_at', '-id'], name='deploy_by_project'),
        ),
        migrations.AddIndex(
            model_name='deploy',
            index=models.Index(fields=['deployment', '-deployed_at', '-id'], name='deploy_by_deployment'),
        ),
        migrations.AddIndex(
            model_name='deploy',
            index=models.Index(fields=['environment', '-deployed_at', '-id'], name='deploy_by_environment'),
        ),
        migrations.AddIndex(
            model_name='deploy',
            index=models.Index(fields=['target', '-deployed_at', '-id'], name='deploy_by_target'),
        ),
        migrations.AddIndex(
            model_name='deploy',
            index=models.Index(fields=['target', 'sha'], name='deploy_by_sha'),
        ),
        migrations.AddIndex(
            model_name='deploy',
            index=models.Index(fields=['organization', 'sha'], name='deploy_by_organization_sha'),
        ),
        migrations.AddIndex(
            model_name='deploy',
            index=models.Index(condition=models.Q(('restores__isnull', False)), fields=['restores'], name='deploy_by_restores'),
        ),
        migrations.AddIndex(
            model_name='deploy',
            index=models.Index(condition=models.Q(('rolled_back_by__isnull', False)), fields=['rolled_back_by'], name='deploy_by_rolled_back_by'),
        ),
        migrations.AddIndex(
            model_name='deploy',
            index=models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['target', 'deleted_at'], name='deploy_by_deletion'),
        ),
        migrations.AddConstraint(
            model_name='deploy',
            constraint=models.CheckConstraint(condition=models.Q(('sha', ''), _negated=True), name='deploy_has_a_sha'),
        ),
        migrations.AddConstraint(
            model_name='deploy',
            constraint=models.CheckConstraint(condition=models.Q(('lead_time__gte', 0)), name='deploy_lead_time_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='deploy',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('health_set', None), ('health_set_at', None), ('health_set_by', None)), models.Q(('health_set__in', ['healthy', 'ailing', 'unhealthy']), ('health_set_at__isnull', False), ('health_set_by__isnull', False)), _connector='OR'), name='deploy_health_is_known_with_who_and_when'),
        ),
    ]
