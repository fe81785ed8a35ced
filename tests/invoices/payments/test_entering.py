"""The page of a new payment: who pays, what recording will do, the next one, and undoing it."""

from __future__ import annotations

from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone
from moneyed import Money

from billing_portal.idempotency import new_key
from invoices.accounting.books import verify
from invoices.company.closing import close_books
from invoices.models import Client, InvoiceEvent, Payment
from invoices.payments.entry import part_name, read_entry
from invoices.payments.recording import allocate_unapplied, record_payment
from tests.clock import as_typed, days_ago
from tests.confirm import token_on
from tests.factories import make_client, make_company, make_invoice, make_issued

pytestmark = pytest.mark.django_db
NEW = "/payments/new/"
RECEIVED = days_ago(84)


@pytest.fixture
def client(db):
    return make_client(name="Verreries de l’Étang", siren="812076391")


@pytest.fixture
def two(client):
    first = make_invoice(client=client, issue_date=date(2026, 5, 1), total_minor=100_00)
    second = make_invoice(client=client, issue_date=date(2026, 6, 1), total_minor=50_00)
    return first, second


def entry(client=None, **fields):
    given = {
        "client": client.pk if client else "",
        "was-client": client.pk if client else "",
        "amount": "120",
        "received_on": as_typed(RECEIVED),
        "reference": "VIR 4711",
        "method": "transfer",
        "once": new_key(),
    }
    return {**given, **fields}


def post(browser, client=None, **fields):
    return browser.post(NEW, entry(client, **fields))


def found(browser, text):
    answer = browser.get(reverse("invoices:payment-payers"), {"payer": text})
    return [row.client.name for row in answer.context["payers"]]


# ─ Who pays ─────────────────────────────────────────────────────────────────────────────────────
def test_the_page_begins_without_a_client_and_shows_what_was_recorded_today(clerk_client, clerk):
    other = make_client(name="Lycée Hélène-Brion")
    record_payment(
        client_id=other.pk,
        amount=Money(5, "EUR"),
        received_on=RECEIVED,
        reference="",
        method="transfer",
        by=clerk,
        allocations=[],
    )
    page = clerk_client.get(NEW)
    assert page.status_code == 200
    assert "Lycée Hélène-Brion" in page.text
    assert "Nothing is spread yet." in page.text


@pytest.mark.parametrize("text", ["verreries", "VERRERIES DE L'ETANG", "etang", "812 076 391"])
def test_a_payer_is_found_as_people_write_it(clerk_client, client, text):
    make_client(name="Somebody else")
    assert found(clerk_client, text) == ["Verreries de l’Étang"]


def test_a_payer_is_found_by_number_former_name_and_earlier_label(clerk_client, clerk, client, two):
    former = make_client(name="Cristallerie Morel")
    Client.objects.filter(pk=former.pk).update(merged_into=client)
    record_payment(
        client_id=client.pk,
        amount=Money(5, "EUR"),
        received_on=RECEIVED,
        reference="HOLDING KERMARREC 77",
        method="transfer",
        by=clerk,
        allocations=[],
    )
    number = two[0].number
    for text in (number, number[-4:], number.replace("-", " ").lower(), "morel", "kermarrec"):
        assert found(clerk_client, text) == ["Verreries de l’Étang"], text
    answer = clerk_client.get(reverse("invoices:payment-payers"), {"payer": number[-4:]})
    assert f"<mark>{number[-4:]}</mark>" in answer.text
    assert "€150.00" in answer.text


def test_who_owes_stands_before_who_does_not_and_nothing_typed_gives_the_latest(
    clerk_client, clerk, client, two
):
    idle = make_client(name="Verreries Ambroise")
    assert found(clerk_client, "verreries") == ["Verreries de l’Étang", "Verreries Ambroise"]
    assert found(clerk_client, "") == []
    post(clerk_client, idle, amount="3")
    assert found(clerk_client, "") == ["Verreries Ambroise"]
    assert found(clerk_client, "v") == []


def test_managers_find_no_payers(manager_client):
    assert manager_client.get(reverse("invoices:payment-payers")).status_code == 403


def test_without_script_the_name_in_the_field_is_looked_up_and_its_invoices_are_shown_first(
    clerk_client, client, two
):
    answer = post(clerk_client, payer="verreries de l'etang")
    assert answer.status_code == 422
    assert "Nothing is recorded yet" in answer.text
    assert [row["invoice"] for row in answer.context["rows"]] == list(two)
    assert not Payment.objects.exists()


def test_of_several_names_one_is_chosen_and_none_is_guessed(clerk_client, client):
    other = make_client(name="Verreries Ambroise")
    answer = post(clerk_client, payer="verreries")
    assert answer.status_code == 422
    assert "Several clients bear this name" in answer.text
    chosen = post(clerk_client, payer="verreries", take=other.pk)
    assert chosen.status_code == 200
    assert chosen.context["client"] == other
    assert "No client bears this name" in post(clerk_client, payer="nobody at all").text
    assert "Say from whom it is" in post(clerk_client).text
    assert not Payment.objects.exists()


