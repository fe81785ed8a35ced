"""A mail says what is true when it leaves; and what did not leave waits for a person."""

from __future__ import annotations

from datetime import date

import pytest
from django.urls import reverse
from moneyed import Money

from invoices.invoicing.crediting import issue_credit_note
from invoices.invoicing.sending import queue_invoice
from invoices.models import InvoiceEvent, Message
from invoices.outbox import delivering
from invoices.outbox.kinds import trouble_of
from invoices.outbox.settling_doubts import cancel, resend
from invoices.outbox.waiting import waiting_for_a_person
from invoices.payments.applying import write_off
from tests.confirm import confirm
from tests.factories import make_issued
from tests.invoices.outbox.doing import due_now, fresh, queued

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


def pay(invoice, amount):
    from invoices.payments.recording import record_payment

    record_payment(
        client_id=invoice.client_id,
        amount=Money(amount, "EUR"),
        received_on=ON,
        reference="VIR 1",
        method="transfer",
        by=None,
        allocations=[(invoice.pk, Money(amount, "EUR"))],
    )


def text_of(got):
    return got.get_body(("plain",)).get_content().replace("\u202f", " ").replace("\xa0", " ")


# ─ Worded when it leaves ────────────────────────────────────────────────────────────────────────


def test_an_invoice_paid_before_its_mail_leaves_says_so_and_asks_for_nothing(postbox):
    invoice = make_issued()
    message = queue_invoice(invoice_id=invoice.pk, by=None)
    assert message.body_text == ""
    pay(invoice, 1200)
    assert delivering.deliver(message.pk) == "sent"
    (got,) = postbox.mails
    assert "déjà réglée" in text_of(got)
    assert "À régler" not in text_of(got)
    assert "virement" not in text_of(got)
    # What left is kept, word for word.
    assert (
        fresh(message).body_text.strip()
        == got.get_body(("plain",)).get_content().replace("\r\n", "\n").strip()
    )


def test_a_mail_sent_again_after_the_payment_does_not_ask_for_the_money(postbox, clerk):
    invoice = make_issued()
    message = queue_invoice(invoice_id=invoice.pk, by=None)
    delivering.deliver(message.pk)
    assert "À régler au plus tard" in text_of(postbox.mails[0])
    pay(invoice, 1200)
    assert delivering.deliver(resend(message_id=message.pk, by=clerk).pk) == "sent"
    assert "déjà réglée" in text_of(postbox.mails[1])
    assert "À régler au plus tard" in fresh(message).body_text


def test_an_invoice_credited_whole_before_its_mail_left_waits_for_a_person(postbox, clerk):
    invoice = make_issued()
    message = queue_invoice(invoice_id=invoice.pk, by=None)
    note = issue_credit_note(invoice_id=invoice.pk, reason="Annulée", by=clerk, on=ON)
    assert delivering.deliver(message.pk) == "held"
    assert postbox.mails == []
    row = fresh(message)
    assert "credit note took the whole invoice back" in trouble_of(row)
    assert list(waiting_for_a_person()) == [row]
    # Whoever sends it now knows; and the mail tells the client.
    assert delivering.deliver(resend(message_id=row.pk, by=clerk).pk) == "sent"
    assert f"annulée par l’avoir {note.number}" in text_of(postbox.mails[0])
    assert "virement" not in text_of(postbox.mails[0])


def test_of_an_invoice_that_was_written_off_the_mail_claims_neither_payment_nor_money(postbox):
    invoice = make_issued()
    write_off(
        invoice_id=invoice.pk,
        amount=Money(1200, "EUR"),
        reason="lost",
        by=None,
        on=invoice.issue_date,
    )
    delivering.deliver(queue_invoice(invoice_id=invoice.pk, by=None).pk)
    text = text_of(postbox.mails[0])
    assert "réglée" not in text
    assert "À régler" not in text
    assert "1 200,00 €" in text


def test_the_page_of_a_waiting_mail_shows_what_it_would_say_now(clerk_client):
    invoice = make_issued()
    message = queue_invoice(invoice_id=invoice.pk, by=None)
    url = reverse("invoices:mail-message", args=[message.pk])
    assert "À régler au plus tard" in clerk_client.get(url).text
    pay(invoice, 1200)
    text = clerk_client.get(url).text
    assert "What it would say now" in text
    assert "déjà réglée" in text


