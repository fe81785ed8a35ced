"""The series of a year are keyed by it as by any period, and the company's prefixes are patterns."""

from django.db import migrations

from invoices.migrations._frozen import unfrozen

COLUMNS = {"invoice": "invoice_prefix", "credit_note": "credit_note_prefix"}
TABLES = ("invoices_numberseries", "invoices_booksdecision")


def fill(apps, schema_editor):
    NumberSeries = apps.get_model("invoices", "NumberSeries")
    NumberPattern = apps.get_model("invoices", "NumberPattern")
    BooksDecision = apps.get_model("invoices", "BooksDecision")
    with unfrozen(schema_editor, *TABLES):
        for series in NumberSeries.objects.all():
            NumberSeries.objects.filter(pk=series.pk).update(period=f"{series.year:04d}")
            BooksDecision.objects.filter(
                kind="first_number", document_kind=series.kind, year=series.year
            ).update(series=series)
    company = apps.get_model("invoices", "Company").objects.first()
    if company is None:
        return
    for kind, column in COLUMNS.items():
        prefix = getattr(company, column)
        NumberPattern.objects.get_or_create(
            kind=kind,
            defaults={
                "prefix": prefix,
                "width": company.number_width,
                # The form asked for {year}; what was written past it could only number once.
                "restart": "year" if "{year}" in prefix else "never",
            },
        )


def give_back(apps, schema_editor):
    NumberSeries = apps.get_model("invoices", "NumberSeries")
    NumberPattern = apps.get_model("invoices", "NumberPattern")
    Company = apps.get_model("invoices", "Company")
    with unfrozen(schema_editor, *TABLES):
        for series in NumberSeries.objects.all():
            NumberSeries.objects.filter(pk=series.pk).update(year=int(series.period))
    for pattern in NumberPattern.objects.filter(kind__in=COLUMNS):
        Company.objects.update(**{COLUMNS[pattern.kind]: pattern.prefix})
        if pattern.kind == "invoice":
            Company.objects.update(number_width=pattern.width)


class Migration(migrations.Migration):
    dependencies = [("invoices", "0045_number_patterns")]

    operations = [migrations.RunPython(fill, give_back)]
