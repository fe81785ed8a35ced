"""Lines say whether they supply goods or services. Until now all was taken as services, so drafts
stay what they were; of issued documents nobody was asked, and what they are stays unsaid."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

NATURES = [("services", "Services"), ("goods", "Goods")]


def drafts_are_of_services(apps: Any, _schema_editor: Any) -> None:
    lines = apps.get_model("invoices", "InvoiceLine").objects
    lines.filter(invoice__status="draft").update(nature="services")


class Migration(migrations.Migration):
    dependencies = [("invoices", "0035_credit_notes_are_never_paid")]

    operations = [
        migrations.AddField(
            "company",
            "usual_nature",
            models.CharField(
                "usually sold", max_length=8, choices=NATURES, default="services"
            ),
        ),
        migrations.AddField(
            "invoiceline",
            "nature",
            models.CharField("nature", max_length=8, choices=NATURES, default="", blank=True),
        ),
        migrations.AlterField(
            "invoiceline",
            "nature",
            models.CharField(
                "nature", max_length=8, choices=NATURES, default="services", blank=True
            ),
        ),
        migrations.RunPython(drafts_are_of_services, migrations.RunPython.noop),
    ]
