"""Deposits of a quote and the final invoice that deducts them: exact, once, and in the books."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from invoices.accounting import books, deposits
from invoices.documents import mentions
from invoices.documents.facturx.writing import cii
from invoices.documents.paper import Paper
from invoices.documents.totals import compute
from invoices.invoicing import deducting, drafting, issuing
from invoices.invoicing.correcting import draft_correction
from invoices.invoicing.crediting import issue_credit_note
from invoices.invoicing.deducting import left_of
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.readiness import reasons_not_to_issue
from invoices.models import DepositDeduction, Invoice, InvoiceEvent
from invoices.quotes import converting
from invoices.quotes.choices import input_of
from invoices.quotes.converting import bill_deposit, bill_rest
from invoices.quotes.refusals import QuoteRefused
from tests.factories import make_unprinted
from tests.invoices.accounting.bookkeeping import balances, journal
from tests.invoices.quotes.making import TODAY, accepted_quote, line, unprinted_acceptance
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


def test_a_final_invoice_is_corrected_in_one_act_and_deducts_its_deposit_again():
    quote = accepted_quote(lines=[line("1000")])
    deposit = deposit_of(quote, percent=Decimal(30), printed=True)
    old = issuing.issue(invoice_id=bill_rest(quote_id=quote.pk, **DAY).pk, by=None, on=TODAY)
    draft = draft_correction(invoice_id=old.pk, move_payments=True, **DAY)
    assert (draft.purpose, draft.total_minor) == ("final", old.total_minor)
    # Until then the deposit stays with the old one, and a draft that is given up leaves it there.
    drafting.void_draft(invoice_id=draft.pk, **DAY)
    assert deducting.deducted_by(deposit) == old
    draft = draft_correction(invoice_id=old.pk, move_payments=True, **DAY)
    lines = [{"description": "Audit", "unit_price": Decimal(800), "vat_rate": Decimal(20)}]
    assert drafting.save_draft(invoice_id=draft.pk, header={}, lines=lines, by=None) == {}
    new = issuing.issue(invoice_id=draft.pk, by=None, on=TODAY)
    assert new.total_minor == 960_00 - deposit.total_minor
    assert deducting.deducted_by(deposit) == new
    old.refresh_from_db()
    assert (old.status, old.credited_minor) == ("settled", old.total_minor)
    assert [each.number for each in Paper.from_json(new.paper).deposits] == [deposit.number]
    kinds = list(deposit.events.order_by("pk").values_list("kind", flat=True))
    assert kinds[-3:] == ["deducted", "released", "deducted"]
    assert [str(broken) for broken in books.verify()] == []
    found, _making = journal()
    assert balances(found).get("419100", 0) == 0
    assert balances(found)["411000"] == 960_00


def test_a_deposit_that_is_a_draft_is_not_deducted_yet():
    quote = accepted_quote()
    bill_deposit(quote_id=quote.pk, percent=Decimal(30), **DAY)
    with pytest.raises(QuoteRefused, match="still a draft"):
        bill_rest(quote_id=quote.pk, **DAY)


def test_only_what_credit_notes_left_of_a_deposit_is_deducted():
    quote = accepted_quote(lines=[line("1000")])
    deposit = deposit_of(quote, percent=Decimal(50), printed=True)
    draft = bill_rest(quote_id=quote.pk, **DAY)
    assert draft.total_minor == 600_00
    issue_credit_note(
        invoice_id=deposit.pk, reason="Less", lines=None, **DAY, amount=deposit.total / 2
    )
    # The draft was made before: it says so, and takes what is left when it is saved.
    (said,) = [r for r in reasons_not_to_issue(draft, TODAY) if r.field == "deposits"]
    assert deposit.number in said.text
    with pytest.raises(IssueRefused):
        issuing.issue(invoice_id=draft.pk, **DAY)
    lines = [{"description": "Work", "unit_price": Decimal(1000), "vat_rate": Decimal(20)}]
    assert drafting.save_draft(invoice_id=draft.pk, header={}, lines=lines, by=None) == {}
    draft.refresh_from_db()
    assert draft.total_minor == 1200_00 - 300_00
    assert not [r for r in reasons_not_to_issue(draft, TODAY) if r.field == "deposits"]
    # Accepted once, billed once: a credited part of the deposit is billed by the final invoice.
    stands = converting.standing(quote.acceptance, converting.alive(quote))
    assert stands.left_minor == 0


def test_deposits_beyond_what_is_left_are_refused_in_words():
    quote = accepted_quote(lines=[line("1000"), line("100")])
    deposit_of(quote, percent=Decimal(50))
    first = quote.acceptance.lines.get(unit_price=1000)
    with pytest.raises(converting.Exceeds) as asked:
        converting.bill_lines(quote_id=quote.pk, quantities={first.pk: Decimal(1)}, **DAY)
    converting.bill_lines(
        quote_id=quote.pk, quantities={first.pk: Decimal(1)}, agreed=asked.value.token, **DAY
    )
    with pytest.raises(QuoteRefused, match="credit a part of them first"):
        bill_rest(quote_id=quote.pk, **DAY)


def test_a_quote_that_was_paid_by_deposits_ends_with_an_invoice_of_nothing():
    quote = accepted_quote(lines=[line("1000")])
    deposit_of(quote, percent=Decimal(100), printed=True)
    final = issuing.issue(invoice_id=bill_rest(quote_id=quote.pk, **DAY).pk, **DAY)
    assert (final.total_minor, final.status, final.paid_on) == (0, "settled", None)
    assert [str(broken) for broken in books.verify()] == []
    # It is no invoice that was credited whole: the quote is billed.
    assert final in [each.invoice for each in converting.alive(quote)]


def test_the_database_deducts_only_deposits_that_were_issued_and_each_once():
    quote = accepted_quote()
    deposit = deposit_of(quote, percent=Decimal(30))
    draft = bill_rest(quote_id=quote.pk, **DAY)
    row = {"net_minor": 1, "vat_minor": 0}
    other = deposit_of(accepted_quote(), percent=Decimal(10))
    for fields in (
        {"invoice": other, "deposit": deposit},
        {"invoice": other, "deposit": draft},
        {"invoice": deposit, "deposit": deposit},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            DepositDeduction.objects.create(**fields, **row)
    final = make_unprinted(draft)
    mine = DepositDeduction.objects.filter(invoice=final)
    for act in (
        lambda: mine.update(net_minor=1),
        lambda: mine.delete(),
        lambda: Invoice.objects.filter(pk=final.pk).update(purpose="standard"),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            act()
    mine.update(released=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        mine.update(released=False)


def test_the_check_of_the_books_names_a_final_invoice_that_takes_off_something_else():
    quote = accepted_quote()
    deposit_of(quote, percent=Decimal(30))
    draft = bill_rest(quote_id=quote.pk, **DAY)
    DepositDeduction.objects.filter(invoice=draft).update(net_minor=1)
    final = make_unprinted(draft)
    (said,) = deposits.check()
    assert final.number in str(said)


def test_every_reason_of_a_credit_note_has_its_words_on_the_page():
    for code in ["", *Invoice.CreditReason.values]:
        for language in ("fr", "en"):
            assert mentions.credit_reason(language, code) or code in ("", "other")


@pytest.mark.django_db(transaction=True)
def test_two_who_make_the_final_invoice_at_once_make_one():
    quote = accepted_quote()
    deposit = deposit_of(quote, percent=Decimal(30))
    found = at_once(*[lambda: bill_rest(quote_id=quote.pk, **DAY)] * 3)
    assert sum(isinstance(each, Invoice) for each in found) == 1
    assert DepositDeduction.objects.get().deposit == deposit


@pytest.mark.django_db(transaction=True)
def test_crediting_a_deposit_while_it_is_deducted_leaves_it_deducted_or_credited():
    quote = accepted_quote()
    deposit = deposit_of(quote, percent=Decimal(30), printed=True)
    draft = bill_rest(quote_id=quote.pk, **DAY)
    at_once(
        lambda: issuing.issue(invoice_id=draft.pk, **DAY),
        lambda: issue_credit_note(invoice_id=deposit.pk, reason="Wrong", **DAY),
    )
    draft.refresh_from_db()
    credited = Invoice.objects.credit_notes().filter(corrects=deposit).exists()
    assert draft.is_issued != credited


PRICES = st.decimals(min_value="0.01", max_value="9999", places=2)
NATURES = st.sampled_from(["goods", "services"])


class Undo(Exception):
    pass


@given(
    lines=st.lists(
        st.tuples(PRICES, st.integers(1, 9), st.sampled_from([20, 10, Decimal("5.5")]), NATURES),
        min_size=1,
        max_size=4,
    ),
    shares=st.lists(
        st.one_of(st.tuples(st.just("percent"), st.integers(1, 33)),
                  st.tuples(st.just("amount_minor"), st.integers(1, 5000))),
        min_size=1, max_size=3,
    ),
)  # fmt: skip
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_deposits_and_final_invoice_make_the_whole_to_the_cent(db, lines, shares):
    try:
        with transaction.atomic():
            _bills_the_whole(lines, shares)
            raise Undo
    except Undo:
        pass


def _bills_the_whole(lines, shares):
    quote = unprinted_acceptance(
        lines=[line(price, quantity=n, rate=rate, nature=of) for price, n, rate, of in lines]
    )
    whole, made = quote.acceptance, []
    for kind, share in shares:
        try:
            made.append(deposit_of(quote, **{kind: Decimal(share) if kind == "percent" else share}))
        except QuoteRefused:
            # Of a few cents no share is left, or the amount is more than was accepted.
            continue
    wanted = Counter()
    inputs = [input_of(each, Decimal(each.quantity)) for each in whole.lines.all()]
    for group in compute(inputs, currency="EUR").breakdown:
        wanted[group.vat_rate] += group.vat_minor
    try:
        final = make_unprinted(bill_rest(quote_id=quote.pk, **DAY))
    except QuoteRefused:
        # VAT of many small deposits may round to more than is left: nothing was kept.
        assert sum(each.total_minor for each in made) > whole.total_minor
        return
    assert final.total_minor == whole.total_minor - sum(each.total_minor for each in made) >= 0
    assert vat_by_rate(*made, final) == wanted
    found, making = journal()
    assert making.problems.left_out == 0
    for entry in found:
        assert entry.debit == entry.credit
    sums = balances(found)
    # Every advance is gone, the sale is whole, and the client owes what was billed.
    assert sums.get("419100", 0) == 0
    assert -sum(v for k, v in sums.items() if k.startswith("70")) == whole.net_minor
    assert -sum(v for k, v in sums.items() if k.startswith("445")) == whole.vat_minor
    assert sums["411000"] == whole.total_minor
    assert sum(left.net_minor for each in made for left in left_of(each)) == sum(
        each.net_minor for each in made
    )
