"""What each fact of the portal comes to in a journal, line by line."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from moneyed import Money

from invoices.accounting.journal.entries import Worth
from invoices.accounting.journal.exporting import ExportRefused, making_of
from invoices.accounting.journal.making import Span
from invoices.invoicing import crediting, drafting, issuing
from invoices.models import ExchangeRate, Invoice, JournalSetup, LedgerAccount, VatBreakdown
from invoices.payments import applying, recording, refunding, reversing
from tests.factories import make_client, make_company, make_draft, make_invoice
from tests.invoices.accounting.bookkeeping import ALWAYS, balances, issued, journal

pytestmark = pytest.mark.django_db
SERVICES = [("1000.00", 20, "services")]
GOODS = [("1000.00", 20, "goods")]
ON, PAID = date(2026, 9, 1), date(2026, 9, 20)


@pytest.fixture(autouse=True)
def _company():
    make_company(vat_on_debits=True)


def lines(entry):
    """(account, debit, credit) of each line, in whole cents."""
    return [(p.account.number, p.debit, p.credit) for p in entry.postings]


def by_number(found=None):
    return {entry.number: entry for entry in (found if found is not None else journal()[0])}


def pay(invoice, amount, *, on=PAID, kept=0, charges=0):
    currency = invoice.currency
    return recording.record_payment(
        client_id=invoice.client_id,
        amount=Money(amount + kept - charges, currency),
        charges=Money(charges, currency),
        received_on=on,
        reference="VIR 1",
        method="transfer",
        by=None,
        allocations=[(invoice.pk, Money(amount, currency))] if amount else [],
    )


# ─ Sales ────────────────────────────────────────────────────────────────────────────────────────
def test_an_invoice_debits_its_client_and_credits_sales_and_vat():
    invoice = issued(make_client(name="Josso"), SERVICES, ON)
    (entry,) = journal()[0]
    assert (entry.number, entry.journal, entry.day) == (f"V{invoice.pk}", "sales", ON)
    assert entry.piece == invoice.number
    assert entry.text == f"Facture {invoice.number} – Josso"
    assert lines(entry) == [
        ("411000", 1_200_00, 0),
        ("706000", 0, 1_000_00),
        ("445711", 0, 200_00),
    ]
    assert entry.postings[0].auxiliary == (invoice.client.ledger_account, "Josso")
    assert entry.postings[0].due_on == invoice.due_date


def test_a_credit_note_goes_the_other_way_and_no_debit_is_negative():
    invoice = issued(make_client(), SERVICES, ON)
    note = crediting.issue_credit_note(
        invoice_id=invoice.pk, amount=Money(120, "EUR"), reason="Less", by=None, on=PAID
    )
    assert lines(by_number()[f"V{note.pk}"]) == [
        ("411000", 0, 120_00),
        ("706000", 100_00, 0),
        ("445711", 20_00, 0),
    ]


@pytest.mark.parametrize(
    ("place", "line", "account"),
    [
        ({"country": "DE", "vat_id": "DE129273398", "siren": ""}, SERVICES, "706200"),
        ({"country": "DE", "vat_id": "DE129273398", "siren": ""}, GOODS, "707200"),
        ({"country": "US", "vat_id": "", "siren": ""}, SERVICES, "706300"),
        ({"country": "US", "vat_id": "", "siren": ""}, GOODS, "707300"),
        ({"country": "FR", "postal_code": "97400"}, [("1000.00", 8.5, "services")], "706400"),
        ({"country": "FR"}, GOODS, "707000"),
    ],
)
def test_sales_go_to_the_account_of_their_territory_category_and_nature(place, line, account):
    client = make_client(**place)
    (price, rate, nature), vat = line[0], {"706200": "AE", "707200": "K", "706300": "O"}
    category = {**vat, "707300": "G"}.get(account, "S")
    rate = rate if category == "S" else 0
    draft = make_draft(client=client, on=ON)
    row = {
        "description": "Work",
        "quantity": Decimal(1),
        "unit_price": Decimal(price),
        "vat_rate": Decimal(str(rate)),
        "vat_category": category,
        "nature": nature,
    }
    header = {"title": "Work", "service_from": ON, "service_until": ON}
    assert not drafting.save_draft(invoice_id=draft.pk, header=header, lines=[row], by=None)
    issuing.issue(invoice_id=draft.pk, by=None, on=ON)
    sold = [number for number, _debit, _credit in lines(journal()[0][0]) if number[0] == "7"]
    assert sold == [account]
    # The client moves: the account stays that of the document.
    type(client).objects.filter(pk=client.pk).update(country="FR", postal_code="75002")
    assert sold == [p for p, _d, _c in lines(journal()[0][0]) if p[0] == "7"]


def test_the_narrowest_chosen_account_counts():
    invoice = issued(make_client(), [("10.00", 20, "services"), ("10.00", 10, "services")], ON)
    LedgerAccount.objects.create(role="sales", rate=10, number="706010", label="Ventes 10 %")
    LedgerAccount.objects.create(role="vat", rate=10, number="44571010", label="TVA 10 %")
    found = balances([by_number()[f"V{invoice.pk}"]])
    assert found["706010"] == found["706000"] == -10_00
    assert found["44571010"] == -1_00


def test_a_rate_without_an_account_is_said_and_its_invoice_left_out():
    whole = issued(make_client(), SERVICES, ON)
    client = make_client(country="FR", postal_code="97400")
    special = make_invoice(status="draft", client=client, issue_date=ON, due_date=ON,
                           total_minor=101_05, vat_minor=1_05, exchange_rate=1)  # fmt: skip
    VatBreakdown.objects.create(
        invoice=special, category="S", rate="1.05", basis_minor=100_00, vat_minor=1_05
    )
    Invoice.objects.filter(pk=special.pk).update(
        status="issued", imported=True, number="OLD-1", client_type=client.client_type, next_due=ON
    )
    found, making = journal()
    assert set(by_number(found)) == {f"V{whole.pk}"}
    assert making.problems.rates_without_account == {Decimal("1.05")}
    assert [fact.name for fact in making.problems.without_account.named] == ["OLD-1"]
    LedgerAccount.objects.create(role="vat", rate="1.05", number="445716", label="TVA 1,05 %")
    assert ("445716", 0, 1_05) in lines(by_number()[f"V{special.pk}"])


# ─ VAT that waits for its receipt ───────────────────────────────────────────────────────────────
def test_vat_on_services_waits_and_becomes_due_with_the_money():
    make_company(vat_on_debits=False)
    invoice = issued(make_client(), SERVICES, ON)
    pay(invoice, 600)
    found = by_number()
    assert ("445740", 0, 200_00) in lines(found[f"V{invoice.pk}"])
    (due,) = [entry for entry in found.values() if entry.journal == "other"]
    assert lines(due) == [("445740", 100_00, 0), ("445711", 0, 100_00)]
    assert due.day == PAID
    pay(invoice, 600, on=date(2026, 10, 1))
    assert balances(journal()[0])["445740"] == 0
    assert balances(journal()[0])["445711"] == -200_00


def test_vat_on_goods_does_not_wait():
    make_company(vat_on_debits=False)
    invoice = issued(make_client(), GOODS, ON)
    pay(invoice, 1200)
    assert "445740" not in balances(journal()[0])


def test_what_is_written_off_releases_the_vat_that_waited():
    make_company(vat_on_debits=False)
    invoice = issued(make_client(), SERVICES, ON)
    applying.write_off(invoice_id=invoice.pk, reason="Gone", by=None, on=PAID)
    (entry,) = [e for e in journal()[0] if e.journal == "other"]
    assert lines(entry) == [
        ("411000", 0, 1_200_00),
        ("445740", 200_00, 0),
        ("654000", 1_000_00, 0),
    ]


def test_a_small_write_off_is_a_difference_and_a_large_one_a_bad_debt():
    invoice = issued(make_client(), SERVICES, ON)
    for amount in ("5.00", "5.01"):
        applying.write_off(
            invoice_id=invoice.pk, amount=Money(amount, "EUR"), reason="x", by=None, on=PAID
        )
    found = balances(journal()[0])
    assert (found["658000"], found["654000"]) == (5_00, 5_01)


# ─ Money ────────────────────────────────────────────────────────────────────────────────────────
def test_a_receipt_shows_what_the_bank_kept_and_letters_what_it_settled():
    invoice = issued(make_client(), SERVICES, ON)
    payment = pay(invoice, 1200, kept=30, charges=10)
    entry = by_number()[f"P{payment.pk}"]
    assert (entry.journal, entry.piece) == ("bank", "VIR 1")
    assert lines(entry) == [
        ("512000", 1_220_00, 0),
        ("627000", 10_00, 0),
        ("411000", 0, 1_200_00),
        ("411000", 0, 30_00),
    ]
    assert [p.letter for p in entry.postings] == ["", "", f"F{invoice.pk}", ""]
    sold = by_number()[f"V{invoice.pk}"].postings[0]
    assert (sold.letter, sold.lettered_on) == (f"F{invoice.pk}", PAID)


def test_what_is_settled_after_the_period_bears_no_letter_in_it():
    invoice = issued(make_client(), SERVICES, ON)
    pay(invoice, 1200)
    (entry,) = journal(Span(ON, ON))[0]
    assert entry.postings[0].letter == ""
    assert lines(entry)[0] == ("411000", 1_200_00, 0)


def test_a_part_payment_letters_nothing():
    invoice = issued(make_client(), SERVICES, ON)
    pay(invoice, 100)
    assert not any(p.letter for entry in journal()[0] for p in entry.postings)


def test_a_reversal_mirrors_its_payment():
    invoice = issued(make_client(), SERVICES, ON)
    payment = pay(invoice, 1200)
    reversing.reverse_payment(payment_id=payment.pk, by=None, on=date(2026, 10, 2), reason="No")
    mirror = next(e for e in journal()[0] if e.text.startswith("Contre-passation"))
    assert lines(mirror) == [("512000", 0, 1_200_00), ("411000", 1_200_00, 0)]
    assert balances(journal()[0])["411000"] == 1_200_00


def test_cash_on_the_advances_account_moves_when_it_settles_an_invoice():
    JournalSetup.objects.create(pk=1, cash_on_advances=True)
    invoice = issued(make_client(), SERVICES, ON)
    payment = pay(invoice, 1200, kept=50)
    found = by_number()
    assert lines(found[f"P{payment.pk}"])[-1] == ("419100", 0, 1_250_00)
    (moved,) = [entry for entry in found.values() if entry.journal == "other"]
    assert lines(moved) == [("419100", 1_200_00, 0), ("411000", 0, 1_200_00)]
    assert balances(journal()[0])["419100"] == -50_00


def test_a_refund_leaves_the_bank():
    invoice = issued(make_client(), SERVICES, ON)
    pay(invoice, 0, kept=80)
    refund = refunding.refund_client(
        client_id=invoice.client_id,
        amount=Money(80, "EUR"),
        refunded_on=date(2026, 10, 1),
        reference="",
        method="transfer",
        reason="Twice",
        by=None,
        on=date(2026, 10, 1),
    )
    entry = by_number()[f"R{refund.pk}"]
    assert lines(entry) == [("411000", 80_00, 0), ("512000", 0, 80_00)]


# ─ Other currencies ─────────────────────────────────────────────────────────────────────────────
def dollars():
    for on, rate in ((ON, "0.90"), (PAID, "0.80")):
        ExchangeRate.objects.create(currency="USD", on=on, rate=rate, source="ECB")
    return issued(make_client(currency="USD"), SERVICES, ON)


def test_a_payment_at_another_rate_leaves_an_exchange_loss():
    invoice = dollars()
    payment = pay(invoice, 1200)
    found = by_number()
    sold = found[f"V{invoice.pk}"].postings[0]
    assert (sold.debit, sold.currency, sold.foreign_minor) == (1_080_00, "USD", 1_200_00)
    assert lines(found[f"P{payment.pk}"]) == [("512000", 960_00, 0), ("411000", 0, 960_00)]
    (loss,) = [entry for entry in found.values() if entry.journal == "other"]
    assert lines(loss) == [("411000", 0, 120_00), ("666000", 120_00, 0)]
    assert balances(found.values())["411000"] == 0


def test_taken_back_the_loss_is_taken_back_and_no_gain_is_made():
    invoice = dollars()
    payment = pay(invoice, 1200)
    reversing.reverse_payment(payment_id=payment.pk, by=None, on=date(2026, 10, 2), reason="No")
    found = balances(journal()[0])
    assert found["666000"] == 0
    assert "766000" not in found
    assert found["411000"] == 1_080_00


def test_without_a_rate_nothing_is_guessed():
    invoice = make_invoice(imported=False, currency="USD", issue_date=ON)
    found, making = journal()
    assert found == []
    assert [fact.name for fact in making.problems.without_rate.named] == [invoice.number]


def test_a_rate_of_long_ago_is_written_and_said():
    invoice = dollars()
    pay(invoice, 1200, on=date(2026, 11, 1))
    _found, making = journal()
    assert making.problems.old_rate.count == 1
    assert making.problems.left_out == 0


def test_an_amount_that_rounds_leaves_its_cent_on_the_account_for_it():
    ExchangeRate.objects.create(currency="USD", on=ON, rate="0.91234567", source="ECB")
    parts = [("33.33", 20, "services"), ("77.77", 20, "goods"), ("9.99", 10, "services")]
    issued(make_client(currency="USD"), parts, ON)
    (entry,) = journal()[0]
    rounding = balances([entry]).get("758000", 0) + balances([entry]).get("658000", 0)
    assert abs(rounding) == 1
    assert entry.debit == entry.credit


@pytest.mark.parametrize("minor", [0, 1, -1, 3, 12345, -12345, 10**12])
def test_a_worth_is_the_same_both_ways_and_rounds_half_away_from_zero(minor):
    worth = Worth("USD", Decimal("0.5"), "EUR")
    assert worth.of(-minor) == -worth.of(minor)
    assert worth.of(1) == 1
    assert Worth("JPY", Decimal("0.0061"), "EUR").of(1000) == 6_10
    assert Worth("TND", Decimal("0.3"), "EUR").of(1000) == 30


# ─ The older system, and the order of things ────────────────────────────────────────────────────
def test_what_an_older_system_booked_is_left_out_unless_it_is_wanted():
    old = make_invoice(issue_date=ON, total_minor=120_00, vat_minor=20_00, exchange_rate=1)
    assert journal(replace(ALWAYS, with_history=False))[0] == []
    payment = pay(old, 120)
    ours, _making = journal(replace(ALWAYS, with_history=False))
    assert [entry.number for entry in ours] == [f"P{payment.pk}"]
    found, making = journal()
    assert lines(by_number(found)[f"V{old.pk}"]) == [
        ("411000", 120_00, 0),
        ("706000", 0, 100_00),
        ("445710", 0, 20_00),
    ]
    assert making.problems.without_vat_rate.count == 1


def test_without_a_company_or_with_the_days_turned_round_it_is_refused():
    with pytest.raises(ExportRefused, match="before the first"):
        making_of(Span(PAID, ON))
    type(make_company()).objects.all().delete()
    with pytest.raises(ExportRefused, match="who the company is"):
        making_of(Span(ON, PAID))
