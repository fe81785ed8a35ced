"""An issued invoice is corrected in one act: credited whole, and another in its place."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from billing_portal.money import from_minor
from invoices.accounting import books
from invoices.documents.facturx.writing import cii
from invoices.documents.paper import Paper
from invoices.invoicing import drafting, issuing
from invoices.invoicing.correcting import draft_correction
from invoices.invoicing.crediting import issue_credit_note
from invoices.invoicing.drafting import DraftRefused
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.readiness import reasons_not_to_issue
from invoices.models import Invoice, InvoiceEvent
from invoices.payments.recording import record_payment
from tests.confirm import confirm
from tests.factories import make_draft, make_issued, make_unprinted
from tests.invoices.accounting.bookkeeping import balances, journal
from tests.race import at_once

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)
DAY = {"by": None, "on": ON}


def pay(invoice, minor):
    amount = from_minor(minor, invoice.currency)
    return record_payment(
        client_id=invoice.client_id, amount=amount, received_on=ON, reference="", by=None,
        method="transfer", allocations=[(invoice.pk, amount)],
    )  # fmt: skip


def correct(old, price, *, move_payments=True):
    draft = draft_correction(invoice_id=old.pk, move_payments=move_payments, **DAY)
    lines = [{"description": "Audit", "unit_price": Decimal(price), "vat_rate": Decimal(20)}]
    assert drafting.save_draft(invoice_id=draft.pk, header={}, lines=lines, by=None) == {}
    return issuing.issue(invoice_id=draft.pk, **DAY)


def test_it_is_credited_replaced_and_its_payment_moved_in_one_act():
    old = make_issued(lines=[(1, "1000")])
    pay(old, 500_00)
    new = correct(old, "800")
    old.refresh_from_db()
    new.refresh_from_db()
    note = old.credit_notes.get()
    assert (old.status, old.credited_minor, old.paid_minor) == ("settled", 1200_00, 0)
    assert (note.credit_reason, note.outstanding_minor) == ("replaced", 0)
    assert (new.paid_minor, new.outstanding_minor) == (500_00, 460_00)
    # Each page and each history names the other.
    paper = Paper.from_json(new.paper)
    assert (paper.replaces_number, paper.replaces_date) == (old.number, old.issue_date)
    content = cii(paper).decode()
    assert "<ram:TypeCode>380</ram:TypeCode>" in content
    assert f"<ram:IssuerAssignedID>{old.number}</ram:IssuerAssignedID>" in content
    assert new.number in Paper.from_json(note.paper).notes
    told = old.events.get(kind=InvoiceEvent.Kind.REPLACED).data
    assert (told["number"], told["moved_minor"]) == (new.number, 500_00)
    assert [str(broken) for broken in books.verify()] == []
    found, _making = journal()
    assert balances(found)["411000"] == 460_00


def test_unasked_payments_stay_and_the_credit_is_the_clients():
    old = make_issued(lines=[(1, "1000")])
    pay(old, 1200_00)
    new = correct(old, "800", move_payments=False)
    old.refresh_from_db()
    assert (old.paid_minor, old.credit_notes.get().outstanding_minor) == (1200_00, 1200_00)
    assert new.outstanding_minor == 960_00


def test_what_cannot_be_corrected_is_said():
    old = make_issued(lines=[(1, "1000")])
    draft = draft_correction(invoice_id=old.pk, move_payments=True, **DAY)
    with pytest.raises(DraftRefused, match="being corrected already") as twice:
        draft_correction(invoice_id=old.pk, move_payments=True, **DAY)
    assert twice.value.existing_id == draft.pk
    with pytest.raises(IntegrityError), transaction.atomic():
        Invoice.objects.filter(pk=make_draft().pk).update(replaces=old)
    # Credited by somebody else meanwhile, there is nothing to take the place of.
    issue_credit_note(invoice_id=old.pk, reason="Wrong", **DAY)
    assert [r for r in reasons_not_to_issue(draft, ON) if r.field == "replaces"]
    with pytest.raises(IssueRefused, match="in full already"):
        issuing.issue(invoice_id=draft.pk, **DAY)
    with pytest.raises(DraftRefused, match="simply changed"):
        draft_correction(invoice_id=make_draft().pk, move_payments=True, **DAY)


@pytest.mark.django_db(transaction=True)
def test_two_who_correct_one_invoice_at_once_make_one_draft():
    old = make_unprinted(make_draft())
    found = at_once(*[lambda: draft_correction(invoice_id=old.pk, move_payments=True, **DAY)] * 3)
    assert sum(isinstance(each, Invoice) for each in found) == 1


def test_the_dialog_says_what_will_happen_and_leads_to_the_draft(clerk_client):
    old = make_issued(lines=[(1, "1000")])
    pay(old, 500_00)
    page = clerk_client.get(reverse("invoices:detail", args=[old.pk])).text
    url = reverse("invoices:correct", args=[old.pk])
    assert url in page
    dialog = clerk_client.get(url).text
    assert "credited with €1,200.00" in dialog and "€500.00 were paid" in dialog
    answer = confirm(clerk_client, url, {"move_payments": "on"})
    draft = Invoice.objects.get(replaces=old)
    assert answer["Location"] == reverse("invoices:edit", args=[draft.pk])
    assert draft.moves_payments
    assert f"Credits {old.number} whole" in clerk_client.get(answer["Location"]).text
    assert old.number in clerk_client.get(reverse("invoices:issue", args=[draft.pk])).text
    # Who asks again is led to the draft that stands.
    assert f"/invoices/{draft.pk}/" in clerk_client.get(url).text
