"""Draft to issued: all of it or nothing; and the credit notes that answer a mistake."""

from __future__ import annotations

import hashlib
import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from moneyed import Money
from pypdf import PdfReader

from invoices.accounting import books
from invoices.deals.drafting import draft_from_deal
from invoices.documents import totals
from invoices.documents.from_gross import basis_from_gross
from invoices.documents.pdf import render as pdf
from invoices.invoicing import creditable as creditable_rules
from invoices.invoicing import crediting, drafting, freezing, issuing, readiness
from invoices.invoicing.creditable import CreditLine
from invoices.invoicing.freezing import IssueRefused
from invoices.models import (
    Allocation,
    Client,
    Company,
    Deal,
    Document,
    ExchangeRate,
    Invoice,
    InvoiceEvent,
    InvoiceLine,
    LatePenaltyRate,
    Message,
    NumberSeries,
)
from invoices.outbox.kinds import words_of
from invoices.payments import applying, recording
from tests import crash
from tests.factories import (
    make_client,
    make_company,
    make_deal,
    make_draft,
    make_invoice,
    make_issued,
    make_user,
)
from tests.race import at_once

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


def issue(invoice, on=ON, by=None, **more):
    return issuing.issue(invoice_id=invoice.pk, by=by, on=on, **more)


def fields(invoice, on=ON, **more):
    return {reason.field for reason in readiness.reasons_not_to_issue(invoice, on, **more)}


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def nothing_happened(invoice):
    row = fresh(invoice)
    assert (row.status, row.number, row.paper) == ("draft", "", None)
    assert not NumberSeries.objects.filter(next_value__gt=1).exists()
    assert not Document.objects.exists()
    assert not Message.objects.exists()


# ─ Issue ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.prints
def test_issuing_numbers_freezes_prints_and_chains(clerk):
    first = issue(make_draft(), by=clerk)
    second = issue(make_draft(), by=clerk)
    assert [first.number, second.number] == ["F-2026-0001", "F-2026-0002"]
    assert (first.issue_date, first.due_date) == (ON, date(2026, 12, 24))
    assert (first.status, first.outstanding_minor) == ("issued", 1200_00)
    assert second.previous_hash == first.content_hash
    assert first.paper["number"] == "F-2026-0001"
    document = first.documents.get(kind="pdf")
    assert document.filename == "Facture-F-2026-0001.pdf"
    assert hashlib.sha256(bytes(document.content)).hexdigest() == document.sha256
    text = PdfReader(io.BytesIO(bytes(document.content))).pages[0].extract_text()
    assert "F-2026-0001" in text
    event = first.events.get(kind=InvoiceEvent.Kind.ISSUED)
    assert (event.by, event.data["total_minor"]) == (clerk, 1200_00)
    assert books.verify() == []


def test_what_is_printed_ahead_is_what_is_kept(monkeypatch):
    printed = []
    render = pdf.render
    monkeypatch.setattr(pdf, "render", lambda *a, **k: printed.append(1) or render(*a, **k))
    issue(make_draft())
    assert len(printed) == 1


@pytest.mark.prints
def test_a_number_taken_meanwhile_is_printed_again(monkeypatch):
    other, mine = make_draft(), make_draft()
    ahead = freezing.print_ahead

    def overtaken(invoice_id, on):
        found = ahead(invoice_id, on)
        if invoice_id == mine.pk:
            issue(other)
        return found

    monkeypatch.setattr(issuing, "print_ahead", overtaken)
    issued = issue(mine)
    assert issued.number == "F-2026-0002"
    content = bytes(issued.documents.get(kind="pdf").content)
    assert "F-2026-0002" in PdfReader(io.BytesIO(content)).pages[0].extract_text()
    assert books.verify() == []


def test_an_issued_invoice_keeps_the_address_of_its_day():
    invoice = issue(make_draft())
    before = bytes(invoice.documents.get(kind="pdf").content)
    Client.objects.update(address_line1="Elsewhere", name="Other")
    Company.objects.update(name="Other")
    row = fresh(invoice)
    assert row.paper["buyer"]["address"][0] != "Elsewhere"
    assert bytes(row.documents.get(kind="pdf").content) == before
    assert books.verify() == []


