"""Deposits of quotes that are still drafts become what they are; issued ones stay as they went."""

from django.db import migrations


def mark(apps, schema_editor):
    Invoice = apps.get_model("invoices", "Invoice")
    Invoice.objects.filter(quote_billing__kind="deposit", status="draft").update(purpose="deposit")


class Migration(migrations.Migration):
    dependencies = [("invoices", "0050_deposits_and_corrections")]

    operations = [migrations.RunPython(mark, migrations.RunPython.noop, elidable=True)]
