from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from moneyed import Money

from billing_portal.accounts.models import User
from billing_portal.idempotency import new_key
from invoices.invoicing import crediting, sending
from invoices.invoicing.notes import NoteRefused, add_note
from invoices.models import Client, Invoice, InvoiceEvent, LatePenaltyRate, Message, Payment
from invoices.outbox import delivering
from invoices.payments import recording, reversing
from tests.confirm import confirm
from tests.factories import (
    make_client,
    make_company,
    make_draft,
    make_invoice,
    make_issued,
    make_user,
    settle,
)

HTMX = {"HX-Request": "true"}


def page_of(invoice, query=""):
    return reverse("invoices:detail", args=[invoice.pk]) + query


def today():
    return timezone.localdate()


def issued(**fields):
    return make_issued(on=today(), **fields)


def pay(invoice, amount, clerk, **fields):
    given = {
        "client_id": invoice.client_id,
        "amount": Money(amount, invoice.currency),
        "received_on": invoice.issue_date,
        "reference": "VIR 2291",
        "method": "transfer",
        "by": clerk,
        "allocations": [(invoice.pk, Money(amount, invoice.currency))],
    }
    return recording.record_payment(**{**given, **fields})


# ─ The page ─────────────────────────────────────────────────────────────────────────────────────
def test_the_page_shows_what_is_owed_and_what_paid_for_it(clerk_client, clerk):
    invoice = issued()
    payment = pay(invoice, "200.00", clerk)
    text = clerk_client.get(page_of(invoice)).text
    assert "€1,000.00" in text
    assert "−€200.00" in text
    assert reverse("invoices:payment", args=[payment.pk]) in text
    assert "Part settled" in text
    assert reverse("invoices:document", args=[invoice.pk]) in text


def test_a_draft_opens_in_the_editor_for_those_who_may_change_it(clerk_client, manager_client):
    draft = make_draft()
    assert clerk_client.get(page_of(draft))["Location"] == reverse("invoices:edit", args=[draft.pk])
    text = manager_client.get(page_of(draft)).text
    assert "A draft has no document yet." in text
    assert "Service 1" in text


def test_an_overdue_invoice_shows_its_claim_apart_from_the_balance(clerk_client):
    make_company()
    LatePenaltyRate.objects.create(
        basis="contract", starts_on=date(2020, 1, 1), percent=Decimal("12.15"), source="test"
    )
    day = today() - timedelta(days=42)
    invoice = make_invoice(issue_date=day - timedelta(days=30), due_date=day, total_minor=3000_00)
    text = clerk_client.get(page_of(invoice)).text
    assert "Overdue 42 days" in text
    assert "€81.94" in text
    assert "€41.94 interest" in text
    assert "€3,000.00" in text
    assert "Kept apart" in text


def test_without_a_rate_the_claim_names_the_indemnity_alone(clerk_client):
    make_company()
    invoice = make_invoice()
    assert "no rate is on record" in clerk_client.get(page_of(invoice)).text


def test_an_imported_invoice_explains_that_it_has_no_pdf(clerk_client):
    make_company()
    invoice = make_invoice()
    text = clerk_client.get(page_of(invoice)).text
    assert "issued by the old system" in text
    assert "<iframe" not in text
    assert reverse("invoices:send", args=[invoice.pk]) not in text
    assert clerk_client.get(reverse("invoices:document", args=[invoice.pk])).status_code == 404


def test_how_the_client_usually_pays_needs_five_payments(clerk_client):
    make_company()
    client = make_client()
    invoice = make_invoice(client=client, issue_date=today(), due_date=today())
    for late in (3, 5, 7, 9):
        old = make_invoice(client=client, issue_date=date(2026, 1, 1), due_date=date(2026, 2, 1))
        settle(old, date(2026, 2, 1) + timedelta(days=late))
    assert "usually pays" not in clerk_client.get(page_of(invoice)).text
    old = make_invoice(client=client, issue_date=date(2026, 1, 1), due_date=date(2026, 2, 1))
    settle(old, date(2026, 2, 1) + timedelta(days=30))
    assert "This client usually pays 7 days late" in clerk_client.get(page_of(invoice)).text


@pytest.mark.parametrize("tab", ["document", "lines", "files", "nonsense"])
def test_each_tab_is_a_page_and_a_fragment(clerk_client, tab):
    invoice = issued()
    url = page_of(invoice, f"?tab={tab}")
    assert "<html" in clerk_client.get(url).text
    part = clerk_client.get(url, headers={**HTMX, "HX-Target": "document-card"}).text
    assert part.lstrip().startswith("<section")
    if tab == "lines":
        assert "Service 1" in part
    if tab == "files":
        assert invoice.documents.get(kind="pdf").sha256 in part