def test_issuing_twice_says_by_whom_and_when(clerk):
    invoice = issue(make_draft(), by=clerk)
    with pytest.raises(IssueRefused, match="F-2026-0001 is issued already, by Maëlle Kervadec on"):
        issue(invoice)
    assert fresh(NumberSeries.objects.get()).next_value == 2


def test_sending_is_part_of_issuing():
    client = make_client(billing_email="accounts@client.example")
    invoice = issue(make_draft(client=client), send=True)
    message = invoice.messages.get()
    assert (message.state, message.to) == ("queued", ["accounts@client.example"])
    assert message.subject == "Facture F-2026-0001 – Kerlann Conseil"
    assert list(message.attachments.all()) == [invoice.documents.get(kind="pdf")]


def test_recipients_given_at_issue_are_kept():
    invoice = issue(make_draft(), send=True, recipients=[" a@b.example ", "", "c@d.example"])
    assert fresh(invoice).recipients == ["a@b.example", "c@d.example"]
    assert invoice.messages.get().to == ["a@b.example", "c@d.example"]


def test_a_bad_recipient_stops_everything():
    invoice = make_draft()
    with pytest.raises(IssueRefused, match="not an email address"):
        issue(invoice, send=True, recipients=["nobody"])
    nothing_happened(invoice)


def test_a_page_that_cannot_be_printed_stops_everything():
    invoice = make_draft()
    Company.objects.update(logo_png=b"not a picture")
    with pytest.raises(IssueRefused, match="logo"):
        issue(invoice)
    nothing_happened(invoice)


def test_the_page_has_every_sentence_that_the_law_asks_for():
    LatePenaltyRate.objects.create(
        starts_on=date(2026, 7, 1), percent=Decimal("12.15"), source="ECB 2.15 % + 10"
    )
    paper = issue(make_draft()).paper
    assert "12,15" in paper["late_penalty"]
    assert "BCE" in paper["late_penalty"]
    assert "40\u00a0€" in paper["recovery_indemnity"]
    assert "escompte" in paper["early_payment"]
    assert "24 décembre 2026" in paper["payment_terms"]


def test_vat_in_a_foreign_currency_is_stated_in_euros_too():
    ExchangeRate.objects.create(
        currency="USD", on=date(2026, 11, 20), rate=Decimal("0.85"), source="ECB"
    )
    invoice = issue(make_draft(currency="USD"))
    assert invoice.exchange_rate == Decimal("0.85")
    assert invoice.paper["vat_minor_in_eur"] == 170_00
    assert "currency" not in {w.field for w in readiness.warnings_before_issue(make_draft(), ON)}


# ─ Why not ──────────────────────────────────────────────────────────────────────────────────────


def test_a_complete_draft_has_no_reason_against_it():
    assert readiness.reasons_not_to_issue(make_draft(), ON) == []


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("name", "company.name"),
        ("address_line1", "company.address_line1"),
        ("siren", "company.siren"),
        ("vat_id", "company.vat_id"),
    ],
)
def test_the_company_must_be_complete(column, field):
    invoice = make_draft()
    Company.objects.update(**{column: ""})
    assert fields(invoice) == {field}
    with pytest.raises(IssueRefused):
        issue(invoice)
    nothing_happened(invoice)


def test_without_a_company_nothing_is_issued():
    invoice = make_draft()
    Company.objects.all().delete()
    assert fields(invoice) == {"company"}
    with pytest.raises(IssueRefused):
        issuing.printed_draft(issuing.preview_paper(invoice, ON))
    with pytest.raises(IssueRefused):
        issue(invoice)