def test_another_name_typed_over_the_chosen_client_does_not_record_for_the_chosen_one(
    clerk_client, client, two
):
    other = make_client(name="Optique Mallet")
    answer = post(clerk_client, client, payer="Optique Mallet", **{f"part-{two[0].pk}": "100"})
    assert answer.status_code == 422
    assert answer.context["client"] == other
    assert not Payment.objects.exists()


def test_a_number_in_the_label_finds_the_client_and_two_accounts_find_none(
    clerk_client, client, two
):
    first, _second = two
    letters, last = first.number.split("-")[0], first.number.split("-")[-1]
    for label in (f"VIR {first.number} MERCI", f"VIREMENT {letters}{last}+ACOMPTE"):
        answer = post(clerk_client, reference=label, spread="1")
        assert answer.context["client"] == client, label
        assert answer.context["rows"][0]["in_label"]
    stranger = make_invoice(client=make_client(), total_minor=10_00)
    both = post(clerk_client, reference=f"{first.number} {stranger.number}", spread="1")
    assert both.context["client"] is None


def test_the_currency_is_the_clients_and_another_one_that_it_owes_in_is_a_choice(clerk_client):
    abroad = make_client(name="Northgate", currency="USD")
    make_invoice(client=abroad, currency="USD", total_minor=70_00)
    answer = post(clerk_client, abroad, spread="1", currency="EUR", **{"was-client": ""})
    assert answer.context["currency"] == "USD"
    make_invoice(client=abroad, currency="EUR", total_minor=30_00)
    answer = post(clerk_client, abroad, spread="1", currency="EUR", amount="20")
    assert answer.context["currency"] == "EUR"
    assert [row["invoice"].currency for row in answer.context["rows"]] == ["EUR"]


def test_a_currency_that_was_just_chosen_is_looked_at_before_it_settles(clerk_client):
    abroad = make_client(name="Northgate", currency="USD")
    dollars = make_invoice(client=abroad, currency="USD", total_minor=70_00)
    make_invoice(client=abroad, currency="EUR", total_minor=30_00)
    parts = {f"part-{dollars.pk}": "70"}
    given = {"amount": "30", "currency": "EUR", "was-currency": "USD"}
    answer = post(clerk_client, abroad, **given, **parts)
    assert answer.status_code == 422
    assert "Nothing is recorded yet" in answer.text
    assert answer.context["rows"][0]["field"].value() == "30.00"
    assert not Payment.objects.exists()


# ─ What recording does ──────────────────────────────────────────────────────────────────────────
def told(answer):
    return [(effect.text, effect.detail) for effect in answer.context["effects"]]


def test_what_recording_does_is_told_of_the_parts_that_it_will_record(clerk_client, client, two):
    first, second = two
    late = (RECEIVED - first.due_date).days
    answer = post(clerk_client, client, amount="110", spread="1")
    (settled, overdue), (in_part, left) = told(answer)
    assert settled == f"1 invoice is settled, {late} days late"
    assert overdue == "Overdue of this client: €150.00 → €40.00"
    assert (in_part, left) == (f"{second} is paid in part", "€40.00 stay open")
    answer = post(clerk_client, client, amount="170", spread="1")
    assert told(answer)[1][0] == "€20.00 are kept as unapplied cash"
    assert told(post(clerk_client, client, amount="", spread="1")) == []


def test_a_day_before_the_invoice_is_told_before_it_is_recorded(clerk_client, client):
    invoice = make_invoice(client=client, issue_date=timezone.localdate(), total_minor=120_00)
    answer = post(clerk_client, client, spread="1")
    assert f"The day is before {invoice} was issued" in answer.text


def test_the_same_money_is_asked_about_while_it_is_typed_and_the_answer_stays(clerk_client, client):
    post(clerk_client, client, reference="")
    question = post(clerk_client, client, reference="", spread="1")
    assert "Is this the same money?" in question.text
    asked = question.context["asked"]
    again = post(clerk_client, client, reference="", spread="1", asked=asked, same="other")
    assert again.context["same"] == "other"
    # Of other money nothing was said.
    other = post(clerk_client, client, reference="", spread="1", asked="0", same="other")
    assert other.context["same"] == ""


def test_two_readings_of_the_amount_are_asked_about_while_it_is_typed(clerk_client, client):
    answer = post(clerk_client, client, amount="1500,000", spread="1")
    assert "Is that" in answer.context["amount_question"]
    assert post(clerk_client, client, amount="15x", spread="1").context["amount_question"] == ""


def test_what_is_left_goes_onto_the_row_that_asks_for_it(clerk_client, client, two):
    first, second = two
    parts = {
        f"part-{first.pk}": "30",
        f"part-{second.pk}": "0",
        f"hand-part-{second.pk}": "1",
        f"was-part-{first.pk}": "100.00",
    }
    answer = post(clerk_client, client, amount="50", rest=second.pk, **parts)
    rows = {row["invoice"]: row["field"].value() for row in answer.context["rows"]}
    assert rows == {first: "30", second: "20.00"}
    # More spread than there is: the row gives back what is too much.
    answer = post(clerk_client, client, amount="10", rest=first.pk, **parts)
    assert answer.context["rows"][0]["field"].value() == "10.00"
    assert not Payment.objects.exists()


