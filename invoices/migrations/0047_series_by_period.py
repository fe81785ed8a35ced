from django.db import migrations, models
from django.db.migrations.exceptions import IrreversibleError
from django.db.models import Count


def refuse_what_the_former_version_cannot_hold(apps, schema_editor):
    """On the way back, before anything is changed: it knows one series per kind and year."""
    NumberSeries = apps.get_model("invoices", "NumberSeries")
    NumberPattern = apps.get_model("invoices", "NumberPattern")
    twice = NumberSeries.objects.values("kind", "period").annotate(n=Count("pk")).filter(n__gt=1)
    periods = {(row["kind"], row["period"]) for row in twice}
    series = [
        row.prefix
        for row in NumberSeries.objects.all()
        if len(row.period) != 4 or len(row.prefix) > 20 or "{" in row.prefix
        or row.first_value > 1 or (row.kind, row.period) in periods
    ]
    patterns = [
        row.prefix
        for row in NumberPattern.objects.all()
        if row.restart != "year" or "{year}" not in row.prefix or len(row.prefix) > 20
        or row.prefix.count("{") > 1
    ]
    if series or patterns:
        raise IrreversibleError(
            "The former version numbers by the year only. It cannot go on with the series "
            f"{series} and the patterns {patterns}; nothing was changed: run `migrate` to stay."
        )


class Migration(migrations.Migration):

    dependencies = [
        ('invoices', '0046_fill_number_patterns'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='numberseries',
            name='one_series_per_kind_and_year',
        ),
        migrations.AlterModelOptions(
            name='numberseries',
            options={'ordering': ['kind', '-period', 'pk'], 'verbose_name_plural': 'number series'},
        ),
        migrations.RemoveField(
            model_name='numberseries',
            name='year',
        ),
        migrations.RemoveField(
            model_name='company',
            name='credit_note_prefix',
        ),
        migrations.RemoveField(
            model_name='company',
            name='invoice_prefix',
        ),
        migrations.RemoveField(
            model_name='company',
            name='number_width',
        ),
        migrations.AddConstraint(
            model_name='numberseries',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_on__isnull', True)), fields=('kind', 'period'), name='one_open_series_per_kind_and_period'),
        ),
        migrations.AddConstraint(
            model_name='numberseries',
            constraint=models.CheckConstraint(condition=models.Q(('first_value__gte', 1), ('next_value__gte', models.F('first_value'))), name='a_series_goes_on_from_its_first_number'),
        ),
        migrations.AddConstraint(
            model_name='booksdecision',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ['first_number', 'series_ended', 'series_resumed']), _negated=True), ('series__isnull', False), _connector='OR'), name='a_decision_on_a_series_names_it'),
        ),
        migrations.RunPython(
            migrations.RunPython.noop, refuse_what_the_former_version_cannot_hold
        ),
    ]