@pytest.mark.parametrize(
    ("client", "draft", "field"),
    [
        ({"city": ""}, {}, "address"),
        ({"name": " "}, {}, "client"),
        ({"needs_purchase_order": True}, {}, "purchase_order"),
        ({}, {"lines": ()}, "lines"),
        ({}, {"lines": ((0, 100),)}, "total"),
        ({}, {"lines": ((-1, 100),)}, "total"),
        ({}, {"issue_date": ON + timedelta(days=1)}, "issue_date"),
        ({}, {"due_date": ON + timedelta(days=61)}, "due_date"),
        ({}, {"due_date": ON - timedelta(days=1)}, "due_date"),
        ({}, {"lines": ((1, 100, 0),)}, "vat"),
    ],
)
def test_each_reason_names_its_field(client, draft, field):
    invoice = make_draft(client=make_client(**client), **draft)
    assert fields(invoice) == ({field} if field else set())
    if field:
        with pytest.raises(IssueRefused) as refusal:
            issue(invoice)
        assert all(reason.anchor and reason.text for reason in refusal.value.reasons)
        nothing_happened(invoice)


def test_all_reasons_are_told_at_once():
    client = make_client(city="", needs_purchase_order=True)
    invoice = make_draft(client=client, due_date=date(2027, 1, 31))
    assert fields(invoice) == {"address", "purchase_order", "due_date"}


def test_the_legal_limit_is_told_with_its_day():
    invoice = make_draft(due_date=date(2027, 1, 31))
    (reason,) = readiness.reasons_not_to_issue(invoice, ON)
    assert reason.text == ("68 days after issue. The law allows 60: 23\xa0Jan 2027 at the latest.")
    assert reason.anchor == "#id_due_date"


def test_beyond_the_legal_limit_a_foreign_client_is_only_a_warning():
    client = make_client(country="US", vat_id="", siren="")
    invoice = make_draft(client=client, due_date=date(2027, 3, 31))
    invoice.lines.update(vat_category="O", vat_rate=0)
    assert fields(invoice) == set()
    assert "due_date" in {each.field for each in readiness.warnings_before_issue(invoice, ON)}


def test_45_days_end_of_month_is_lawful():
    invoice = make_draft(terms_kind="eom_after", terms_days=45)
    assert fields(invoice) == set()


def test_a_line_without_words_is_named():
    invoice = make_draft(lines=((1, 10), (1, 20)))
    InvoiceLine.objects.filter(invoice=invoice, position=2).update(description="  ")
    (reason,) = readiness.reasons_not_to_issue(invoice, ON)
    assert reason.text == "Line 2 has no description."
    assert reason.anchor == "#id_lines-1-description"


def test_reverse_charge_needs_the_clients_vat_id():
    invoice = make_draft(client=make_client(country="DE", vat_id="", siren=""))
    InvoiceLine.objects.filter(invoice=invoice).update(vat_category="AE", vat_rate=0)
    assert fields(invoice) == {"vat_id"}


def test_an_exempt_line_needs_the_article_of_law():
    invoice = make_draft()
    InvoiceLine.objects.filter(invoice=invoice).update(vat_category="E", vat_rate=0)
    assert fields(invoice) == {"note"}
    Invoice.objects.filter(pk=invoice.pk).update(note="Exonération, article 261-4-4° du CGI.")
    assert fields(fresh(invoice)) == set()


def test_sending_needs_somebody_to_send_to():
    invoice = make_draft(client=make_client(billing_email=""))
    assert fields(invoice) == set()
    assert fields(invoice, sending=True) == {"recipients"}
    with pytest.raises(IssueRefused, match="who receives"):
        issue(invoice, send=True)
    nothing_happened(invoice)


def test_dates_follow_the_numbers():
    issue(make_draft(issue_date=date(2026, 11, 20)))
    invoice = make_draft(issue_date=date(2026, 11, 19))
    assert fields(invoice) == {"issue_date"}
    assert issue(make_draft(issue_date=date(2026, 11, 20))).number == "F-2026-0002"


