"""The sentences that follow from the category of a line become rows too; `migrate` sows them."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

CATEGORIES = [
    ("E", "Exempt"),
    ("AE", "Reverse charge within France"),
    ("AE-EU", "Reverse charge, another state of the Union"),
    ("K", "Goods to another state of the Union"),
    ("G", "Export of goods"),
    ("O", "Services outside French VAT"),
    ("O-294", "Guyane and Mayotte"),
    ("293B", "Franchise"),
]


def take_out_the_standing(apps: Any, schema_editor: Any) -> None:
    """On the way back: the former version has no place for them, and no line names one."""
    reasons = apps.get_model("invoices", "ExemptionReason").objects
    reasons.exclude(category__in=("E", "AE")).delete()
    if schema_editor.connection.vendor == "postgresql":
        # It alters no table while the checks of foreign keys are still to come.
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):
    dependencies = [("invoices", "0039_who_buys")]

    operations = [
        migrations.AlterField(
            "exemptionreason",
            "category",
            models.CharField("what it means", max_length=5, choices=CATEGORIES, default="E"),
        ),
        migrations.RunPython(migrations.RunPython.noop, take_out_the_standing),
    ]
