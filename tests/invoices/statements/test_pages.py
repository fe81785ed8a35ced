"""The pages of an account: statement, files, mails, claims, receipts."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal

import openpyxl
import pikepdf
import pytest
from django.urls import reverse
from django.utils import timezone

from billing_portal.idempotency import new_key
from invoices.models import (
    AccountLetter,
    LateClaim,
    LateClaimRow,
    LatePenaltyRate,
    Message,
    Payment,
)
from invoices.outbox.delivering import deliver
from invoices.statements.sending import monthly
from tests.confirm import token_on
from tests.factories import make_client, make_company, make_invoice
from tests.reports.golden import credit, pay

pytestmark = pytest.mark.django_db


@pytest.fixture
def client():
    make_company()
    LatePenaltyRate.objects.create(
        starts_on=date(2026, 7, 1), percent=Decimal("12.15"), source="ECB"
    )
    client = make_client(name="Atelier Brume", language="en")
    late = make_invoice(client=client, total_minor=3_000_00, issue_date=date(2026, 9, 1), title="A")
    pay(late, 1_000_00, date(2026, 10, 11))
    credit(make_invoice(client=client, total_minor=500_00), 200_00, date(2026, 11, 2))
    make_invoice(client=client, total_minor=70_00, currency="USD", issue_date=date(2026, 11, 20))
    Payment.objects.create(
        client=client, received_on=date(2026, 11, 3), currency="EUR", amount_minor=25_00
    )
    return client


def at(name, client, **query):
    return reverse(f"invoices:{name}", args=[client.pk]) + (
        "?" + "&".join(f"{k}={v}" for k, v in query.items()) if query else ""
    )


def send(browser, url):
    token = token_on(browser.get(url))
    data = {"recipients": "a@client.example", "once": new_key(), "confirmed": token}
    return browser.post(url, data)


def test_what_is_open_and_what_moved_come_to_one_balance(client, clerk_client):
    page = clerk_client.get(at("statement", client)).content.decode()
    # 2,000 and 300 are open, 25 of cash is free.
    assert "€2,300.00" in page and "€2,275.00" in page and "$70.00" in page
    assert "Late-payment claim, apart from the balance" in page
    page = clerk_client.get(at("statement", client, form="movements")).content.decode()
    assert "Opening balance" in page and "€2,275.00" in page


def test_the_workbook_holds_numbers_and_the_claim_on_a_sheet_of_its_own(client, clerk_client):
    answer = clerk_client.get(at("statement-xlsx", client, form="movements"))
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    rows = list(book.worksheets[0].iter_rows(values_only=True))
    assert rows[0][5:] == ("Debit", "Credit", "Balance")
    assert [row[7] for row in rows if row[1] == "Closing balance"] == [2275, 70]
    late = list(book.worksheets[1].iter_rows(values_only=True))
    assert len(late) > 2
    assert sum(row[8] or 0 for row in late[1:]) == 80


def test_the_pdf_says_the_claim_apart(client, clerk_client):
    for query in ({}, {"form": "movements"}):
        answer = clerk_client.get(at("statement-pdf", client, **query))
        assert answer["Content-Type"] == "application/pdf"
        with pikepdf.open(io.BytesIO(answer.content)) as pdf:
            assert len(pdf.pages) >= 1


def test_a_statement_is_sent_once_and_kept_as_sent(client, clerk_client, mailoutbox):
    url = at("statement-send", client)
    token = token_on(clerk_client.get(url))
    data = {"recipients": "a@client.example", "once": new_key(), "confirmed": token}
    clerk_client.post(url, data)
    clerk_client.post(url, data)
    kept = AccountLetter.objects.get()
    message = Message.objects.get()
    deliver(message.pk)
    (mail,) = mailoutbox
    assert mail.attachments[0][1] == bytes(kept.content)
    assert "€2,275.00" in mail.body and "$70.00" in mail.body


def test_an_account_that_moved_meanwhile_is_looked_at_again(client, clerk_client):
    url = at("statement-send", client)
    token = token_on(clerk_client.get(url))
    make_invoice(client=client, total_minor=1_00)
    data = {"recipients": "a@client.example", "once": new_key(), "confirmed": token}
    answer = clerk_client.post(url, data)
    assert answer.status_code == 422 and "€2,276.00" in answer.text
    assert not AccountLetter.objects.exists()


def test_a_month_that_is_over_is_told_once_to_those_who_asked(client):
    assert monthly(date(2026, 11, 2))["sent"] == 0
    client.monthly_statement = True
    client.save()
    assert monthly(date(2026, 11, 9))["sent"] == 0
    assert monthly(date(2026, 11, 2))["sent"] == 1
    assert monthly(date(2026, 11, 3))["sent"] == 0
    letter = AccountLetter.objects.get()
    assert (letter.on, letter.reason_key) == (date(2026, 10, 31), f"statement:{client.pk}:2026-10")


def claim(clerk_client, client, picked, **more):
    url = at("late-claim", client)
    token = token_on(clerk_client.get(url))
    data = {"pick": picked, "confirmed": token, "once": new_key(), **more}
    return clerk_client.post(url, data)


def test_a_claim_asks_once_for_what_is_left_and_changes_no_balance(client, clerk_client):
    late = client.invoices.get(title="A")
    before = clerk_client.get(at("statement", client)).context["figures"]
    claim(clerk_client, client, [late.pk], recipients="a@client.example")
    made = LateClaim.objects.get()
    row = made.rows.get()
    assert made.number == "P-2026-0001"
    # 3,000 for the 10 days to 11 October, then 2,000 to today, at 12.15 %.
    days = (timezone.localdate() - date(2026, 10, 11)).days
    interest = 300000 * 10 * Decimal("12.15") / 36500 + 200000 * days * Decimal("12.15") / 36500
    assert row.interest_minor == int(interest.quantize(Decimal(1)))
    assert row.indemnity_minor == 40_00
    assert clerk_client.get(at("statement", client)).context["figures"] == before
    # The same again: nothing is left of it today.
    answer = claim(clerk_client, client, [late.pk])
    assert answer.status_code == 422 and LateClaimRow.objects.count() == 1
    token = token_on(clerk_client.get(reverse("invoices:late-claim-withdraw", args=[made.pk])))
    clerk_client.post(
        reverse("invoices:late-claim-withdraw", args=[made.pk]),
        {"confirmed": token, "once": new_key(), "reason": "Settled amicably"},
    )
    assert claim(clerk_client, client, [late.pk]).status_code == 303
    assert LateClaim.objects.first().number == "P-2026-0002"


def test_a_withdrawn_claim_is_not_mailed_any_more(client, clerk_client, mailoutbox):
    claim(clerk_client, client, [client.invoices.get(title="A").pk], recipients="a@client.example")
    LateClaim.objects.update(withdrawn_at=timezone.now())
    deliver(Message.objects.get().pk)
    assert not mailoutbox


def test_a_receipt_names_what_the_money_settled(client, clerk_client, mailoutbox):
    paid = Payment.objects.order_by("pk").first()
    assert clerk_client.get(at("receipt", paid))["Content-Type"] == "application/pdf"
    send(clerk_client, at("receipt-send", paid))
    deliver(Message.objects.get().pk)
    assert "€1,000.00" in mailoutbox[0].body


@pytest.mark.parametrize(
    "query", [{"on": "nonsense"}, {"page": "-3"}, {"form": "movements", "since": "1/1/2050"}]
)
def test_what_is_no_day_is_said(client, clerk_client, query, failures):
    assert clerk_client.get(at("statement", client, **query)).status_code in (200, 422)
    assert not failures


def test_letters_are_kept_as_they_left(client, clerk_client):
    from django.db import DatabaseError, transaction

    send(clerk_client, at("statement-send", client))
    for act in (
        lambda: AccountLetter.objects.update(filename="x"),
        lambda: AccountLetter.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()