def test_the_page_takes_as_many_queries_for_many_events_as_for_few(clerk_client, clerk):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    few, many = issued(), issued(lines=[(1, "1000.00")] * 30)
    pay(few, "10.00", clerk, reference="first")
    for n in range(15):
        pay(many, "10.00", clerk, reference=f"part {n}")
        add_note(invoice_id=many.pk, text=f"Note {n}", by=clerk, on=today())
    with CaptureQueriesContext(connection) as first:
        clerk_client.get(page_of(few))
    with CaptureQueriesContext(connection) as second:
        clerk_client.get(page_of(many))
    assert len(second) == len(first)
    assert len(second) <= 32


# ─ Timeline ─────────────────────────────────────────────────────────────────────────────────────
def test_the_timeline_tells_what_happened_newest_first(clerk_client, clerk):
    invoice = issued(by=clerk)
    payment = pay(invoice, "200.00", clerk)
    reversing.reverse_payment(payment_id=payment.pk, by=clerk, on=today(), reason="Wrong client")
    add_note(invoice_id=invoice.pk, text="Called Mrs Prigent", by=clerk, on=today())
    text = clerk_client.get(reverse("invoices:timeline", args=[invoice.pk])).text
    order = ["Called Mrs Prigent", "Wrong client", "received", "Issued", "Draft begun"]
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    assert "Maëlle Kervadec" in text


def test_the_timeline_speaks_every_kind_of_event(clerk_client, clerk):
    invoice = issued()
    for kind in InvoiceEvent.Kind.values:
        InvoiceEvent.objects.create(invoice=invoice, kind=kind, on=today(), data={})
    url = reverse("invoices:timeline", args=[invoice.pk])
    assert clerk_client.get(url).status_code == 200


def test_a_mail_under_way_is_watched_and_then_left_alone(clerk_client, clerk):
    invoice = issued()
    url = reverse("invoices:timeline", args=[invoice.pk])
    assert "every 3s" not in clerk_client.get(page_of(invoice)).text
    message = sending.queue_invoice(invoice_id=invoice.pk, recipients=["a@b.example"], by=clerk)
    assert "every 3s" in clerk_client.get(page_of(invoice)).text
    assert "Email waits to leave" in clerk_client.get(url).text
    delivering.deliver(message.pk)
    after = clerk_client.get(url).text
    assert "every 3s" not in after
    assert "Sent to 1 address" in after
    assert 'id="states" hx-swap-oob="true"' in after


