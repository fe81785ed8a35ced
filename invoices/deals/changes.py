"""A deal that changes after its draft was made, or its invoice issued: somebody decides.

What counts is whether a new draft of the deal would be the same, not a list of fields. So the row
beside each invoice (DealBasis) holds that content as it was when the draft was made, and as it is.
While they differ a draft is not issued, and an issued invoice waits for a word or a credit note.
A deal that returns to what it was raises nothing; what was confirmed once is asked anew only when
the deal changes again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.confirming import Shown
from billing_portal.money import is_currency
from invoices.clients.vat import vat_treatment
from invoices.deals.instalments import dues_from
from invoices.deals.lacking import with_what_billing_needs
from invoices.deals.lines import drafted_for, drafted_lines
from invoices.documents.totals import TotalsRefused
from invoices.invoicing import deal_basis
from invoices.invoicing.draft_lines import DraftLine, plain
from invoices.invoicing.drafting import DraftRefused, save_draft, taken_from
from invoices.invoicing.line_input import LINE_FIELDS
from invoices.models import Client, Company, Deal, DealBasis, Invoice, InvoiceEvent, InvoiceLine
from invoices.tax.deciding import VatTreatment

LONGEST_WORD = 300
_HEAD = ("title", "purchase_order", "service_from", "service_until", "currency")
_LINE = (
    *("description", "unit", "quantity", "unit_price", "discount_percent", "discount_amount"),
    *("vat_category", "vat_rate"),
)

# Words around the amounts: on an issued document they stand as printed, and nobody is asked. What
# is owed, and by whom, can still be put right by a credit note.
_PRINTED = ("title", "purchase_order", "service_from", "service_until")


class ChangeRefused(Exception):
    """Nothing was confirmed or taken; the message is written for staff."""


# ─ What a new draft would be ────────────────────────────────────────────────────────────────────
def content_of(
    deal: Deal, company: Company | None, known: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The deal as a new draft would have it; reads what `with_what_billing_needs` prefetches.

    VAT is reckoned as for `known` while the client is the same: a rate of ours or a VAT id that
    was typed since is no change of the deal.
    """
    client = deal.billed_client
    client_id = client.account_id if client else None
    if known is not None and known["client"] == client_id:
        category, rate = known["vat"]
        treatment = VatTreatment(category, Decimal(rate))
    else:
        treatment = vat_treatment(client or Client(country="FR"), company)
    found: dict[str, Any] = {
        "status": deal.status,
        "unreadable": bool(deal.outdated),
        "hidden": deal.hidden_at is not None,
        "client": client_id,
        "currency": deal.currency,
        "title": deal.title,
        "purchase_order": deal.purchase_order,
        "service_from": deal.service_from.isoformat() if deal.service_from else None,
        "service_until": deal.service_until.isoformat() if deal.service_until else None,
        "sum_minor": None,
        "lineless": not any(line.enabled for line in deal.lines.all()),
        "vat": [treatment.category, plain(treatment.rate)],
        "lines": [],
    }
    if not is_currency(deal.currency):
        return found
    instalments = [
        [each.due_on.isoformat(), each.amount_minor, each.description]
        for each in deal.instalments.all()
    ]
    if instalments or (known is not None and "instalments" in known):
        # Not of all: what was kept before there were any says the same as before.
        found["instalments"] = instalments
    try:
        # By the deal alone: an item of the catalogue that is changed is no change of the deal.
        drafted = drafted_lines(deal, treatment)
    except TotalsRefused:
        return found
    return found | {
        "sum_minor": drafted.deal_sum_minor,
        "lines": [_plain_line(line) for line in drafted.lines],
    }


def _plain_line(line: DraftLine) -> list[str]:
    amounts = line.amounts
    return [
        line.description,
        line.unit,
        plain(amounts.quantity),
        plain(amounts.unit_price),
        plain(amounts.discount_percent),
        plain(amounts.discount_amount),
        amounts.vat_category,
        plain(amounts.vat_rate),
    ]