# ─ A fault of our own set-up ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "trouble",
    [
        {"on_mail": "530 5.7.0 Authentication required"},
        {"on_mail": "550 We know no such sender"},
        {"on_rcpt": {"a@client.example": "554 5.7.1 <a@client.example>: Relay access denied"}},
    ],
)
def test_a_relay_that_turns_us_away_costs_no_mail_its_life(postbox, trouble):
    for n in range(5):
        queued(reason_key=f"test:{n}")
    postbox.__dict__.update(trouble)
    for _ in range(delivering.MAX_ATTEMPTS + 3):
        delivering.sweep()
        Message.objects.update(next_attempt_at=None)
    assert set(Message.objects.values_list("state", flat=True)) == {"queued"}
    stopped = Message.objects.filter(trouble="setup").first()
    assert stopped in waiting_for_a_person()
    assert "turns the portal away" in trouble_of(stopped)
    postbox.on_mail, postbox.on_rcpt = None, {}
    assert delivering.sweep() == {"sent": 5}
    assert not waiting_for_a_person().exists()


def test_a_sweep_sends_all_it_has_over_one_connection(postbox):
    for n in range(4):
        queued(reason_key=f"test:{n}")
    assert delivering.sweep() == {"sent": 4}
    assert postbox.conversations == 1


def test_after_a_break_the_next_mail_begins_on_a_line_of_its_own(postbox):
    for n in range(3):
        queued(reason_key=f"test:{n}", to=[f"{n}@client.example"])
    postbox.on_rcpt = {"0@client.example": "550 No such user"}
    assert delivering.sweep() == {"failed": 1, "sent": 2}


# ─ What waits for a person ──────────────────────────────────────────────────────────────────────


def failed_mail(postbox):
    invoice = make_issued()
    message = queue_invoice(invoice_id=invoice.pk, recipients=["gone@client.example"], by=None)
    postbox.on_rcpt = {"gone@client.example": "550 No such user"}
    delivering.deliver(message.pk)
    return message


def test_a_refused_mail_stands_on_the_desk_and_in_the_sidebar_until_somebody_acts(
    postbox,
    clerk_client,
    clerk,
):
    message = failed_mail(postbox)
    desk = clerk_client.get(reverse("reports:desk")).text
    assert "Emails that need you" in desk
    assert "550 No such user" in desk
    assert reverse("invoices:mail-resend", args=[message.pk]) in desk
    assert 'id="count-mails"' in clerk_client.get(reverse("reports:counts")).text
    url = reverse("invoices:mail-cancel", args=[message.pk])
    answer = confirm(clerk_client, url, {"from": "desk"}, at="/")
    assert answer["Location"] == "/"
    assert "Emails that need you" not in clerk_client.get(reverse("reports:desk")).text


def test_a_mail_that_nobody_knows_of_stands_on_the_desk_too(clerk_client, postbox):
    make_issued()
    message = queued()
    postbox.on_data = "take and hang up"
    delivering.deliver(message.pk)
    assert reverse("invoices:mail-arrived", args=[message.pk]) in clerk_client.get("/").text
    listed = clerk_client.get(reverse("invoices:mail"), {"state": "waiting"}).text
    assert "Late again" in listed


def test_an_invoice_sent_anew_takes_its_refused_mail_off_the_desk(postbox, clerk):
    message = failed_mail(postbox)
    again = queue_invoice(
        invoice_id=message.invoice_id, recipients=["right@client.example"], by=clerk
    )
    assert delivering.deliver(again.pk) == "sent"
    assert not waiting_for_a_person().exists()
    assert fresh(message).state == "cancelled"
    assert message.invoice.events.filter(kind=InvoiceEvent.Kind.SEND_FAILED).count() == 1


def test_sales_see_no_mails_on_their_desk(postbox, client):
    from tests.factories import make_user

    failed_mail(postbox)
    client.force_login(make_user(role="sales"))
    assert "Emails that need you" not in client.get(reverse("reports:desk")).text


def test_a_refused_mail_can_be_left_unsent(postbox, clerk):
    message = failed_mail(postbox)
    assert cancel(message_id=message.pk, by=clerk).state == "cancelled"
    due_now(message)
    assert delivering.sweep() == {}
