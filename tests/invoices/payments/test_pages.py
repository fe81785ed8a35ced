"""Payments in the browser: typed in, spread, applied later, taken back."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from moneyed import Money

from billing_portal.idempotency import new_key
from billing_portal.money import digits
from billing_portal.spreadsheets import read_table
from invoices.models import Payment
from invoices.payments.recording import record_payment
from invoices.payments.reversing import reverse_payment
from tests.clock import as_typed, days_ago
from tests.confirm import confirm
from tests.factories import make_client, make_invoice

pytestmark = pytest.mark.django_db
RECEIVED = days_ago(84)


@pytest.fixture
def client(db):
    return make_client(name="Garage Jaouen")


@pytest.fixture
def two(client):
    first = make_invoice(client=client, issue_date=date(2026, 5, 1), total_minor=100_00)
    second = make_invoice(client=client, issue_date=date(2026, 6, 1), total_minor=50_00)
    return first, second


def entry(client, **fields):
    return {
        "client": client.pk,
        "currency": "EUR",
        "amount": "120,00",
        "received_on": as_typed(RECEIVED),
        "reference": "VIR 4711",
        "method": "transfer",
        "once": new_key(),
        **fields,
    }


def record(browser, client, **fields):
    return browser.post(reverse("invoices:payment-new"), entry(client, **fields), follow=True)


def test_one_payment_over_two_invoices_leaves_the_rest_open(clerk_client, client, two):
    first, second = two
    answer = record(clerk_client, client, **{f"part-{first.pk}": "100", f"part-{second.pk}": "20"})
    assert "€120.00 from Garage Jaouen is recorded." in answer.content.decode()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, first.paid_on) == ("settled", RECEIVED)
    assert second.outstanding_minor == 30_00


def test_a_payment_for_an_invoice_that_somebody_settled_meanwhile_is_not_recorded(
    clerk_client, client, two
):
    first, _second = two
    parts = {f"part-{first.pk}": "100", "amount": "100"}
    record(clerk_client, client, **parts, once="mine")
    again = record(clerk_client, client, **parts, reference="the same, otherwise written")
    assert again.status_code == 422
    assert "somebody settled it meanwhile" in again.text
    assert Payment.objects.count() == 1
    # The second click of the first form is led to what the first click did.
    payment = Payment.objects.get()
    clicked = record(clerk_client, client, **parts, once="mine")
    assert clicked.redirect_chain[0][0] == reverse("invoices:payment", args=[payment.pk])


def test_what_no_invoice_takes_stays_unapplied_and_is_applied_later(clerk_client, client, two):
    first, second = two
    answer = record(clerk_client, client, **{f"part-{first.pk}": "100"})
    assert "€20.00 stay unapplied cash." in answer.content.decode()
    payment = Payment.objects.get()
    page = clerk_client.get(reverse("invoices:payment-allocate", args=[payment.pk]))
    assert 'value="20.00"' in page.content.decode()
    confirm(
        clerk_client,
        reverse("invoices:payment-allocate", args=[payment.pk]),
        {f"part-{second.pk}": "20"},
    )
    second.refresh_from_db()
    assert second.outstanding_minor == 30_00


def test_of_a_payment_that_is_spent_the_page_says_that_nothing_is_left(clerk_client, client, two):
    payment = record_payment(
        client_id=client.pk,
        amount=Money("100", "EUR"),
        received_on=RECEIVED,
        reference="",
        method="transfer",
        by=None,
        allocations=[(two[0].pk, Money("100", "EUR"))],
    )
    page = clerk_client.get(reverse("invoices:payment-allocate", args=[payment.pk])).text
    assert "Nothing of this payment is left to apply." in page
    assert "Apply the cash" not in page


def test_more_than_is_owed_is_refused_with_the_figure_and_nothing_is_kept(
    clerk_client, client, two
):
    first, _ = two
    answer = clerk_client.post(
        reverse("invoices:payment-new"), entry(client, **{f"part-{first.pk}": "100.01"})
    )
    assert answer.status_code == 422
    assert f"{first.number} has €100.00 outstanding." in answer.content.decode()
    assert "VIR 4711" in answer.content.decode()
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("amount", "abc", "is not a number"),
        ("amount", "-5", "above zero"),
        ("amount", "0.001", "At most 2 decimals"),
        ("amount", "99999999999999", "No amount here is that large"),
        ("received_on", "31/02/2026", "There is no day 31"),
        ("received_on", "01/01/1998", "out of range"),
        ("received_on", "01/01/2099", "in the future"),
        ("method", "shells", "Select a valid choice"),
    ],
)
def test_a_wrong_entry_is_refused_in_words(clerk_client, client, two, field, value, said):
    answer = clerk_client.post(reverse("invoices:payment-new"), entry(client, **{field: value}))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Payment.objects.exists()


def test_a_double_click_records_one_payment(clerk_client, client, two):
    first, _ = two
    for _click in range(2):
        record(clerk_client, client, once="k", **{f"part-{first.pk}": "50"})
    assert Payment.objects.count() == 1


def test_the_same_remittance_typed_twice_is_recognised(clerk_client, client, two):
    record(clerk_client, client)
    answer = record(clerk_client, client)
    assert "is already recorded for Garage Jaouen" in answer.content.decode().replace("\n", " ")
    assert Payment.objects.count() == 1


def test_oldest_first_proposes_and_records_nothing(clerk_client, client, two):
    first, second = two
    answer = clerk_client.post(reverse("invoices:payment-new"), entry(client, spread="1"))
    page = answer.content.decode()
    assert f'name="part-{first.pk}" value="100.00"' in page
    assert f'name="part-{second.pk}" value="20.00"' in page
    assert not Payment.objects.exists()


def test_from_an_invoice_the_form_is_filled_and_leads_back_to_it(clerk_client, client, two):
    first, _ = two
    page = clerk_client.get(reverse("invoices:payment-new"), {"invoice": first.pk})
    assert 'value="100.00"' in page.content.decode()
    answer = clerk_client.post(
        reverse("invoices:payment-new"),
        entry(client, invoice=first.pk, amount="100", **{f"part-{first.pk}": "100"}),
    )
    assert answer["Location"] == reverse("invoices:detail", args=[first.pk])


def test_the_only_client_of_that_name_is_taken_on_enter(clerk_client, client):
    url = reverse("invoices:client-choices")
    answer = clerk_client.get(url, {"q": "jaou"})
    assert answer["Location"] == f"{reverse('invoices:new')}?client={client.pk}"
    make_client(name="Jaouen et fils")
    answer = clerk_client.get(url, {"q": "jaou"})
    assert "Jaouen et fils" in answer.content.decode()


def test_a_reversal_reopens_the_invoice_and_both_rows_stay(clerk_client, client, two):
    first, _ = two
    record(clerk_client, client, **{f"part-{first.pk}": "100"})
    payment = Payment.objects.get()
    url = reverse("invoices:payment-reverse", args=[payment.pk])
    came_back = as_typed(RECEIVED + timedelta(days=3))
    assert confirm(clerk_client, url, {"on": as_typed(RECEIVED), "reason": ""}).status_code == 422
    answer = confirm(clerk_client, url, {"on": came_back, "reason": "Bounced"}, follow=True)
    assert "Bounced" in answer.content.decode()
    first.refresh_from_db()
    assert (first.status, first.outstanding_minor) == ("issued", 100_00)
    again = confirm(clerk_client, url, {"on": came_back, "reason": "Twice"})
    assert "was reversed already" in again.content.decode()
    assert Payment.objects.count() == 2


def test_a_reversed_payment_says_that_it_was_applied_and_is_no_longer(clerk_client, client, two):
    first, _ = two
    record(clerk_client, client, **{f"part-{first.pk}": "100"})
    payment = Payment.objects.get()
    page = reverse("invoices:payment", args=[payment.pk])
    before = clerk_client.get(page).text
    assert "What it settled" in before
    assert "<dt>Unapplied</dt>" in before
    url = reverse("invoices:payment-reverse", args=[payment.pk])
    came_back = RECEIVED + timedelta(days=3)
    confirm(clerk_client, url, {"on": as_typed(came_back), "reason": "Bounced"})
    after = clerk_client.get(page).text
    assert "What it had settled" in after
    assert "What it settled" not in after
    assert "Was applied, taken back on" in after
    assert "<dt>Unapplied</dt>" not in after


def test_unapplied_cash_of_a_reversed_payment_is_no_cash(clerk_client, client):
    record(clerk_client, client)
    payment = Payment.objects.get()
    url = reverse("invoices:payments")
    assert "VIR 4711" in clerk_client.get(url, {"unapplied": "on"}).content.decode()
    confirm(
        clerk_client,
        reverse("invoices:payment-reverse", args=[payment.pk]),
        {
            "once": new_key(),
            "on": timezone.localdate().strftime("%d/%m/%Y"),
            "reason": "Typing error",
        },
    )
    page = clerk_client.get(url, {"unapplied": "on"}).content.decode()
    assert "No payment fits this filter." in page


def test_the_list_adds_up_and_its_queries_do_not_grow(clerk_client, client, two):
    record(clerk_client, client)
    with CaptureQueriesContext(connection) as few:
        page = clerk_client.get(reverse("invoices:payments")).content.decode()
    assert "€120.00" in page
    for n in range(30):
        record(clerk_client, client, reference=f"VIR {n}", amount="1")
    with CaptureQueriesContext(connection) as many:
        page = clerk_client.get(reverse("invoices:payments")).content.decode()
    assert len(few) == len(many)
    assert "€150.00" in page


def test_managers_read_payments_and_record_none(manager_client, client):
    assert manager_client.get(reverse("invoices:payments")).status_code == 200
    assert manager_client.post(reverse("invoices:payment-new"), entry(client)).status_code == 403


def test_a_value_date_before_the_invoice_is_pointed_out(clerk_client, client):
    invoice = make_invoice(client=client, issue_date=timezone.localdate(), total_minor=120_00)
    early = (timezone.localdate() - timedelta(days=9)).strftime("%d/%m/%Y")
    answer = record(clerk_client, client, received_on=early, **{f"part-{invoice.pk}": "120"})
    assert "was issued: check the date" in answer.content.decode()


def test_the_payments_add_up_to_their_foot_in_every_filter_and_file(clerk_client, clerk):
    """Among them one over three invoices, one reversed, and some of other decimals."""
    today = timezone.localdate()
    client = make_client(name="Ateliers Morvan")
    invoices = [make_invoice(client=client, total_minor=100_00 + n) for n in range(3)]
    paid = record_payment(
        client_id=client.pk,
        amount=Money("350.50", "EUR"),
        received_on=today,
        reference="VIR 1",
        method="transfer",
        by=clerk,
        allocations=[(each.pk, each.total) for each in invoices],
    )
    for code, amount in (("JPY", "7000"), ("TND", "1.234"), ("EUR", "20.05")):
        last = record_payment(
            client_id=make_client(currency=code).pk,
            amount=Money(amount, code),
            received_on=today,
            reference=f"VIR {code}",
            method="card",
            by=clerk,
            allocations=[],
        )
    reverse_payment(payment_id=last.pk, reason="bounced", on=today, by=clerk)
    number = invoices[0].number[:4]
    for params in ({}, {"q": number}, {"q": "morvan"}, {"q": "VIR"}, {"currency": "TND"},
                   {"method": "card"}, {"unapplied": "on"}, {"client": client.pk}):  # fmt: skip
        totals = clerk_client.get(reverse("invoices:payments"), params).context["totals"]
        foot = {
            (name, t.currency): Decimal(t.sums[name]).scaleb(-digits(t.currency))
            for t in totals
            for name in ("amount_minor", "free_minor")
            if t.sums[name]
        }
        for kind in ("csv", "xlsx"):
            answer = clerk_client.get(reverse(f"invoices:payments-{kind}"), params)
            content = b"".join(answer.streaming_content)
            table = read_table("payments", content, ["currency", "amount", "unapplied"])
            found = Counter()
            for row in table.rows:
                for name, label in (("amount_minor", "amount"), ("free_minor", "unapplied")):
                    found[name, row.cells["currency"]] += Decimal(row.cells[label] or 0)
            assert {key: value for key, value in found.items() if value} == foot, (params, kind)
    once = clerk_client.get(reverse("invoices:payments"), {"q": number})
    assert [(t.count, t.sums["amount_minor"]) for t in once.context["totals"]] == [(1, 350_50)]
    assert once.context["rows"][0].pk == paid.pk


# ─ The amount leads ─────────────────────────────────────────────────────────────────────────────
def typed(clerk_client, client, **fields):
    given = {"client": client.pk, "currency": "EUR", "received_on": "2026-10-05"}
    return clerk_client.post(
        reverse("invoices:payment-new"),
        {**given, "method": "transfer", "key": "k-typed", **fields},
    )


def test_a_part_payment_from_the_invoices_page_works_at_first_try(clerk_client, client, two):
    first, _second = two
    page = clerk_client.get(reverse("invoices:payment-new"), {"invoice": first.pk}).text
    assert "autofocus" in page
    was = f'name="was-part-{first.pk}" value="'
    shown = page.split(was)[1].split('"')[0]
    # The amount is typed over; the part that the page proposed follows it, with or without script.
    record(
        clerk_client,
        client,
        invoice=str(first.pk),
        amount="40.00",
        **{f"part-{first.pk}": shown, f"was-part-{first.pk}": shown},
    )
    first.refresh_from_db()
    assert first.paid_minor == 40_00


def test_the_spread_follows_the_amount_and_leaves_what_was_typed(clerk_client, client, two):
    first, second = two
    answer = typed(clerk_client, client, amount="110", spread="1")
    rows = {row["invoice"]: row for row in answer.context["rows"]}
    assert answer.status_code == 200
    assert [rows[first]["field"].value(), rows[second]["field"].value()] == ["100.00", "10.00"]
    typed_part = {
        f"part-{first.pk}": "30",
        f"was-part-{first.pk}": "100.00",
        f"part-{second.pk}": "10.00",
        f"was-part-{second.pk}": "10.00",
    }
    answer = typed(clerk_client, client, amount="60", spread="1", **typed_part)
    rows = {row["invoice"]: row for row in answer.context["rows"]}
    assert [rows[first]["field"].value(), rows[second]["field"].value()] == ["30", "30.00"]
    assert rows[first]["by_hand"]
    answer = typed(clerk_client, client, amount="60", oldest="1", **typed_part)
    assert answer.context["rows"][0]["field"].value() == "60.00"
    assert answer.context["left_minor"] == 0


def test_numbers_in_the_label_come_first(clerk_client, client, two):
    _first, second = two
    answer = typed(
        clerk_client, client, amount="20", reference=f"VIR JAOUEN {second.number} MERCI", spread="1"
    )
    assert answer.context["rows"][0]["invoice"] == second
    assert answer.context["rows"][0]["in_label"]


def test_more_spread_than_received_says_so_and_is_refused(clerk_client, client, two):
    first, _second = two
    part = {f"part-{first.pk}": "90", f"was-part-{first.pk}": ""}
    answer = typed(clerk_client, client, amount="50", spread="1", **part)
    assert answer.context["left_minor"] == -40_00
    assert "Too much is spread" in answer.text
    assert record(clerk_client, client, amount="50", **part).status_code == 422


def test_the_same_money_again_is_asked_about(clerk_client, client, two):
    from invoices.models import Payment

    def again(key, **fields):
        return record(clerk_client, client, amount="50", reference="", key=key, **fields)

    again("k-1")
    assert Payment.objects.count() == 1
    question = again("k-2")
    assert question.status_code == 422
    assert "Is this the same money?" in question.text
    asked = question.context["asked"]
    again("k-3", asked=asked, same="same")
    assert Payment.objects.count() == 1
    again("k-4", asked=asked, same="other")
    assert Payment.objects.count() == 2
