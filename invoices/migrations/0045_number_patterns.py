import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('invoices', '0044_vat_checks'),
    ]

    operations = [
        migrations.CreateModel(
            name='NumberPattern',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=20, unique=True)),
                ('prefix', models.CharField(blank=True, max_length=40, verbose_name='begins with')),
                ('width', models.PositiveSmallIntegerField(default=4, verbose_name='digits')),
                ('restart', models.CharField(choices=[('never', 'Never: one series without end'), ('year', 'At 1 each year'), ('month', 'At 1 each month')], default='year', max_length=5, verbose_name='counter begins again')),
            ],
            options={
                'ordering': ['kind'],
            },
        ),
        migrations.AddConstraint(
            model_name='numberpattern',
            constraint=models.CheckConstraint(condition=models.Q(('width__gte', 1), ('width__lte', 9)), name='a_number_has_one_to_nine_digits'),
        ),
        migrations.AddConstraint(
            model_name='numberpattern',
            constraint=models.CheckConstraint(condition=models.Q(('restart', 'never'), models.Q(models.Q(('prefix__contains', '{year}'), ('prefix__contains', '{yy}'), _connector='OR'), models.Q(('restart', 'year'), ('prefix__contains', '{month}'), _connector='OR')), _connector='OR'), name='numbers_that_begin_again_bear_their_period'),
        ),
        migrations.AddField(
            model_name='numberseries',
            name='period',
            field=models.CharField(blank=True, default='', max_length=7),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='numberseries',
            name='first_value',
            field=models.PositiveIntegerField(default=1),
        ),
        migrations.AddField(
            model_name='numberseries',
            name='ended_on',
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name='numberseries',
            name='prefix',
            field=models.CharField(blank=True, max_length=40),
        ),
        # Empty for a moment on the way back.
        migrations.AlterField(
            model_name='numberseries',
            name='year',
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='booksdecision',
            name='series',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='invoices.numberseries'),
        ),
        migrations.AddField(
            model_name='booksdecision',
            name='pattern',
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name='booksdecision',
            name='kind',
            field=models.CharField(choices=[('closed', 'Books closed'), ('reopened', 'Books opened again'), ('first_number', 'Next number set'), ('dates', 'Exception for dates'), ('pattern', 'Form of the numbers changed'), ('series_ended', 'Series ended'), ('series_resumed', 'Series goes on')], max_length=20),
        ),
    ]