def test_issuing_what_is_gone_or_discarded_says_so():
    with pytest.raises(IssueRefused, match="no longer here"):
        issue(Invoice(pk=0))
    invoice = make_draft()
    drafting.void_draft(invoice_id=invoice.pk, by=None, on=ON)
    with pytest.raises(IssueRefused, match="discarded"):
        issue(invoice)


# ─ At once, and killed ──────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db(transaction=True)
def test_four_people_issuing_at_once_get_four_numbers_without_a_gap():
    drafts = [make_draft() for _ in range(4)]
    found = at_once(*[lambda draft=draft: issue(draft) for draft in drafts])
    assert all(isinstance(one, Invoice) for one in found), found
    assert sorted(one.number for one in found) == [f"F-2026-000{n}" for n in range(1, 5)]
    assert books.verify() == []


@pytest.mark.django_db(transaction=True)
def test_one_draft_issued_by_two_people_at_once_has_one_number():
    draft = make_draft()
    found = at_once(*[lambda: issue(draft, send=True)] * 3)
    assert sum(isinstance(one, Invoice) for one in found) == 1
    assert sum(isinstance(one, IssueRefused) for one in found) == 2, found
    assert NumberSeries.objects.get().next_value == 2
    assert Message.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_killed_at_any_statement_issuing_left_nothing_half_done():
    invoice = make_draft()
    ends = crash.run("issue", invoice.pk)
    assert len(ends) > 15
    for n, end, state in ends[:-1]:
        # Nothing; or, had the commit been reached, everything.
        assert end == "killed", (n, end)
        assert state == "draft//0/0/0/0", (n, state)
    assert ends[-1][1] == "done: F-2026-0001"
    assert ends[-1][2] == "issued/F-2026-0001/1/2/1/2"
    assert books.verify() == []


@pytest.mark.django_db(transaction=True)
def test_killed_while_the_page_is_laid_out_nothing_was_taken():
    invoice = make_draft()
    assert crash.run("issue_killed_in_layout", invoice.pk)[0][1] == "killed"
    nothing_happened(invoice)
    assert issue(invoice).number == "F-2026-0001"


# ─ Credit notes ─────────────────────────────────────────────────────────────────────────────────


def credit(invoice, lines=None, *, on=ON, reason="Wrong", **more):
    return crediting.issue_credit_note(
        invoice_id=invoice.pk, lines=lines, reason=reason, by=None, on=on, **more
    )


@pytest.mark.prints
def test_a_whole_credit_note_settles_the_invoice_and_mirrors_it(clerk):
    invoice = make_issued(lines=((2, "99.99"), (1, 50, "5.5")))
    note = credit(invoice)
    assert (note.number, note.total_minor) == ("A-2026-0001", invoice.total_minor)
    assert note.corrects == invoice
    assert note.status == "settled"
    row = fresh(invoice)
    assert (row.status, row.credited_minor, row.paid_on) == ("settled", row.total_minor, None)
    assert row.settled_on == ON
    assert note.paper["corrects_number"] == invoice.number
    assert note.paper["corrects_date"] == ON.isoformat()
    content = bytes(note.documents.get(kind="pdf").content)
    text = PdfReader(io.BytesIO(content)).pages[0].extract_text()
    assert "Avoir" in text and invoice.number in text
    assert invoice.events.filter(kind="credited").exists()
    assert books.verify() == []


def test_a_part_of_a_line_is_credited_and_the_rest_stays_owed():
    invoice = make_issued(lines=((1, 1000), (1, 500)))
    first = invoice.lines.first()
    note = credit(invoice, [CreditLine(first.pk, 250_00)])
    assert (note.net_minor, note.vat_minor) == (250_00, 50_00)
    assert fresh(invoice).outstanding_minor == 1500_00
    left = crediting.creditable(invoice)
    assert left.net_by_line[first.pk] == 750_00
    assert left.total_minor == 1500_00
    with pytest.raises(IssueRefused, match=r"€750.00 before VAT left"):
        credit(invoice, [CreditLine(first.pk, 750_01)])
    credit(invoice)
    assert fresh(invoice).outstanding_minor == 0
    with pytest.raises(IssueRefused, match="in full already"):
        credit(invoice)
    assert books.verify() == []


