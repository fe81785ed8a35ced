"""The quotes that were numbered already go on as they began: their form is a pattern now."""

from django.db import migrations


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
    dependencies = [("invoices", "0093_typed_versions_of_every_draft")]

    operations = [migrations.RunPython(fill, empty)]
