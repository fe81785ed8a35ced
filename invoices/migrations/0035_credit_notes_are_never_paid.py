"""A refund used up a credit note and was counted as the day on which the note was paid."""

from __future__ import annotations

from typing import Any

from django.db import migrations


def forget(apps: Any, _schema_editor: Any) -> None:
    notes = apps.get_model("invoices", "Invoice").objects.filter(kind="credit_note")
    notes.exclude(paid_on=None).update(paid_on=None, days_late=None, days_to_pay=None)
    past = apps.get_model("invoices", "PastSettlement").objects
    past.filter(invoice__kind="credit_note").exclude(paid_on=None).update(paid_on=None)


class Migration(migrations.Migration):
    dependencies = [("invoices", "0034_exemption_reasons")]

    operations = [migrations.RunPython(forget, migrations.RunPython.noop)]
