"""A corrected invoice: a draft in the place of an issued one, which its issue credits whole.

The old invoice stays as it is. When the new one is issued, all in one transaction, a credit note
takes back what is left of the old one, and money that had settled it settles the new one.
"""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.invoicing import deducting, drafting, releasing, replacing
from invoices.invoicing.crediting import issue_credit_note
from invoices.invoicing.deposits import as_draft_line
from invoices.invoicing.drafting import DraftRefused
from invoices.models import Allocation, Invoice, InvoiceEvent, Payment
from invoices.models.supplied import SUPPLIED
from invoices.payments.allocating import allocate, take_back
from invoices.payments.applying import check_period

_TAKEN_OVER = (
    "owner_id", "title", "language", "currency", "terms_kind", "terms_days", "terms_id",
    "service_from", "service_until", "purchase_order", "note", "deal_id", "purpose",
    "adjustments", "retention_percent", "retention_on", *SUPPLIED,
)  # fmt: skip


def draft_correction(*, invoice_id: int, move_payments: bool, by: User | None, on: date) -> Invoice:
    """A draft with all that the invoice says, to be changed and issued. Raises DraftRefused.

    There is one at a time: `existing_id` of the refusal is the one that stands already.
    """
    with transaction.atomic():
        old = (
            Invoice.objects.select_for_update(of=("self",))
            .select_related("client")
            .filter(pk=invoice_id)
            .first()
        )
        if old is None:
            raise DraftRefused(_("This invoice is no longer here."))
        standing = Invoice.objects.filter(replaces=old).exclude(status=Invoice.Status.VOID).first()
        if standing is not None:
            raise DraftRefused(
                _("%(old)s is being corrected already: %(new)s.")
                % {"old": old.number, "new": standing.number or _("a draft")},
                standing.pk,
            )
        if text := replacing.refusal(old):
            raise DraftRefused(text)
        rows = list(old.typed_lines)
        header = {name: getattr(old, name) for name in _TAKEN_OVER}
        if (part := releasing.held(old)) is not None:
            # The day that counts, if it was moved since.
            header["retention_on"] = part.due_date
        draft = drafting.draft(
            client=old.client,
            lines=[as_draft_line(row) for row in rows],
            totals=drafting.totals_of(old, rows),
            by=by,
            on=on,
            told={"replaces": old.number, "replaces_id": old.pk},
            replaces=old,
            moves_payments=move_payments,
            plan_step=_step(old),
            recipients=list(old.recipients),
            **header,
        )
        if old.is_final:
            # What the old one deducts; the deposits stay with it until this draft is issued.
            deducting.write(draft, [row.deposit for row in deducting.in_force(old)])
            drafting.recalculate(draft)
        return draft


def _step(old: Invoice) -> int:
    """A step of its deal of its own: the old one stands until the new one is issued."""
    if old.deal_id is None:
        return 0
    steps = Invoice.objects.filter(deal=old.deal_id)
    return (steps.aggregate(last=Max("plan_step"))["last"] or 0) + 1


def lock(invoice_id: int) -> None:
    """What the issue of a corrected draft changes besides it, in the order of all acts: payments,
    then invoices."""
    old = Invoice.objects.filter(pk=invoice_id).values_list("replaces", "moves_payments").first()
    if old is None or old[0] is None:
        return
    if old[1]:
        rows = Allocation.objects.filter(invoice=old[0], payment__isnull=False)
        payments = Payment.objects.filter(pk__in=rows.values("payment")).order_by("pk")
        list(payments.select_for_update().values_list("pk", flat=True))
    list(Invoice.objects.select_for_update().filter(pk=old[0]).values_list("pk", flat=True))


def settle(new: Invoice, *, by: User | None, on: date) -> None:
    """Credit the invoice that `new`, just issued, replaces; raises IssueRefused, PaymentRefused."""
    if new.replaces_id is None:
        return
    old = Invoice.objects.select_related("client").get(pk=new.replaces_id)
    moved = _taken_back(old, by=by, on=on) if new.moves_payments else []
    french = old.language == "fr"
    why = f"Annulée et remplacée par la facture {new.number}."
    issue_credit_note(
        invoice_id=old.pk,
        reason=why if french else f"Cancelled and replaced by invoice {new.number}.",
        code=Invoice.CreditReason.REPLACED,
        by=by,
        on=on,
    )
    sum_moved = _moved(moved, new, by=by)
    InvoiceEvent.objects.create(
        invoice=old,
        kind=InvoiceEvent.Kind.REPLACED,
        on=on,
        by=by,
        data={
            "number": new.number,
            "invoice_id": new.pk,
            "moved_minor": sum_moved,
            "currency": new.currency,
        },
    )


def _taken_back(old: Invoice, *, by: User | None, on: date) -> list[tuple[Payment, int]]:
    """The old invoice is open again by what payments had settled of it."""
    rows = Allocation.objects.filter(
        invoice=old, kind=Allocation.Kind.PAYMENT, amount_minor__gt=0, taken_back_by__isnull=True
    )
    found: dict[int, tuple[Payment, int]] = {}
    for row in rows.order_by("payment_id", "pk"):
        assert row.payment_id is not None
        payment, sum_ = found.get(row.payment_id) or (Payment.objects.get(pk=row.payment_id), 0)
        take_back(row, on=on, by=by, invoice=old, payment=payment)
        found[row.payment_id] = (payment, sum_ + row.amount_minor)
    if found:
        check_period(on)
    return list(found.values())


def _moved(payments: list[tuple[Payment, int]], new: Invoice, *, by: User | None) -> int:
    """Onto the new invoice as far as it is open; the rest stays unapplied cash of the client."""
    moved = 0
    for payment, minor in payments:
        part = min(minor, new.outstanding_minor)
        if part <= 0:
            continue
        allocate(
            invoice=new,
            amount_minor=part,
            applied_on=payment.received_on,
            by=by,
            payment=payment,
        )
        InvoiceEvent.objects.create(
            invoice=new,
            kind=InvoiceEvent.Kind.PAID,
            on=payment.received_on,
            by=by,
            data={
                "amount_minor": part,
                "currency": new.currency,
                "payment_id": payment.pk,
                "reference": payment.reference,
                "method": payment.method,
            },
        )
        moved += part
    return moved
