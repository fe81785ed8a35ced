import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):

    dependencies = [
        ("invoices", "0008_mails_worded_when_they_leave"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Refund",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("refunded_on", models.DateField(verbose_name="day")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("amount_minor", models.BigIntegerField()),
                ("reference", models.CharField(blank=True, max_length=140, verbose_name="reference")),
                ("method", models.CharField(choices=[("transfer", "Bank transfer"), ("card", "Card"), ("direct_debit", "Direct debit"), ("cheque", "Cheque"), ("cash", "Cash"), ("other", "Other")], default="transfer", max_length=20, verbose_name="method")),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
                ("recorded_at", models.DateTimeField(auto_now_add=True)),
                ("client", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="invoices.client")),
                ("recorded_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("reverses", models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="reversed_by", to="invoices.refund")),
            ],
            options={
                "ordering": ["-refunded_on", "-pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(reverses__isnull=True, amount_minor__gt=0) | Q(reverses__isnull=False, amount_minor__lt=0),
                        name="a_refund_is_above_zero_and_its_mirror_below",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PastSettlement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("settled_on", models.DateField()),
                ("paid_on", models.DateField(blank=True, null=True)),
                ("reopened_on", models.DateField()),
                ("invoice", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="past_settlements", to="invoices.invoice")),
            ],
            options={
                "ordering": ["settled_on", "pk"],
                "indexes": [models.Index(fields=["reopened_on", "settled_on"], name="past_settlement_days")],
                "constraints": [
                    models.UniqueConstraint(fields=("invoice", "settled_on"), name="a_past_settlement_begins_once"),
                    models.CheckConstraint(condition=Q(reopened_on__gt=F("settled_on")), name="a_past_settlement_ends_after_it_begins"),
                ],
            },
        ),
        migrations.RemoveConstraint(model_name="allocation", name="an_allocation_has_one_source"),
        migrations.RenameField(model_name="allocation", old_name="created_at", new_name="recorded_at"),
        migrations.AlterField(
            model_name="allocation",
            name="invoice",
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="allocations", to="invoices.invoice"),
        ),
        migrations.AlterField(
            model_name="allocation",
            name="kind",
            field=models.CharField(choices=[("payment", "Payment"), ("credit", "Credit note"), ("write_off", "Write-off"), ("refund", "Refund")], max_length=10),
        ),
        migrations.AddField(
            model_name="allocation",
            name="refund",
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="allocations", to="invoices.refund"),
        ),
        migrations.AddField(
            model_name="allocation",
            name="takes_back",
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="taken_back_by", to="invoices.allocation"),
        ),
        migrations.AlterField(
            model_name="invoiceevent",
            name="kind",
            field=models.CharField(choices=[("drafted", "Drafted"), ("issued", "Issued"), ("imported", "Brought in from the old system"), ("queued", "Mail queued"), ("sent", "Sent"), ("send_failed", "Mail refused"), ("paid", "Payment received"), ("reversed", "Payment reversed"), ("credited", "Credit note applied"), ("written_off", "Written off"), ("write_off_taken_back", "Write-off taken back"), ("refunded", "Refunded"), ("refund_taken_back", "Refund taken back"), ("voided", "Draft discarded"), ("note", "Note")], max_length=20),
        ),
        migrations.AddConstraint(
            model_name="allocation",
            constraint=models.CheckConstraint(
                condition=(
                    Q(kind="payment", payment__isnull=False, credit_note__isnull=True)
                    | Q(kind="credit", payment__isnull=True, credit_note__isnull=False)
                    | Q(kind="write_off", payment__isnull=True, credit_note__isnull=True)
                    | Q(kind="refund", payment__isnull=False, credit_note__isnull=True)
                    | Q(kind="refund", payment__isnull=True, credit_note__isnull=False)
                ),
                name="an_allocation_has_one_source",
            ),
        ),
        migrations.AddConstraint(
            model_name="allocation",
            constraint=models.CheckConstraint(
                condition=(
                    Q(kind="refund", refund__isnull=False, invoice__isnull=True)
                    | (~Q(kind="refund") & Q(refund__isnull=True, invoice__isnull=False))
                ),
                name="an_allocation_settles_an_invoice_or_is_refunded",
            ),
        ),
    ]