def test_credit_beyond_what_is_owed_is_the_clients_credit():
    invoice = make_issued()
    recording.record_payment(
        client_id=invoice.client_id,
        amount=Money("1000", "EUR"),
        received_on=ON,
        reference="",
        method="transfer",
        by=None,
        allocations=[(invoice.pk, Money("1000", "EUR"))],
    )
    note = credit(invoice)
    row = fresh(invoice)
    assert (row.paid_minor, row.credited_minor, row.outstanding_minor) == (1000_00, 200_00, 0)
    assert fresh(note).outstanding_minor == 1000_00
    assert fresh(note).status == "issued"
    other = make_issued(client=invoice.client)
    applying.apply_credit_note(
        credit_note_id=note.pk,
        invoice_id=other.pk,
        amount=Money("1000", "EUR"),
        by=None,
        on=ON,
    )
    assert fresh(note).status == "settled"
    assert books.verify() == []


def test_a_discount_line_is_credited_with_what_it_belongs_to():
    make_company()
    deal = make_deal(lines=((1, 1000),))
    deal.discounts.create(position=1, kind="amount", value=100)
    invoice = issue(draft_from_deal(deal_id=deal.pk, by=None, on=ON))
    service, discount = invoice.lines.all()
    with pytest.raises(IssueRefused, match="whose line is to be credited"):
        credit(invoice, [CreditLine(service.pk, 1000_00)])
    note = credit(invoice, [CreditLine(service.pk, 1000_00), CreditLine(discount.pk, -100_00)])
    assert note.total_minor == invoice.total_minor


def test_an_amount_is_credited_in_the_proportion_of_the_rates():
    invoice = make_issued(lines=((1, 100, 20), (1, 100, "5.5")))
    note = credit(invoice, amount=Money("100.00", "EUR"))
    assert note.total_minor == 100_00
    assert {row.rate for row in note.vat_breakdown.all()} == {Decimal(20), Decimal("5.5")}
    credit(invoice)
    assert fresh(invoice).outstanding_minor == 0
    assert books.verify() == []


def test_vat_of_an_amount_is_basis_times_rate_wherever_the_amount_allows_it():
    invoice = make_issued(lines=((1, "923.85", 20),))
    credit(invoice, amount=Money("17.39", "EUR"))
    note = credit(invoice, amount=Money("221.72", "EUR"))
    assert (note.net_minor, note.vat_minor) == (184_77, 36_95)
    rest = credit(invoice)
    notes = Invoice.objects.credit_notes()
    assert sum(each.vat_minor for each in notes) == invoice.vat_minor
    assert rest.outstanding_minor == 0
    assert books.verify() == []


@settings(max_examples=60, deadline=None)
@given(
    gross=st.integers(1, 200_000),
    rate=st.sampled_from(["20", "10", "5.5", "2.1"]),
    basis=st.integers(1, 200_000),
)
def test_a_part_with_vat_never_takes_more_than_is_left(gross, rate, basis):
    rate = Decimal(rate)
    vat = totals.vat_of(basis, rate)
    if gross > basis + vat or not vat:
        return
    net, tax = creditable_rules._parts(gross, rate, basis, vat)
    assert net + tax == gross
    assert 0 <= net <= basis and 0 <= tax <= vat
    if (
        gross < basis + vat
        and totals.vat_of(basis_from_gross(gross, rate), rate) + (basis_from_gross(gross, rate))
        == gross
    ):
        assert tax == totals.vat_of(net, rate)


def test_an_amount_over_several_rates_says_which_line_is_which():
    invoice = make_issued(lines=((1, 100, 20), (1, 100, "5.5")))
    note = credit(invoice, amount=Money("100.00", "EUR"))
    assert sorted(line.description for line in note.lines.all()) == [
        f"Avoir sur facture {invoice.number} (TVA 20 %)",
        f"Avoir sur facture {invoice.number} (TVA 5,5 %)",
    ]


