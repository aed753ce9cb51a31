"""Limits of a tenant."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_audit_indexes'),
    ]

    operations = [
        migrations.AddField(
            model_name='tenant',
            name='max_per_day',
            field=models.PositiveIntegerField(blank=True, help_text='Jobs handed in a day (UTC); further ones are refused.', null=True),
        ),
        migrations.AddField(
            model_name='tenant',
            name='max_queued',
            field=models.PositiveIntegerField(blank=True, help_text='Jobs that wait; further ones are refused.', null=True),
        ),
        migrations.AddField(
            model_name='tenant',
            name='max_running',
            field=models.PositiveIntegerField(blank=True, help_text='Jobs at once over all workers.', null=True, validators=[django.core.validators.MinValueValidator(1)]),
        ),
        migrations.AddField(
            model_name='tenant',
            name='rate_limit',
            field=models.CharField(blank=True, db_default='', default='', help_text='Starts in a time, as in 100/m.', max_length=20),
        ),
        migrations.AddField(
            model_name='tenant',
            name='retention_days',
            field=models.FloatField(blank=True, help_text='How long ended jobs are kept; empty: as everywhere.', null=True, validators=[django.core.validators.MinValueValidator(0)]),
        ),
        migrations.AddField(
            model_name='tenant',
            name='weight',
            field=models.PositiveSmallIntegerField(blank=True, help_text="Its share where tenants take turns; empty: its plan's.", null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)]),
        ),
        migrations.AddConstraint(
            model_name='tenant',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('max_running', None), ('max_running__gte', 1), _connector='OR'), models.Q(('weight', None), ('weight__range', (1, 100)), _connector='OR'), models.Q(('retention_days', None), ('retention_days__gte', 0), _connector='OR')), name='tenant_limits_positive'),
        ),
    ]
