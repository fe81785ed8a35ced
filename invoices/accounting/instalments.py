"""Do the instalments of an invoice make it, and do their balances follow from what settled them?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from invoices.accounting.broken import Broken
from invoices.invoicing import releasing
from invoices.models import Allocation, Instalment, Invoice, InvoiceEvent, PastSettlement
from invoices.payments import settling

_FIELDS = (
    "paid_minor",
    "credited_minor",
    "written_off_minor",
    "outstanding_minor",
    "settled_on",
    "paid_on",
)


def check(batch: Sequence[Invoice]) -> Iterator[Broken]:
    parts: dict[int, list[Instalment]] = defaultdict(list)
    for part in Instalment.objects.filter(invoice__in=batch).order_by("invoice", "position"):
        parts[part.invoice_id].append(part)
    if not parts:
        return
    steps, past = _steps(parts), _past(parts)
    moved = releasing.moves(
        InvoiceEvent.objects.filter(invoice__in=list(parts)).order_by("at", "pk")
    )
    for invoice in batch:
        mine = parts.get(invoice.pk)
        if not mine:
            continue
        makes = sum(part.amount_minor for part in mine)
        if makes != invoice.total_minor:
            yield Broken(
                str(invoice),
                _("its instalments come to %(found)s, the invoice to %(total)s.")
                % {"found": makes, "total": invoice.total_minor},
            )
        if steps.get((invoice.pk, None)):
            yield Broken(str(invoice), _("something settled it and none of its instalments."))
        due = settling.next_due(mine) or invoice.due_date
        if invoice.next_due != due:
            yield Broken(
                str(invoice),
                _("%(field)s is %(stored)s; its allocations make %(right)s.")
                % {"field": "next_due", "stored": invoice.next_due, "right": due},
            )
        for part in mine:
            right = moved.get(part.pk, part.said_due)
            if part.due_date != right:
                yield Broken(
                    f"{invoice} / {part.position}",
                    _("it is due on %(stored)s; its history says %(right)s.")
                    % {"stored": part.due_date, "right": right},
                )
            yield from _part(invoice, part, steps[invoice.pk, part.pk], past[part.pk])


def _part(
    invoice: Invoice,
    part: Instalment,
    steps: list[settling.Settled],
    past: set[settling.Past],
) -> Iterator[Broken]:
    name = f"{invoice} / {part.position}"
    assert invoice.issue_date is not None
    try:
        found = settling.settlement(part.amount_minor, invoice.issue_date, steps)
    except settling.BalanceRefused:
        yield Broken(name, _("more was settled than it comes to."))
        return
    for field in _FIELDS:
        stored, right = getattr(part, field), getattr(found, field)
        if stored != right:
            yield Broken(
                name,
                _("%(field)s is %(stored)s; its allocations make %(right)s.")
                % {"field": field, "stored": stored, "right": right},
            )
    delays = settling.delays(found.paid_on, invoice.issue_date, part.due_date)
    if (part.days_late, part.days_to_pay) != delays:
        yield Broken(name, _("its days of delay are not those of its payments."))
    if past != set(found.past):
        yield Broken(
            name, _("the times in which it was settled are not what its allocations make.")
        )


def _steps(
    parts: dict[int, list[Instalment]],
) -> dict[tuple[int, int | None], list[settling.Settled]]:
    found: dict[tuple[int, int | None], list[settling.Settled]] = defaultdict(list)
    rows = Allocation.objects.filter(invoice__in=list(parts)).order_by("pk")
    columns = ("invoice_id", "instalment_id", *settling.STEP_COLUMNS)
    for invoice, part, *step in rows.values_list(*columns):
        found[invoice, part].append(settling.Settled(*step))
    return found


def _past(parts: dict[int, list[Instalment]]) -> dict[int, set[settling.Past]]:
    found: dict[int, set[settling.Past]] = defaultdict(set)
    rows = PastSettlement.objects.filter(invoice__in=list(parts), instalment__isnull=False)
    for row in rows:
        assert row.instalment_id is not None
        found[row.instalment_id].add(settling.Past(row.settled_on, row.paid_on, row.reopened_on))
    return found