def test_what_a_note_credits_is_said_by_its_lines():
    invoice = make_issued(lines=((1, 100), (1, 50)))
    first, second = invoice.lines.all()
    note = credit(invoice, [CreditLine(second.pk, 20_00)])
    assert list(note.lines.values_list("credits_id", "net_minor")) == [(second.pk, 20_00)]
    # The log may lose its figures: nothing is computed with them.
    assert "lines" not in note.events.get(kind="issued").data
    left = creditable_rules.creditable(invoice)
    assert left.net_by_line == {first.pk: 100_00, second.pk: 30_00}


def test_a_credit_note_in_pounds_takes_back_the_euros_that_its_invoice_said():
    client = make_client(currency="GBP", country="FR")
    make_company()
    ExchangeRate.objects.create(currency="GBP", on=ON, rate="1.1523", source="ECB")
    invoice = make_issued(client=client)
    assert invoice.paper["vat_minor_in_eur"] == 230_46
    later = ON + timedelta(days=2)
    ExchangeRate.objects.create(
        currency="GBP", on=ON + timedelta(days=1), rate="1.30", source="ECB"
    )
    note = crediting.issue_credit_note(invoice_id=invoice.pk, reason="Wrong", by=None, on=later)
    assert note.exchange_rate == fresh(invoice).exchange_rate
    assert note.paper["vat_minor_in_eur"] == invoice.paper["vat_minor_in_eur"]


def test_an_invoice_of_the_old_system_is_credited_by_amount():
    make_company()
    invoice = make_invoice(total_minor=120_00, vat_minor=20_00)
    note = credit(invoice, amount=Money("30", "EUR"))
    assert (note.net_minor, note.vat_minor, note.total_minor) == (25_00, 5_00, 30_00)
    assert note.lines.get().vat_rate == 20
    rest = credit(invoice)
    assert rest.total_minor == 90_00
    assert fresh(invoice).status == "settled"
    assert books.verify() == []


def test_an_untaxed_invoice_of_the_old_system_is_credited_too():
    make_company()
    note = credit(make_invoice(total_minor=120_00))
    assert (note.vat_minor, note.total_minor) == (0, 120_00)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"reason": " "}, "Say why"),
        ({"reason": "x" * 2001}, "2,000"),
        ({"on": date(2026, 11, 23)}, "before its invoice"),
        ({"amount": Money("0", "EUR")}, "above zero"),
        ({"amount": Money("1200.01", "EUR")}, "€1,200.00 left to credit"),
        ({"amount": Money("1", "USD")}, "is in EUR"),
        ({"lines": []}, "Nothing to credit"),
        ({"lines": [CreditLine(0, 100)]}, "not of this invoice"),
    ],
)
def test_a_credit_note_that_makes_no_sense_is_refused(more, words):
    invoice = make_issued()
    with pytest.raises(IssueRefused, match=words):
        credit(invoice, **more)
    assert not Invoice.objects.credit_notes().exists()
    assert not NumberSeries.objects.filter(kind="credit_note", next_value__gt=1).exists()
    assert not Allocation.objects.exists()


def test_drafts_and_credit_notes_are_not_credited():
    with pytest.raises(IssueRefused, match="simply changed"):
        credit(make_draft())
    with pytest.raises(IssueRefused, match="cannot be credited"):
        credit(credit(make_issued()))
    with pytest.raises(IssueRefused, match="no longer here"):
        credit(Invoice(pk=0))


def test_a_credit_note_is_mailed_like_an_invoice():
    note = credit(make_issued(), send=True)
    message = note.messages.get()
    assert message.subject == "Avoir A-2026-0001 – Kerlann Conseil"
    assert "relatif à la facture F-2026-0001" in words_of(message).text


