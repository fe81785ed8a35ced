"""A quote leaves the house: numbered, printed, kept, mailed with its link."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal

import pytest
from django.utils import timezone

from billing_portal.idempotency import new_key
from invoices.accounting.books import verify
from invoices.company import first_numbers
from invoices.company.numbering import NumberRefused
from invoices.invoicing.forms.heads import RecipientsField
from invoices.models import Message, NumberPattern, Quote, QuoteDocument, QuoteEvent
from invoices.models.quotes import State
from invoices.outbox import delivering
from invoices.outbox.queueing import MailRefused
from invoices.quotes import answering, beginning, links, sending
from invoices.quotes.links import LinkGone
from invoices.quotes.refusals import QuoteRefused
from tests.confirm import token_on
from tests.factories import make_client, make_company, make_user, number_by
from tests.invoices.quotes.making import (
    CHOICES,
    NOON,
    TODAY,
    accept,
    line,
    save,
    send_quote,
    write_quote,
)
from tests.postbox import open_postbox
from tests.race import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def postbox(settings):
    with open_postbox(settings) as box:
        yield box


def deliver(kind):
    for message in Message.objects.filter(kind=kind):
        delivering.deliver(message.pk)


def test_numbers_are_given_when_it_leaves_and_in_a_series_of_their_own():
    first, second = write_quote(), write_quote()
    assert (first.number, second.number) == ("", "")
    sending.send(version_id=second.version_id, recipients=[], by=None, on=TODAY)
    sending.send(version_id=first.version_id, recipients=[], by=None, on=TODAY)
    second.refresh_from_db()
    first.refresh_from_db()
    assert (second.number, first.number) == ("D-2026-0001", "D-2026-0002")
    assert send_quote(on=date(2027, 1, 2)).number == "D-2027-0001"
    # The books of invoices know nothing of these numbers.
    assert verify() == []


@pytest.mark.parametrize("to", ["nobody", "x\0@y.example", "x\ud800"])
def test_to_what_is_no_address_nothing_leaves_and_nothing_is_kept(to):
    quote = write_quote()
    with pytest.raises(MailRefused, match="is not an email address"):
        sending.send(version_id=quote.version_id, recipients=[to], by=None, on=TODAY)
    quote.refresh_from_db()
    assert (quote.number, QuoteDocument.objects.count()) == ("", 0)


def test_signs_that_cannot_be_seen_are_no_part_of_an_address():
    typed = "x\0\ud800@y.example;\u200b, \u202ea@b.example"
    assert RecipientsField().clean(typed) == ["x@y.example", "a@b.example"]


def test_moving_in_quotes_go_on_after_those_of_the_old_system(admin_client):
    quote = write_quote()
    page = admin_client.get("/settings/books/")
    asked = {
        "form": "number",
        "number-series": f"quote {TODAY.year}",
        "number-value": "118",
        "once": new_key(),
        "confirmed": token_on(page),
    }
    assert admin_client.post("/settings/books/", asked).status_code == 303
    sending.send(version_id=quote.version_id, recipients=[], by=None, on=TODAY)
    quote.refresh_from_db()
    assert quote.number == f"D-{TODAY.year}-0118"
    assert "D-2026-0119" in admin_client.get("/settings/books/").text
    with pytest.raises(first_numbers.LeavesOut):
        first_numbers.set_next(kind="quote", period="2026", value=200, reason="", by=None, on=TODAY)
    with pytest.raises(NumberRefused, match="only goes on upwards"):
        first_numbers.set_next(kind="quote", period="2026", value=5, reason="", by=None, on=TODAY)
    assert verify() == []


def test_abroad_the_letter_is_that_of_quotes_and_a_taken_one_is_left():
    make_company(country="BE", vat_id="BE0123456789")
    quote = write_quote()
    NumberPattern.objects.create(kind="invoice", prefix="Q-{year}-")
    sending.send(version_id=quote.version_id, recipients=[], by=None, on=TODAY)
    quote.refresh_from_db()
    assert quote.number == "QUO-2026-0001"


@pytest.mark.django_db(transaction=True)
def test_of_many_sent_at_once_by_the_pattern_each_gets_its_number_and_none_is_left_out():
    number_by("DV{yy}{month}-", "month", kind="quote", width=3)
    versions = [write_quote().version_id for _each in range(6)]
    # The first begins the series of the month: two may not both begin it.
    at_once(
        *(
            lambda pk=pk: sending.send(version_id=pk, recipients=[], by=None, on=TODAY)
            for pk in versions
        )
    )
    given = sorted(Quote.objects.values_list("number", flat=True))
    month = f"{TODAY:%y%m}"
    assert given == [f"DV{month}-{n:03d}" for n in range(1, 7)]
    # Half way back: what was refused takes no number with it.
    with pytest.raises(MailRefused):
        sending.send(version_id=write_quote().version_id, recipients=["x"], by=None, on=TODAY)
    assert send_quote(on=TODAY).number == f"DV{month}-007"


@pytest.mark.django_db(transaction=True)
def test_a_draft_sent_by_two_at_once_is_sent_once():
    quote = write_quote()
    at_once(
        *[
            lambda: sending.send(
                version_id=quote.version_id, recipients=["a@b.example"], by=None, on=TODAY
            )
        ]
        * 3
    )
    assert quote.events.filter(kind=QuoteEvent.Kind.SENT).count() == 1
    assert Message.objects.filter(kind="quote").count() == 1
    assert QuoteDocument.objects.count() == 1


def test_what_is_kept_is_the_page_that_was_sent():
    quote = send_quote(lines=CHOICES)
    kept = quote.version.documents.get()
    content = bytes(kept.content)
    assert content.startswith(b"%PDF")
    assert kept.sha256 == hashlib.sha256(content).hexdigest()
    assert kept.filename == "Devis-D-2026-0001.pdf"
    paper = quote.version.paper
    assert paper["kind"] == "quote"
    assert paper["number"] == quote.number
    assert paper["valid_until"] == "2026-12-24"
    # What was not ticked is offered beside it.
    assert [each["description"] for each in paper["offered"]] == ["Line at 200", "Line at 300"]


def test_the_client_gets_mail_with_the_pdf_and_a_link_that_opens(postbox, client):
    quote = send_quote(on=timezone.localdate(), client=make_client(language="fr"))
    deliver("quote")
    (mail,) = postbox.mails
    assert mail["To"] == "gaelle@guerin.example"
    assert mail["Subject"] == f"Devis {quote.number} – Kerlann Conseil"
    text = mail.get_body(["plain"]).get_content()
    address = next(word for word in text.split() if "/quote/" in word)
    assert address == links.address_of(quote.version)
    (pdf,) = list(mail.iter_attachments())
    assert pdf.get_filename() == "Devis-D-2026-0001.pdf"
    assert pdf.get_content().startswith(b"%PDF")
    page = client.get(address.removeprefix("http://127.0.0.1:8000"))
    assert page.status_code == 200
    assert quote.number in page.text
    assert quote.events.filter(kind=QuoteEvent.Kind.MAIL_SENT).count() == 1


def test_the_link_is_not_kept_where_our_own_people_read_mails(postbox, clerk_client):
    send_quote(on=timezone.localdate())
    message = Message.objects.get(kind="quote")
    url = f"/mail/{message.pk}/"
    assert "/quote/" not in clerk_client.get(url).text
    deliver("quote")
    message.refresh_from_db()
    assert message.state == Message.State.SENT
    assert "/quote/" not in message.body_text + message.body_html
    assert "https://…" in message.body_text


def test_a_mail_of_a_quote_that_was_withdrawn_meanwhile_does_not_leave(postbox):
    quote = send_quote(on=timezone.localdate())
    sending.withdraw(quote_id=quote.pk, reason="", by=None, on=TODAY)
    deliver("quote")
    assert postbox.mails == []
    assert Message.objects.get(kind="quote").state == Message.State.CANCELLED


def test_the_accepted_copy_and_the_word_to_the_salesperson_leave(postbox):
    seller = make_user(email="theo@kerlann.example", language="en-gb", role="sales")
    quote = send_quote(
        on=timezone.localdate(), client=make_client(name="Menuiserie Guérin", owner=seller)
    )
    accept(quote, at=timezone.now())
    deliver("quote_accepted")
    deliver("quote_answer")
    copy, word = postbox.mails
    assert copy["To"] == "gaelle@guerin.example"
    (pdf,) = list(copy.iter_attachments())
    assert pdf.get_filename() == "Devis-D-2026-0001-accepte.pdf"
    assert pdf.get_content() == bytes(quote.acceptance.document.content)
    assert word["To"] == "theo@kerlann.example"
    assert word["Subject"] == "Menuiserie Guérin accepted the quote D-2026-0001"
    assert f"/quotes/{quote.pk}/" in word.get_content()


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], "at least one line"),
        ([line("0")], "not above zero"),
        ([line("10", price_missing=True, unit_price=Decimal(0))], "no price"),
        ([line("10", quantity=-1)], "not above zero"),
    ],
)
def test_what_cannot_be_accepted_is_not_sent(lines, why):
    quote = write_quote(lines=lines)
    with pytest.raises(QuoteRefused, match=why):
        sending.send(version_id=quote.version_id, recipients=[], by=None, on=TODAY)
    quote.refresh_from_db()
    assert quote.number == ""


def test_one_that_would_have_expired_or_a_wrong_address_is_not_sent():
    quote = write_quote(valid_until=date(2026, 11, 23))
    with pytest.raises(QuoteRefused, match="expired already"):
        sending.send(version_id=quote.version_id, recipients=[], by=None, on=TODAY)
    other = write_quote()
    with pytest.raises(MailRefused):
        sending.send(version_id=other.version_id, recipients=["nobody"], by=None, on=TODAY)
    other.version.refresh_from_db()
    assert other.version.status == State.DRAFT


def test_a_new_version_replaces_the_one_before_and_keeps_the_number():
    quote = send_quote()
    old = quote.version
    version = beginning.new_version(quote_id=quote.pk, by=None, on=TODAY)
    # Asked for twice, it is the one that is being written.
    assert beginning.new_version(quote_id=quote.pk, by=None, on=TODAY) == version
    save(version, [line("900")])
    sending.send(version_id=version.pk, recipients=[], by=None, on=TODAY)
    quote.refresh_from_db()
    old.refresh_from_db()
    assert (quote.number, quote.version.number, old.status) == ("D-2026-0001", 2, State.REPLACED)
    assert quote.version.documents.get().filename == "Devis-D-2026-0001-v2.pdf"


# ─ Links ────────────────────────────────────────────────────────────────────────────────────────
def test_a_link_opens_its_version_and_nothing_else():
    quote, other = send_quote(), send_quote()
    token = links.token_of(quote.version)
    assert links.version_of(token, TODAY).pk == quote.version_id
    for forged in (token[:-1], token + "x", "", "x" * 5000, token.replace(":", "."), "\0"):
        with pytest.raises(LinkGone):
            links.version_of(forged, TODAY)
    # Signed by us for another use, or with a key that is another version's.
    from django.core import signing

    for value, salt in (
        ([quote.version_id, quote.version.link_key], "other"),
        ([quote.version_id, other.version.link_key], links.SALT),
        ([quote.version_id, ""], links.SALT),
        ([True, "x"], links.SALT),
        ("text", links.SALT),
    ):
        with pytest.raises(LinkGone):
            links.version_of(signing.dumps(value, salt=salt), TODAY)


def test_an_ended_link_a_renewed_one_and_one_too_old_open_nothing():
    quote = send_quote()
    first = links.token_of(quote.version)
    sending.renew_link(quote_id=quote.pk, by=None, on=TODAY)
    with pytest.raises(LinkGone):
        links.version_of(first, TODAY)
    quote.version.refresh_from_db()
    second = links.token_of(quote.version)
    assert links.version_of(second, TODAY)
    with pytest.raises(LinkGone):
        links.version_of(second, date(2027, 6, 1))
    sending.end_link(quote_id=quote.pk, by=None, on=TODAY)
    with pytest.raises(LinkGone):
        links.version_of(second, TODAY)
    quote.version.refresh_from_db()
    with pytest.raises(LinkGone):
        links.version_of(links.token_of(quote.version), TODAY)


def test_a_withdrawn_quote_is_asked_for_again_and_an_accepted_one_not_withdrawn():
    quote = send_quote()
    sending.withdraw(quote_id=quote.pk, reason="dear", by=None, on=TODAY)
    assert answering.ask_again(version_id=quote.version_id, at=NOON)
    accepted = send_quote()
    accept(accepted)
    with pytest.raises(QuoteRefused, match="accepted"):
        sending.withdraw(quote_id=accepted.pk, reason="", by=None, on=TODAY)
