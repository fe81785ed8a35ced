"""Each application gets its effective day, each reversal the row that it takes back.

Money took effect on its value date, even before its invoice was issued; now on the later of both.
What closed an invoice decides whether it was paid; its days are recomputed, and the times in which
it was settled before it was reopened are written down.
"""

from collections import defaultdict
from datetime import date, timedelta

from django.db import migrations
from django.db.models import F, Q

from invoices.migrations._frozen import unfrozen

BATCH = 500


def forwards(apps, schema_editor):
    # Allocations are append-only, and these columns of them are new or mean something else now.
    with unfrozen(schema_editor, "invoices_allocation"):
        _redate(apps)


def _redate(apps):
    allocation, invoice = apps.get_model("invoices", "Allocation"), apps.get_model("invoices", "Invoice")
    early = allocation.objects.filter(applied_on__lt=F("invoice__issue_date"))
    reversed_ = allocation.objects.filter(amount_minor__lt=0)
    mixed = invoice.objects.filter(kind="invoice", status="settled", paid_minor__gt=0).filter(
        Q(credited_minor__gt=0) | Q(written_off_minor__gt=0)
    )
    ids = {
        *early.values_list("invoice_id", flat=True),
        *reversed_.values_list("invoice_id", flat=True),
        *mixed.values_list("pk", flat=True),
    }
    ordered = sorted(ids)
    for start in range(0, len(ordered), BATCH):
        _settle(apps, ordered[start : start + BATCH])


def _settle(apps, ids):
    allocation, invoice = apps.get_model("invoices", "Allocation"), apps.get_model("invoices", "Invoice")
    past = apps.get_model("invoices", "PastSettlement")
    rows = defaultdict(list)
    found = allocation.objects.filter(invoice_id__in=ids).select_related("payment").order_by("pk")
    for row in found:
        rows[row.invoice_id].append(row)
    changed, spells = [], []
    invoices = list(invoice.objects.filter(pk__in=ids).defer("paper", "note"))
    for each in invoices:
        mine = rows[each.pk]
        changed += _dated(each, mine)
        each.settled_on, each.paid_on = _at(each, mine, date.max)
        each.days_late = (each.paid_on - each.due_date).days if each.paid_on else None
        each.days_to_pay = (each.paid_on - each.issue_date).days if each.paid_on else None
        days = {r.applied_on for r in mine if r.takes_back and r.takes_back.applied_on < r.applied_on}
        for day in sorted(days):
            settled_on, paid_on = _at(each, mine, day - timedelta(days=1))
            if settled_on:
                spells.append(
                    past(invoice_id=each.pk, settled_on=settled_on, paid_on=paid_on, reopened_on=day)
                )
    allocation.objects.bulk_update(changed, ["applied_on", "takes_back"], batch_size=BATCH)
    invoice.objects.bulk_update(
        invoices, ["settled_on", "paid_on", "days_late", "days_to_pay"], batch_size=200
    )
    past.objects.bulk_create(spells, batch_size=BATCH)


def _dated(invoice, rows):
    """The rows that changed, replayed in the order in which they were recorded."""
    changed, before, taken = [], [], set()
    for row in rows:
        day, taken_back = row.applied_on, None
        if row.amount_minor < 0:
            taken_back = next(
                (
                    one
                    for one in before
                    if one.pk not in taken
                    and one.amount_minor == -row.amount_minor
                    and one.kind == row.kind
                    and (row.payment is None or one.payment_id == row.payment.reverses_id)
                ),
                None,
            )
            if taken_back is None:
                raise ValueError(f"Allocation {row.pk} takes back what nobody gave: look at it first.")
            taken.add(taken_back.pk)
            day = max(day, taken_back.applied_on)
        elif row.kind in ("payment", "credit"):
            day = _room_from(max(day, invoice.issue_date), row.amount_minor, invoice, before)
        if day != row.applied_on or taken_back is not None:
            row.applied_on, row.takes_back = day, taken_back
            changed.append(row)
        before.append(row)
    return changed


def _room_from(day, amount, invoice, before):
    changes = defaultdict(int)
    for row in before:
        changes[row.applied_on] += row.amount_minor
    used, days = 0, sorted(changes)
    for on, until in zip(days, [*days[1:], None]):
        used += changes[on]
        if until is not None and until > day and used + amount > invoice.total_minor:
            day = until
    return day


def _at(invoice, rows, day):
    """(settled on, paid on) at the end of a day."""
    taken = {r.takes_back.pk for r in rows if r.takes_back and r.applied_on <= day}
    standing = [r for r in rows if r.amount_minor > 0 and r.applied_on <= day and r.pk not in taken]
    if sum(r.amount_minor for r in standing) < invoice.total_minor:
        return None, None
    last = {}
    for row in standing:
        last[row.kind] = max(row.applied_on, last.get(row.kind, row.applied_on))
    settled_on, paid_on = max(last.values(), default=invoice.issue_date), last.get("payment")
    paid = sum(r.amount_minor for r in standing if r.kind == "payment")
    by_money = paid_on == settled_on and last.get("write_off") != settled_on
    if not by_money and paid * 100 < invoice.total_minor * 98:
        paid_on = None
    return settled_on, paid_on


class Migration(migrations.Migration):

    dependencies = [("invoices", "0009_two_days_and_refunds")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
