import accounts.ids
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0006_tenant_day'),
    ]

    operations = [
        migrations.AddField(
            model_name='job',
            name='has_artifacts',
            field=models.BooleanField(db_default=False, default=False, help_text='Files, or a result that is kept in storage.'),
        ),
        migrations.AddField(
            model_name='worker',
            name='wish',
            field=models.CharField(choices=[('run', 'Run'), ('pause', 'Pause'), ('stop', 'Stop'), ('restart', 'Restart')], db_default='run', default='run', help_text='As an operator asked; a new incarnation begins with none.', max_length=8),
        ),
        migrations.AddField(
            model_name='worker',
            name='wished_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name='Artifact',
            fields=[
                ('id', models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('artifact', 'Artifact'), ('result', 'Result')], max_length=8)),
                ('name', models.CharField(help_text="The job's, cleaned.", max_length=255)),
                ('content_type', models.CharField(max_length=255)),
                ('size', models.BigIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('storage_name', models.CharField(max_length=100, unique=True)),
                ('fence', models.BigIntegerField(help_text='Of the attempt that made it.')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('job', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='artifacts', to='jobs.job')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('job', 'kind', 'name'), name='artifact_name_once'), models.CheckConstraint(condition=models.Q(('kind__in', ['artifact', 'result'])), name='artifact_kind_known')],
            },
        ),
        migrations.CreateModel(
            name='LogLine',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('attempt', models.PositiveIntegerField()),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('level', models.CharField(max_length=8)),
                ('message', models.TextField()),
                ('job', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='jobs.job')),
            ],
            options={
                'indexes': [models.Index(fields=['job', 'id'], name='log_line_of_job')],
            },
        ),
    ]