@pytest.mark.django_db(transaction=True)
def test_two_credit_notes_at_once_never_exceed_the_invoice():
    invoice = make_issued(lines=((1, 1000),))
    line = invoice.lines.get()
    found = at_once(*[lambda: credit(invoice, [CreditLine(line.pk, 600_00)])] * 3)
    assert sum(isinstance(one, Invoice) for one in found) == 1
    assert sum(isinstance(one, IssueRefused) for one in found) == 2, found
    assert fresh(invoice).credited_minor == 720_00
    assert NumberSeries.objects.get(kind="credit_note").next_value == 2
    assert books.verify() == []


@pytest.mark.django_db(transaction=True)
def test_a_payment_and_a_credit_note_at_once_never_exceed_the_invoice():
    invoice = make_issued(lines=((1, 1000),))

    def pay():
        return recording.record_payment(
            client_id=invoice.client_id,
            amount=Money("1200", "EUR"),
            received_on=ON,
            reference="",
            method="transfer",
            by=None,
            allocations=[(invoice.pk, Money("1200", "EUR"))],
        )

    found = at_once(pay, lambda: credit(invoice))
    row = fresh(invoice)
    assert row.outstanding_minor == 0, found
    assert row.paid_minor + row.credited_minor == row.total_minor
    assert books.verify() == []


@pytest.mark.django_db(transaction=True)
def test_killed_at_any_statement_a_credit_note_is_whole_or_not_there():
    invoice, other = make_issued(), make_issued()
    ends = crash.run("credit", invoice.pk, other.pk)
    assert len(ends) > 15
    for _n, end, state in ends[:-1]:
        assert (end, state) == ("killed", "120000/120000/0/0/0")
    assert ends[-1][1:] == ("done: A-2026-0001", "0/120000/0/1/1")
    assert books.verify() == []


class TestParts(TestCase):
    @settings(max_examples=8, deadline=None)
    @given(
        st.lists(
            st.tuples(st.integers(1, 9_999), st.sampled_from(["20", "10", "5.5"])),
            min_size=1,
            max_size=3,
        ),
        st.lists(st.integers(1, 100), min_size=1, max_size=2),
    )
    def test_partial_credit_notes_make_exactly_the_invoice(self, lines, shares):
        invoice = make_issued(lines=[(1, str(Decimal(minor) / 100), rate) for minor, rate in lines])
        for share in shares:
            left = crediting.creditable(invoice).net_by_line
            wanted = [
                CreditLine(pk, net * share // 100) for pk, net in left.items() if net * share // 100
            ]
            try:
                credit(invoice, wanted)
            except IssueRefused:
                continue
        if crediting.creditable(invoice).total_minor:
            credit(invoice)
        row = fresh(invoice)
        notes = Invoice.objects.filter(corrects=invoice)
        assert (row.outstanding_minor, row.credited_minor) == (0, row.total_minor)
        assert sum(note.net_minor for note in notes) == row.net_minor
        assert sum(note.vat_minor for note in notes) == row.vat_minor
        assert books.verify() == []


def test_the_owner_of_the_deal_owns_the_invoice_and_its_credit_note():
    make_company()
    seller = make_user(role="sales")
    deal = make_deal(owner=seller)
    invoice = issue(draft_from_deal(deal_id=deal.pk, by=None, on=ON))
    assert not Deal.objects.to_bill().exists()
    assert (invoice.owner, credit(invoice).owner) == (seller, seller)


def test_a_deal_whose_invoice_was_credited_whole_can_be_billed_again():
    make_company()
    deal = make_deal()
    first = draft_from_deal(deal_id=deal.pk, by=None, on=ON)
    issue(first)
    with pytest.raises(drafting.DraftRefused, match="billed already"):
        draft_from_deal(deal_id=deal.pk, by=None, on=ON)
    crediting.issue_credit_note(invoice_id=first.pk, reason="Wrong rate", by=None, on=ON)
    assert deal in Deal.objects.to_bill()
    second = draft_from_deal(deal_id=deal.pk, by=None, on=ON)
    assert second.pk != first.pk
    assert deal not in Deal.objects.to_bill()
