"""Terms of sale; and quotes numbered already go on as they began: their form is a pattern now."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def fill(apps, schema_editor):
    NumberSeries = apps.get_model("invoices", "NumberSeries")
    NumberPattern = apps.get_model("invoices", "NumberPattern")
    last = (
        NumberSeries.objects.filter(kind="quote", ended_on__isnull=True).order_by("-period").first()
    )
    # Until now the series of quotes were of a year, which their prefix bears.
    if last is None or last.period not in last.prefix:
        return
    NumberPattern.objects.get_or_create(
        kind="quote",
        defaults={
            "prefix": last.prefix.replace(last.period, "{year}"),
            "width": last.width,
            "restart": "year",
        },
    )


def empty(apps, schema_editor):
    apps.get_model("invoices", "NumberPattern").objects.filter(kind="quote").delete()


class Migration(migrations.Migration):

    dependencies = [
        ('invoices', '0093_typed_versions_of_every_draft'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='quoteacceptance',
            name='sales_terms_sha256',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.CreateModel(
            name='SalesTerms',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(choices=[('fr', 'French'), ('en', 'English')], max_length=2)),
                ('number', models.PositiveIntegerField()),
                ('text', models.TextField(blank=True)),
                ('content', models.BinaryField()),
                ('filename', models.CharField(blank=True, max_length=120)),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('size', models.PositiveIntegerField(default=0)),
                ('on', models.DateField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'sales terms',
                'ordering': ['language', '-number'],
            },
        ),
        migrations.AddField(
            model_name='quoteacceptance',
            name='sales_terms',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='acceptances', to='invoices.salesterms'),
        ),
        migrations.AddField(
            model_name='quoteversion',
            name='sales_terms',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='quotes', to='invoices.salesterms'),
        ),
        migrations.AddConstraint(
            model_name='salesterms',
            constraint=models.UniqueConstraint(fields=('language', 'number'), name='a_version_of_sales_terms_is_there_once'),
        ),
        migrations.RunPython(fill, empty),
    ]
