"""Late-penalty rates say who set them and until when they hold: a rate of the law for one half-year,
one of a contract until another begins. Until now the letters ECB in the source decided the first."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import migrations, models

BASES = [
    ("ecb", "The law: ECB rate plus 10 points, for one half-year"),
    ("contract", "Our contracts: until another rate begins"),
]


def fill(apps: Any, _schema_editor: Any) -> None:
    for row in apps.get_model("invoices", "LatePenaltyRate").objects.all():
        day = row.starts_on
        if "ECB" in row.source or "BCE" in row.source:
            row.ends_on = date(day.year, 6, 30) if day.month < 7 else date(day.year, 12, 31)
        else:
            row.basis = "contract"
        row.save()


class Migration(migrations.Migration):
    dependencies = [("invoices", "0036_nature_of_lines")]

    operations = [
        migrations.AddField(
            "latepenaltyrate",
            "basis",
            models.CharField("set by", max_length=10, choices=BASES, default="ecb"),
        ),
        migrations.AddField(
            "latepenaltyrate", "ends_on", models.DateField("until", null=True, blank=True)
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddConstraint(
            "latepenaltyrate",
            models.CheckConstraint(
                name="a_late_rate_ends_after_it_starts",
                condition=models.Q(ends_on=None) | models.Q(ends_on__gte=models.F("starts_on")),
            ),
        ),
        migrations.AddConstraint(
            "latepenaltyrate",
            models.CheckConstraint(
                name="a_late_rate_of_the_law_has_a_last_day",
                condition=models.Q(basis="contract") | models.Q(ends_on__isnull=False),
            ),
        ),
    ]