# ─ The next one ─────────────────────────────────────────────────────────────────────────────────
def test_the_next_one_begins_with_day_and_method_of_the_last(clerk_client, client):
    answer = post(clerk_client, client, then="next", method="cheque")
    page = clerk_client.get(answer["Location"])
    assert f'value="{as_typed(RECEIVED)}"' in page.text
    assert "Received by Cheque" in page.text
    assert page.context["client"] is None
    assert "is recorded." in page.text
    assert page.context["today"][1] == 1


# ─ Undo ─────────────────────────────────────────────────────────────────────────────────────────
def undo(browser, page, payment, **fields):
    data = {"once": new_key(), "confirmed": token_on(page), **fields}
    return browser.post(reverse("invoices:payment-undo", args=[payment.pk]), data)


def recorded(browser, client, first):
    answer = post(browser, client, **{f"part-{first.pk}": "100"})
    return Payment.objects.get(), browser.get(answer["Location"])


def test_undo_takes_the_payment_back_on_its_own_day_and_fills_the_form_again(
    clerk_client, client, two
):
    first, _second = two
    payment, page = recorded(clerk_client, client, first)
    answer = undo(clerk_client, page, payment)
    first.refresh_from_db()
    assert (first.status, first.outstanding_minor) == ("issued", 100_00)
    mirror = Payment.objects.get(reverses=payment)
    assert (mirror.received_on, mirror.note) == (RECEIVED, "")
    # It never stood at the end of any day.
    assert not first.past_settlements.exists()
    form = clerk_client.get(answer["Location"])
    assert 'value="120.00"' in form.text
    assert "VIR 4711" in form.text
    assert form.context["rows"][0]["by_hand"]
    assert "it counts on no day" in clerk_client.get(page.request["PATH_INFO"]).text
    event = InvoiceEvent.objects.get(kind=InvoiceEvent.Kind.REVERSED)
    assert event.data["undone"]
    assert verify() == []


def test_what_was_undone_is_recorded_again_with_the_same_label_and_undone_again(
    clerk_client, client, two
):
    first, _second = two
    payment, page = recorded(clerk_client, client, first)
    undo(clerk_client, page, payment)
    answer = post(clerk_client, client, **{f"part-{first.pk}": "40"})
    assert answer.status_code == 302
    second = Payment.objects.get(reverses=None, reversed_by=None)
    assert second.occurrence == 2
    undo(clerk_client, clerk_client.get(answer["Location"]), second)
    first.refresh_from_db()
    assert first.outstanding_minor == 100_00
    # Standing once, it is still recognised when it is typed twice.
    assert post(clerk_client, client).status_code == 302
    assert "is already recorded" in post(clerk_client, client).text
    assert verify() == []


def test_a_second_press_of_undo_hears_that_it_is_done(clerk_client, client, two):
    payment, page = recorded(clerk_client, client, two[0])
    undo(clerk_client, page, payment, once="u")
    again = undo(clerk_client, page, payment, once="u")
    assert "nothing was done twice" in clerk_client.get(again["Location"]).text
    assert Payment.objects.filter(reverses=payment).count() == 1


def test_an_old_toast_takes_back_nothing_that_changed_since(clerk_client, clerk, client, two):
    first, second = two
    payment, page = recorded(clerk_client, client, first)
    allocate_unapplied(
        payment_id=payment.pk,
        allocations=[(second.pk, Money(20, "EUR"))],
        by=clerk,
        on=timezone.localdate(),
    )
    answer = undo(clerk_client, page, payment)
    assert answer.status_code == 422
    assert "Nothing was done." in answer.text
    assert not Payment.objects.filter(reverses=payment).exists()
    assert undo(clerk_client, page, payment, confirmed="").status_code == 422


def test_undo_in_books_closed_meanwhile_says_so(clerk_client, client, two):
    make_company()
    payment, page = recorded(clerk_client, client, two[0])
    close_books(until=RECEIVED, seen=None, reason="", by=None, on=timezone.localdate())
    answer = undo(clerk_client, page, payment)
    assert "The books are closed until" in clerk_client.get(answer["Location"]).text
    assert not Payment.objects.filter(reverses=payment).exists()


def test_managers_undo_nothing(manager_client, clerk_client, client, two):
    payment, page = recorded(clerk_client, client, two[0])
    assert undo(manager_client, page, payment).status_code == 403


def test_a_figure_below_zero_is_no_amount_yet_and_moves_nothing():
    invoice = make_issued()
    typed = {"amount": "-50", part_name(invoice): "-5", f"was-{part_name(invoice)}": ""}
    entry = read_entry(
        typed,
        client=invoice.client,
        first=None,
        owed=[invoice],
        currency="EUR",
        on=invoice.issue_date,
    )
    assert (entry.amount, entry.given, entry.left) == (None, 0, 0)
    assert typed["amount"] == "-50"
