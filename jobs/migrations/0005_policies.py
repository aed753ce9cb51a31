"""Limits, pauses, batches, workflows, dead letters by group."""

import accounts.ids
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import jobs.models.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_limits'),
        ('jobs', '0004_browsing'),
    ]

    operations = [
        migrations.CreateModel(
            name='Batch',
            fields=[
                ('id', models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('owner', models.TextField(blank=True, default='')),
                ('name', models.TextField(blank=True, default='')),
                ('created_by', models.TextField(blank=True, default='')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('total', models.PositiveIntegerField(default=0, help_text='Jobs in it; refused items are none.')),
                ('completed', models.PositiveIntegerField(default=0)),
                ('failed', models.PositiveIntegerField(default=0)),
                ('cancelled', models.PositiveIntegerField(default=0)),
                ('finished_at', models.DateTimeField(null=True)),
                ('on_complete', models.JSONField(help_text='The job to hand in when all have ended.', null=True)),
                ('on_failure', models.JSONField(help_text='The job to hand in at the first failure.', null=True)),
                ('on_complete_job', models.UUIDField(help_text='Set once ever.', null=True)),
                ('on_failure_job', models.UUIDField(help_text='Set once ever.', null=True)),
            ],
            options={
                'verbose_name_plural': 'batches',
            },
        ),
        migrations.CreateModel(
            name='KeyState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.TextField()),
                ('closed_until', models.DateTimeField(null=True)),
                ('reason', models.TextField(blank=True, default='', help_text='For people.')),
                ('failures', models.PositiveIntegerField(default=0, help_text='In a row.')),
                ('opened_at', models.DateTimeField(help_text='When the circuit breaker opened; until a probe completes.', null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Pause',
            fields=[
                ('id', models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('queue', 'Queue'), ('type', 'Type'), ('tenant', 'Tenant'), ('key', 'Key')], max_length=6)),
                ('target', models.TextField(help_text="The queue, the type, the tenant's slug, or the key.")),
                ('reason', models.TextField(blank=True, default='')),
                ('until', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('created_by', models.TextField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('ended_by', models.TextField(blank=True, default='')),
            ],
        ),
        migrations.CreateModel(
            name='RateUse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('bucket', models.TextField(help_text='queue:NAME, type:NAME, tenant:ID or key:TENANT:KEY')),
                ('job_id', models.UUIDField()),
                ('fence', models.BigIntegerField()),
                ('booked_at', models.DateTimeField()),
                ('started_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Workflow',
            fields=[
                ('id', models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('owner', models.TextField(blank=True, default='')),
                ('name', models.TextField(blank=True, default='')),
                ('created_by', models.TextField(blank=True, default='')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
        ),
        migrations.AddField(
            model_name='job',
            name='fingerprint',
            field=models.CharField(blank=True, db_default='', default='', help_text='Failures of one kind share it.', max_length=32),
        ),
        migrations.AddField(
            model_name='job',
            name='limit_key',
            field=models.TextField(blank=True, db_default='', default='', help_text='Jobs of one tenant with the same key share its limits.'),
        ),
        migrations.AddField(
            model_name='job',
            name='queued_at',
            field=jobs.models.fields.AssignedDateTimeField(db_default=django.db.models.functions.datetime.Now(), help_text='When it last became ready to run; it ages from then.'),
        ),
        migrations.AddField(
            model_name='job',
            name='sent_priority',
            field=models.SmallIntegerField(help_text='With ageing, when its message was sent; it decides the level.', null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='step',
            field=models.TextField(blank=True, db_default='', default='', help_text='Its name in the workflow.'),
        ),
        migrations.AddField(
            model_name='job',
            name='unique_until',
            field=models.DateTimeField(help_text='Its unique key is taken until then, even if it ended.', null=True),
        ),
        migrations.AddField(
            model_name='leadership',
            name='policy_version',
            field=models.BigIntegerField(db_default=0, default=0, help_text='Grows with each change of limits and pauses.'),
        ),
        migrations.AddField(
            model_name='queue',
            name='max_concurrency',
            field=models.PositiveIntegerField(blank=True, help_text='Jobs at once over all workers; 1 makes it sequential.', null=True, validators=[django.core.validators.MinValueValidator(1)]),
        ),
        migrations.AddField(
            model_name='queue',
            name='rate_limit',
            field=models.CharField(blank=True, db_default='', default='', help_text='Starts in a time, as in 100/m.', max_length=20),
        ),
        migrations.AddField(
            model_name='queue',
            name='weight',
            field=models.PositiveSmallIntegerField(db_default=1, default=1, help_text='Its share of workers that it shares with other queues.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)]),
        ),
        migrations.AddIndex(
            model_name='dependency',
            index=models.Index(condition=models.Q(('settled_at', None)), fields=['job'], name='dependency_waiting'),
        ),
        migrations.AddConstraint(
            model_name='queue',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('max_concurrency', None), ('max_concurrency__gte', 1), _connector='OR'), ('weight__range', (1, 100))), name='queue_limits_positive'),
        ),
        migrations.AddField(
            model_name='batch',
            name='tenant',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant'),
        ),
        migrations.AddField(
            model_name='job',
            name='batch',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='jobs', to='jobs.batch'),
        ),
        migrations.AddField(
            model_name='keystate',
            name='tenant',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.tenant'),
        ),
        migrations.AddField(
            model_name='pause',
            name='tenant',
            field=models.ForeignKey(db_index=False, help_text="Of a tenant's pause that tenant, of a key's the one whose key it is.", null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.tenant'),
        ),
        migrations.AddIndex(
            model_name='rateuse',
            index=models.Index(fields=['bucket', 'started_at'], name='rate_use_of_bucket'),
        ),
        migrations.AddIndex(
            model_name='rateuse',
            index=models.Index(condition=models.Q(('started_at', None)), fields=['job_id'], name='rate_use_open'),
        ),
        migrations.AddField(
            model_name='workflow',
            name='tenant',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant'),
        ),
        migrations.AddField(
            model_name='job',
            name='workflow',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='jobs', to='jobs.workflow'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.F('queue'), models.F('tenant'), models.F('limit_key'), models.F('type'), models.OrderBy(models.F('priority'), descending=True), models.F('seq'), condition=models.Q(('dispatched_at', None), ('status', 'queued'), models.Q(('limit_key', ''), _negated=True)), name='job_ready_by_key'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('batch__isnull', False)), fields=['batch', 'status', '-seq'], name='job_of_batch'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('workflow__isnull', False)), fields=['workflow'], name='job_of_workflow'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('discarded_at', None), ('status', 'failed')), fields=['tenant', 'fingerprint', '-seq'], name='job_dead'),
        ),
        migrations.AddIndex(
            model_name='batch',
            index=models.Index(fields=['tenant', '-id'], name='batch_newest'),
        ),
        migrations.AddConstraint(
            model_name='batch',
            constraint=models.CheckConstraint(condition=models.Q(('total__gte', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('completed'), '+', models.F('failed')), '+', models.F('cancelled')))), name='batch_ended_within_total'),
        ),
        migrations.AddConstraint(
            model_name='keystate',
            constraint=models.UniqueConstraint(fields=('tenant', 'key'), name='key_state_once'),
        ),
        migrations.AddIndex(
            model_name='pause',
            index=models.Index(condition=models.Q(('ended_at', None)), fields=['kind', 'target'], name='pause_open'),
        ),
        migrations.AddIndex(
            model_name='pause',
            index=models.Index(fields=['ended_at'], name='pause_ended'),
        ),
        migrations.AddConstraint(
            model_name='pause',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['queue', 'type', 'tenant', 'key'])), name='pause_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='pause',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ['queue', 'type']), ('tenant', None)), models.Q(('kind__in', ['tenant', 'key']), ('tenant__isnull', False)), _connector='OR'), name='pause_of_tenant_or_key_has_tenant'),
        ),
        migrations.AddIndex(
            model_name='workflow',
            index=models.Index(fields=['tenant', '-id'], name='workflow_newest'),
        ),
    ]