# ─ The document ─────────────────────────────────────────────────────────────────────────────────
def test_the_document_is_the_kept_bytes_and_is_not_sent_twice(clerk_client):
    invoice = issued()
    kept = invoice.documents.get(kind="pdf")
    url = reverse("invoices:document", args=[invoice.pk])
    answer = clerk_client.get(url)
    assert answer.content == bytes(kept.content)
    assert answer["ETag"] == f'"{kept.sha256}"'
    assert answer["Content-Disposition"].startswith("inline")
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert "private" in answer["Cache-Control"]
    again = clerk_client.get(url, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    saved = clerk_client.get(url, {"download": ""})
    assert saved["Content-Disposition"].startswith("attachment")


def test_sales_read_their_own_invoices_and_nothing_of_the_money(db):
    seller = make_user(role=User.Role.SALES)
    mine = issued(client=make_client(owner=seller))
    other = issued()
    pay(mine, "10.00", None)
    browser = Browser()
    browser.force_login(seller, backend="allauth.account.auth_backends.AuthenticationBackend")
    text = browser.get(page_of(mine)).text
    assert "/payments/" not in text
    assert "Record a payment" not in text
    assert "credit note…" not in text
    for name in ("detail", "document", "timeline"):
        assert browser.get(reverse(f"invoices:{name}", args=[mine.pk])).status_code == 200
        assert browser.get(reverse(f"invoices:{name}", args=[other.pk])).status_code == 404
    for name in ("note", "apply", "write-off", "send", "credit"):
        assert browser.get(reverse(f"invoices:{name}", args=[mine.pk])).status_code == 403


def test_managers_read_and_change_nothing(manager_client):
    invoice = issued()
    text = manager_client.get(page_of(invoice)).text
    assert "What comes next" not in text
    assert "Add a note" not in text
    for name in ("note", "apply", "write-off", "send", "credit", "issue"):
        assert (
            manager_client.post(reverse(f"invoices:{name}", args=[invoice.pk])).status_code == 403
        )


# ─ Sending ──────────────────────────────────────────────────────────────────────────────────────
def test_sending_is_previewed_and_a_double_click_sends_once(clerk_client):
    invoice = issued()
    url = reverse("invoices:send", args=[invoice.pk])
    preview = clerk_client.get(url, headers=HTMX).text
    assert invoice.number in preview
    assert invoice.recipients[0] in preview
    given = {"once": new_key(), "recipients": "a@client.example, b@client.example"}
    first = confirm(clerk_client, url, given, headers=HTMX)
    confirm(clerk_client, url, given)
    assert first["HX-Redirect"] == page_of(invoice)
    assert Message.objects.get().to == ["a@client.example", "b@client.example"]


@pytest.mark.parametrize(
    ("recipients", "sentence"),
    [("", "Say who receives it by email."), ("no one", "“no” is not an email address.")],
)
def test_a_wrong_recipient_sends_nothing(clerk_client, recipients, sentence):
    invoice = issued()
    url = reverse("invoices:send", args=[invoice.pk])
    answer = confirm(clerk_client, url, {"once": new_key(), "recipients": recipients}, headers=HTMX)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert not Message.objects.exists()


def test_a_draft_is_not_sent(clerk_client):
    draft = make_draft()
    url = reverse("invoices:send", args=[draft.pk])
    answer = confirm(clerk_client, url, {"once": new_key(), "recipients": "a@b.example"})
    assert answer.status_code == 303
    assert not Message.objects.exists()


# ─ Notes, cash, write-off ───────────────────────────────────────────────────────────────────────
def test_a_note_is_kept_once_and_shown(clerk_client):
    invoice = issued()
    url = reverse("invoices:note", args=[invoice.pk])
    given = {"once": new_key(), "text": "Second half in <b>December</b>"}
    answer = clerk_client.post(url, given, headers=HTMX)
    clerk_client.post(url, given)
    assert answer["HX-Retarget"] == "#timeline"
    assert "&lt;b&gt;December&lt;/b&gt;" in answer.text
    assert invoice.events.filter(kind=InvoiceEvent.Kind.NOTE).count() == 1
    assert clerk_client.post(url, {"once": new_key(), "text": " "}).status_code == 422


@pytest.mark.parametrize("text", ["", " \n ", "x" * 1001])
def test_an_empty_or_endless_note_is_refused(clerk, text):
    invoice = make_invoice()
    with pytest.raises(NoteRefused):
        add_note(invoice_id=invoice.pk, text=text, by=clerk, on=today())


def test_a_note_needs_an_invoice(clerk):
    with pytest.raises(NoteRefused):
        add_note(invoice_id=1, text="Hello", by=clerk, on=today())


def test_unapplied_cash_settles_it_from_its_page(clerk_client, clerk):
    invoice = issued()
    payment = pay(invoice, "500.00", clerk, allocations=[])
    assert "€500.00 of unapplied cash or credit" in clerk_client.get(page_of(invoice)).text
    url = reverse("invoices:apply", args=[invoice.pk])
    assert "VIR 2291" in clerk_client.get(url, headers=HTMX).text
    given = {"once": new_key(), "source": f"payment-{payment.pk}", "amount": "500"}
    for _n in range(2):
        confirm(clerk_client, url, given)
    invoice.refresh_from_db()
    assert invoice.outstanding_minor == 700_00
    assert Payment.objects.get().unapplied == Money(0, "EUR")


def test_the_clients_credit_settles_it_from_its_page(clerk_client):
    invoice = issued()
    note = make_invoice(kind="credit_note", client=invoice.client, total_minor=100_00)
    url = reverse("invoices:apply", args=[invoice.pk])
    given = {"once": new_key(), "source": f"credit-{note.pk}", "amount": "100.00"}
    assert confirm(clerk_client, url, given, headers=HTMX)["HX-Redirect"] == page_of(invoice)
    invoice.refresh_from_db()
    assert invoice.credited_minor == 100_00


@pytest.mark.parametrize(
    ("source", "amount", "sentence"),
    [
        ("payment-{pk}", "5000", "only €500.00 are there"),
        ("payment-{pk}", "-5", "above zero"),
        ("payment-{pk}", "x", "is not a number"),
        ("payment-999999", "5", "Select a valid choice"),
    ],
)
def test_more_than_there_is_is_refused(clerk_client, clerk, source, amount, sentence):
    invoice = issued()
    payment = pay(invoice, "500.00", clerk, allocations=[])
    url = reverse("invoices:apply", args=[invoice.pk])
    given = {"once": new_key(), "source": source.format(pk=payment.pk), "amount": amount}
    answer = confirm(clerk_client, url, given, headers=HTMX)
    assert answer.status_code == 422
    assert sentence in answer.text
    invoice.refresh_from_db()
    assert invoice.outstanding_minor == 1200_00


def test_writing_off_needs_a_reason_and_settles(clerk_client):
    invoice = issued()
    url = reverse("invoices:write-off", args=[invoice.pk])
    assert confirm(clerk_client, url, {"amount": "1200", "once": "a"}).status_code == 422
    lost = {"cause": "bad_debt", "reason": "Insolvent"}
    confirm(clerk_client, url, {"amount": "1200", "once": new_key(), **lost})
    invoice.refresh_from_db()
    assert invoice.status == Invoice.Status.SETTLED
    text = clerk_client.get(page_of(invoice)).text
    assert "Insolvent" in text
    assert "Written off" in text
    assert confirm(clerk_client, url, {"amount": "1", **lost}).status_code == 422


# ─ The list that led here ───────────────────────────────────────────────────────────────────────
def test_previous_and_next_follow_the_list(clerk_client):
    make_company()
    due = today() - timedelta(days=40)
    three = [
        make_invoice(issue_date=due - timedelta(days=60), due_date=due + timedelta(days=n))
        for n in range(3)
    ]
    make_invoice(issue_date=today(), due_date=today())
    query = "?state=overdue"
    text = clerk_client.get(page_of(three[1], query)).text
    assert f'href="{page_of(three[0], query)}" rel="prev"' in text
    assert f'href="{page_of(three[2], query)}" rel="next"' in text
    last = clerk_client.get(page_of(three[2], query)).text
    assert 'rel="next"' not in last
    assert 'rel="prev"' not in clerk_client.get(page_of(three[1])).text


@pytest.mark.parametrize("query", ["?sort=client", "?sort=-late", "?state=zzz&sort=?", "?after=x"])
def test_any_query_string_is_forgiven(clerk_client, query):
    make_company()
    assert clerk_client.get(page_of(make_invoice(), query)).status_code == 200


def test_hostile_words_are_shown_as_text(clerk_client):
    evil = "<img src=x onerror=alert(1)>{{ 1 }}"
    invoice = issued(client=make_client(name=evil), title=evil, note=evil, purchase_order="<b>x")
    add_note(invoice_id=invoice.pk, text=evil, by=make_user(name=evil), on=today())
    for tab in ("document", "lines", "files"):
        text = clerk_client.get(page_of(invoice, f"?tab={tab}")).text
        assert "<img src=x" not in text
        assert "<b>x" not in text
    send = clerk_client.get(reverse("invoices:send", args=[invoice.pk])).text
    assert "<img src=x" not in send


# ─ A client renamed after issue ─────────────────────────────────────────────────────────────────
def test_the_page_the_list_and_the_export_say_the_buyer_of_the_document(manager_client):
    invoice = make_issued(client=make_client(name="Boulangerie Le Gall"))
    Client.objects.update(name="RENAMED SA")
    page = manager_client.get(f"/invoices/{invoice.pk}/").text
    assert "Boulangerie Le Gall" in page and "now called RENAMED SA" in page
    listed = manager_client.get("/invoices/?state=all").text
    assert "Boulangerie Le Gall" in listed
    export = manager_client.get("/invoices/export.csv?state=all")
    text = b"".join(export.streaming_content).decode()
    assert "Boulangerie Le Gall" in text and "RENAMED" not in text


def test_a_later_credit_note_bears_the_buyer_of_its_invoice_unless_asked(clerk_client):
    invoice = make_issued(client=make_client(name="Boulangerie Le Gall", city="Brest"))
    Client.objects.update(name="RENAMED SA", city="Nantes")
    page = clerk_client.get(f"/invoices/{invoice.pk}/credit/").text
    assert "The client is now called RENAMED SA" in page
    first = crediting.issue_credit_note(
        invoice_id=invoice.pk, reason="Wrong", by=None, on=date(2026, 11, 24),
        amount=Money("12", "EUR"),
    )  # fmt: skip
    second = crediting.issue_credit_note(
        invoice_id=invoice.pk, reason="Wrong", by=None, on=date(2026, 11, 24),
        to_client_of_today=True,
    )  # fmt: skip
    buyers = [note.paper["buyer"] for note in (first, second)]
    assert [(b["name"], b["address"][-1]) for b in buyers] == [
        ("Boulangerie Le Gall", "75002 Brest"),
        ("RENAMED SA", "75002 Nantes"),
    ]
    assert (first.buyer_name, second.buyer_name) == ("Boulangerie Le Gall", "RENAMED SA")