def print_of(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def begin(invoice: Invoice, deal: Deal, company: Company | None) -> DealBasis:
    """What this draft was just made from."""
    content = content_of(deal, company)
    print_ = print_of(content)
    return DealBasis.objects.create(
        invoice=invoice, known=content, known_print=print_, now=content, now_print=print_
    )


# ─ While deals change ───────────────────────────────────────────────────────────────────────────
@contextmanager
def changing(deal_ids: Collection[int], on: date) -> Iterator[None]:
    """Whatever changes deals does it in here, within its own transaction.

    Documents older than these rows have none yet: theirs begins with the deal before the change.
    """
    _remember(deal_ids)
    yield
    deals_changed(deal_ids, on)


def _remember(deal_ids: Collection[int]) -> None:
    bare = Invoice.objects.billing().filter(deal__in=deal_ids, deal_basis__isnull=True)
    found = list(bare.only("pk", "deal_id").order_by("pk"))
    if not found:
        return
    deals, company = _deals({each.deal_id for each in found if each.deal_id}), Company.ours()
    rows = []
    for invoice in found:
        content = content_of(deals[invoice.deal_id or 0], company)
        mark = print_of(content)
        rows.append(
            DealBasis(invoice=invoice, known=content, known_print=mark, now=content, now_print=mark)
        )
    DealBasis.objects.bulk_create(rows, batch_size=200)


def deals_changed(deal_ids: Collection[int], on: date) -> None:
    """Compare each document that bills one of these deals with what a new draft would be.

    In the transaction of the change, after its other writes. The invoices are locked: whoever
    issues one of them either sees this change under the same lock, or has issued it before, and
    then the change is kept beside the issued invoice. Clients are locked before invoices by
    everybody, so an import changes its clients first.
    """
    standing = Invoice.objects.billing().filter(deal__in=deal_ids, deal_basis__isnull=False)
    locked = standing.select_for_update(of=("self",)).only("pk", "deal_id", "status").order_by("pk")
    invoices = {invoice.pk: invoice for invoice in locked}
    if not invoices:
        return
    deals = _deals({each.deal_id for each in invoices.values() if each.deal_id})
    company, now = Company.ours(), timezone.now()
    changed: list[DealBasis] = []
    events: list[InvoiceEvent] = []
    for basis in DealBasis.objects.filter(invoice__in=invoices).order_by("pk"):
        invoice = invoices[basis.invoice_id]
        content = content_of(deals[invoice.deal_id or 0], company, _with_accounts(basis))
        if not invoice.is_draft:
            content = _as_printed(content, basis.known)
        mark = print_of(content)
        differs = mark != basis.known_print
        if mark == basis.now_print and differs == basis.differs:
            continue
        said = deal_basis.parts(basis.now, content)
        basis.now, basis.now_print = content, mark
        basis.changed_at = (basis.changed_at or now) if differs else None
        changed.append(basis)
        events.append(_event(basis, on, {"deal_changed": said}))
    DealBasis.objects.bulk_update(
        changed, ["known", "known_print", "now", "now_print", "changed_at"], batch_size=200
    )
    InvoiceEvent.objects.bulk_create(events)


def _as_printed(content: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """The deal with the words that the issued document bears; a deal without lines has its title
    as the words of its one line."""
    said = content | {name: known[name] for name in _PRINTED}
    # When it is due was agreed with its issue.
    said.pop("instalments", None)
    if "instalments" in known:
        said["instalments"] = known["instalments"]
    if content["lineless"] and known.get("lineless") and content["lines"] and known["lines"]:
        (_words, *amounts), printed = content["lines"][0], known["lines"][0][0]
        said["lines"] = [[printed, *amounts]]
    return said


def _with_accounts(basis: DealBasis) -> dict[str, Any]:
    """Two clients merged into one account are no other client."""
    for name in ("known", "now"):
        content = getattr(basis, name)
        merged = Client.objects.filter(pk=content["client"], merged_into__isnull=False).first()
        if merged is not None:
            content["client"] = merged.account_id
            setattr(basis, f"{name}_print", print_of(content))
    return dict(basis.known)


def _deals(pks: Collection[int]) -> dict[int, Deal]:
    rows = with_what_billing_needs(Deal.objects.filter(pk__in=pks))
    return {deal.pk: deal for deal in rows}


def _event(
    basis: DealBasis, on: date, data: dict[str, Any], by: User | None = None
) -> InvoiceEvent:
    return InvoiceEvent(
        invoice_id=basis.invoice_id, kind=InvoiceEvent.Kind.NOTE, on=on, by=by, data=data
    )


# ─ What a person decides ────────────────────────────────────────────────────────────────────────
def change_shown(invoice: Invoice) -> Shown:
    """What is decided on: this very state of the deal, for a document in this state."""
    basis = deal_basis.waiting_basis(invoice)
    prints = [basis.known_print, basis.now_print] if basis else []
    # A credit note of a part, made meanwhile, may be all that the change asked for.
    return Shown({"status": invoice.status, "credited": invoice.credited_minor, "prints": prints})


def confirm_change(*, invoice_id: int, by: User, on: date, word: str = "") -> Invoice:
    """The document stands although the deal changed; a later change is asked anew.

    An issued invoice wants a word about it. Raises ChangeRefused.
    """
    word = word.strip()
    with transaction.atomic():
        invoice, basis = _locked(invoice_id)
        if not invoice.is_draft and not word:
            raise ChangeRefused(_("Say why the invoice stands as it is."))
        if len(word) > LONGEST_WORD:
            raise ChangeRefused(_("At most %(limit)s characters.") % {"limit": LONGEST_WORD})
        said = deal_basis.parts(basis.known, basis.now)
        _agree(basis, by)
        _event(basis, on, {"deal_confirmed": said, "text": word}, by).save()
        return invoice


def take_over(*, invoice_id: int, by: User, on: date) -> Invoice:
    """The draft takes what changed in the deal; what else was typed stays. Raises ChangeRefused."""
    with transaction.atomic():
        invoice, basis = _locked(invoice_id)
        if not can_take_over(invoice, basis):
            raise ChangeRefused(_("There is nothing in the deal that this draft could take."))
        deal = _deals([invoice.deal_id or 0])[invoice.deal_id or 0]
        was, now = basis.known, basis.now
        header: dict[str, Any] = {
            name: getattr(deal, name) for name in _HEAD if was[name] != now[name]
        }
        client = invoice.client
        if was["client"] != now["client"] and deal.billed_client is not None:
            client = deal.billed_client
            header |= taken_from(client)
        try:
            drafted = drafted_for(deal, client, Company.ours())
            if _differ(was, now, "instalments"):
                header["dues_typed"] = dues_from(deal, drafted)[0]
            problems = save_draft(
                invoice_id=invoice_id,
                header=header,
                lines=[_given(line) for line in drafted.lines]
                if was["lines"] != now["lines"] or "client_id" in header
                else [_stored(line) for line in invoice.typed_lines],
                by=by,
            )
        except (TotalsRefused, DraftRefused) as refusal:
            raise ChangeRefused(str(refusal)) from None
        if problems:
            raise ChangeRefused(" ".join(problems.values()))
        said = deal_basis.parts(was, now)
        _agree(basis, by)
        _event(basis, on, {"deal_taken": said}, by).save()
        return invoice


def can_take_over(invoice: Invoice, basis: DealBasis) -> bool:
    """A draft of a won deal that can be read and billed, of which more changed than its state."""
    now, was = basis.now, basis.known
    if not invoice.is_draft or now["status"] != Deal.Status.WON or now["unreadable"]:
        return False
    if not now["client"] or now["sum_minor"] is None:
        return False
    return any(_differ(was, now, name) for name in (*_HEAD, "client", "lines", "instalments"))


def _differ(was: dict[str, Any], now: dict[str, Any], name: str) -> bool:
    return bool(was.get(name) != now.get(name))


def _locked(invoice_id: int) -> tuple[Invoice, DealBasis]:
    invoice = Invoice.objects.select_for_update().filter(pk=invoice_id).first()
    if invoice is None:
        raise ChangeRefused(_("This invoice is no longer here."))
    basis = deal_basis.waiting_basis(invoice)
    if basis is None:
        raise ChangeRefused(_("Nothing waits for a decision here: the deal is as it was agreed."))
    return invoice, basis


def _agree(basis: DealBasis, by: User) -> None:
    basis.known, basis.known_print, basis.changed_at = basis.now, basis.now_print, None
    basis.confirmed_by, basis.confirmed_at = by, timezone.now()
    basis.save()


def _given(line: DraftLine) -> dict[str, Any]:
    amounts = line.amounts
    return {
        "description": line.description,
        "unit": line.unit,
        "quantity": amounts.quantity,
        "unit_price": amounts.unit_price,
        "discount_percent": amounts.discount_percent,
        "discount_amount": amounts.discount_amount,
        "vat_category": amounts.vat_category,
        "vat_rate": amounts.vat_rate,
        "nature": line.nature,
        "exemption_id": line.exemption_id,
        "item_id": line.item_id,
    }


def _stored(line: InvoiceLine) -> dict[str, Any]:
    return {name: getattr(line, name) for name in LINE_FIELDS}
