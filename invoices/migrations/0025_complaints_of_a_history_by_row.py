"""Complaints about a history get rows of their own, all of them, in code and values.

Those that are kept in the report of an import move over; they are sentences, and stay so.
"""

import django.db.models.deletion
from django.db import migrations, models


def move_complaints(apps, schema_editor):
    Import = apps.get_model("invoices", "HistoryImport")
    Complaint = apps.get_model("invoices", "HistoryComplaint")
    for history in Import.objects.only("pk", "report").iterator(chunk_size=50):
        told = history.report.pop("complaints", None)
        if told is None:
            continue
        Complaint.objects.bulk_create(
            Complaint(
                history_id=history.pk,
                file=each["file"],
                line=each["line"],
                column=each["column"],
                notice=each["reason"],
            )
            for each in told
        )
        history.save(update_fields=["report"])


class Migration(migrations.Migration):
    dependencies = [("invoices", "0024_what_was_seen_late_has_an_index")]

    operations = [
        migrations.AddField(
            model_name="historyimport",
            name="answers",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.CreateModel(
            name="HistoryComplaint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("file", models.CharField(max_length=255)),
                ("line", models.PositiveIntegerField()),
                ("column", models.CharField(blank=True, max_length=80)),
                ("notice", models.JSONField()),
                (
                    "history",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="complaints",
                        to="invoices.historyimport",
                    ),
                ),
            ],
            options={"ordering": ["pk"]},
        ),
        migrations.RunPython(move_complaints, migrations.RunPython.noop),
    ]
