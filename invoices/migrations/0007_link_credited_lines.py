"""What a credit note credited stood in the log of the note; now its lines say it themselves."""

from collections import defaultdict

from django.db import migrations

from invoices.migrations._frozen import unfrozen

BATCH = 500


def _matched(lines, credited):
    """Pairs of a note's line and the line it credits: both were written in one order."""
    left = list(lines)
    for line_id, net_minor in credited:
        at = next((n for n, line in enumerate(left) if line.net_minor == net_minor), None)
        if at is not None:
            yield left.pop(at), line_id


def link(apps, schema_editor):
    Event = apps.get_model("invoices", "InvoiceEvent")
    Line = apps.get_model("invoices", "InvoiceLine")
    said = {}
    notes = Event.objects.filter(kind="issued", invoice__kind="credit_note")
    for note_id, corrects_id, data in notes.values_list(
        "invoice_id", "invoice__corrects_id", "data"
    ).iterator(chunk_size=BATCH):
        if data.get("lines"):
            said[note_id] = corrects_id, data["lines"]
    with unfrozen(schema_editor, "invoices_invoiceline"):
        ids = list(said)
        for start in range(0, len(ids), BATCH):
            some = ids[start : start + BATCH]
            lines = defaultdict(list)
            for line in Line.objects.filter(invoice_id__in=some).order_by("position", "pk"):
                lines[line.invoice_id].append(line)
            sources = dict(
                Line.objects.filter(
                    invoice_id__in=[said[note_id][0] for note_id in some]
                ).values_list("pk", "invoice_id")
            )
            changed = []
            for note_id in some:
                corrects_id, credited = said[note_id]
                for line, line_id in _matched(lines[note_id], credited):
                    if sources.get(line_id) == corrects_id:
                        line.credits_id = line_id
                        changed.append(line)
            Line.objects.bulk_update(changed, ["credits"])


class Migration(migrations.Migration):
    dependencies = [("invoices", "0006_plan_steps_and_credited_lines")]

    operations = [migrations.RunPython(link, migrations.RunPython.noop)]
