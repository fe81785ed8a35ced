"""Deposits of a quote and the final invoice that deducts them: exact, once, and in the books."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from invoices.accounting import books
from invoices.documents.facturx.writing import cii
from invoices.documents.paper import Paper
from invoices.invoicing import drafting, issuing
from invoices.invoicing.crediting import issue_credit_note
from invoices.invoicing.deducting import left_of
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.readiness import reasons_not_to_issue
from invoices.models import DepositDeduction, Invoice, InvoiceEvent
from invoices.quotes import converting
from invoices.quotes.converting import bill_deposit, bill_rest
from invoices.quotes.refusals import QuoteRefused
from tests.factories import make_unprinted
from tests.invoices.accounting.bookkeeping import balances, journal
from tests.invoices.quotes.making import TODAY, accepted_quote, line
from tests.race import at_once

pytestmark = pytest.mark.django_db
DAY = {"by": None, "on": TODAY}


def deposit_of(quote, *, printed=False, **share):
    draft = bill_deposit(quote_id=quote.pk, **share, **DAY)
    if printed:
        return issuing.issue(invoice_id=draft.pk, by=None, on=TODAY)
    return make_unprinted(draft)


def vat_by_rate(*invoices):
    found = Counter()
    for invoice in invoices:
        for row in invoice.vat_breakdown.all():
            found[row.rate] += row.vat_minor
    return found


def test_a_deposit_and_its_final_invoice_through_the_judges():
    quote = accepted_quote(lines=[line("1000"), line("99.99", rate="5.5")])
    deposit = deposit_of(quote, percent=Decimal(30), printed=True)
    assert (deposit.purpose, deposit.kind) == ("deposit", "invoice")
    paper = Paper.from_json(deposit.paper)
    assert b"<ram:TypeCode>386</ram:TypeCode>" in cii(paper)
    draft = bill_rest(quote_id=quote.pk, **DAY)
    assert draft.is_final
    final = issuing.issue(invoice_id=draft.pk, by=None, on=TODAY)
    paper = Paper.from_json(final.paper)
    assert [each.number for each in paper.deposits] == [deposit.number]
    content = cii(paper).decode()
    assert "<ram:TypeCode>380</ram:TypeCode>" in content
    assert "S4" in content
    assert f"<ram:IssuerAssignedID>{deposit.number}</ram:IssuerAssignedID>" in content
    whole = quote.acceptance
    assert deposit.net_minor + final.net_minor == whole.net_minor
    assert deposit.vat_minor + final.vat_minor == whole.vat_minor
    assert final.total_minor == whole.total_minor - deposit.total_minor
    # Each names the other in its history.
    told = deposit.events.get(kind=InvoiceEvent.Kind.DEDUCTED).data
    assert (told["number"], told["amount_minor"]) == (final.number, deposit.total_minor)
    issued = final.events.get(kind=InvoiceEvent.Kind.ISSUED).data
    assert issued["deposits"] == [[deposit.number, deposit.pk, deposit.total_minor]]
    assert [str(broken) for broken in books.verify()] == []
    # Deducted by an issued invoice, the deposit is not credited alone.
    with pytest.raises(IssueRefused, match=f"Credit {final.number} whole first"):
        issue_credit_note(invoice_id=deposit.pk, reason="Wrong", **DAY)
    # Credited whole, the final invoice sets its deposit free: to be credited (503), or deducted.
    note = issue_credit_note(invoice_id=final.pk, reason="Wrong", **DAY)
    assert vat_by_rate(note) == vat_by_rate(final)
    again = bill_rest(quote_id=quote.pk, **DAY)
    assert again.total_minor == final.total_minor
    drafting.void_draft(invoice_id=again.pk, **DAY)
    back = issue_credit_note(invoice_id=deposit.pk, reason="Cancelled", **DAY)
    assert b"<ram:TypeCode>503</ram:TypeCode>" in cii(Paper.from_json(back.paper))
    assert [str(broken) for broken in books.verify()] == []
    found, _making = journal()
    assert balances(found).get("419100", 0) == 0
    assert balances(found).get("411000", 0) == 0
    # Nothing is deducted any more: the whole is billed.
    assert bill_rest(quote_id=quote.pk, **DAY).total_minor == whole.total_minor
