"""Files of the company go with each email of the documents that they are for, unless unticked."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse

from invoices.accounting import books
from invoices.attachments import keeping, standing
from invoices.attachments.keeping import AttachmentRefused, add, attachments_of, standing_for
from invoices.invoicing.sending import queue_invoice
from invoices.models import Attachment, Message, Quote, StandingFile, StoredFile
from invoices.outbox import delivering
from invoices.outbox.queueing import MailRefused
from invoices.quotes import sending
from tests.confirm import confirm
from tests.factories import make_company, make_issued, make_user
from tests.invoices.attachments.test_attachments import files_of
from tests.invoices.quotes.making import TODAY, write_quote

pytestmark = pytest.mark.django_db
BANK, TERMS, FRENCH = b"%PDF-1.7\nbank", b"%PDF-1.7\nterms", b"%PDF-1.7\nfr"
TO = {"recipients": ["pay@client.example"], "by": None}


def put(content=BANK, name="RIB.pdf", kinds=("on_invoices",), language="", by=None):
    make_company()
    return standing.put(name=name, content=content, kinds=kinds, language=language, by=by)


def test_each_kind_of_document_has_its_own_in_its_language():
    rib, terms = put(), put(TERMS, "CGV.pdf", ("on_quotes", "on_deposits"))
    french = put(FRENCH, "Notice.pdf", ("on_invoices", "on_quotes"), "fr")
    invoice, quote = make_issued(), write_quote()
    assert standing_for(invoice) == [rib, french]
    assert standing_for(quote) == [terms, french]
    quote.version.language = "en"
    assert standing_for(quote) == [terms]
    invoice.purpose = "deposit"
    assert standing_for(invoice) == [terms]
    invoice.purpose, invoice.kind = "standard", "credit_note"
    assert standing_for(invoice) == []


def test_they_travel_and_each_mail_says_later_what_it_carried(postbox):
    rib = put()
    invoice = make_issued()
    add(owner=invoice, name="Plan.pdf", content=TERMS, by=None)
    message = queue_invoice(invoice_id=invoice.pk, **TO)
    assert delivering.deliver(message.pk) == "sent"
    found = files_of(postbox.mails[0])
    assert (found["RIB.pdf"], found["Plan.pdf"]) == (BANK, TERMS)
    # Beside the document stands what people put there.
    assert [each.filename for each in attachments_of(invoice)] == ["Plan.pdf"]
    assert standing_for(invoice) == [rib]
    # Taken away, it goes with none any more, and what left is kept and verified.
    standing.take_away(standing_id=rib.pk, by=None)
    standing.take_away(standing_id=rib.pk, by=None)
    again = queue_invoice(invoice_id=invoice.pk, **TO)
    assert [each.filename for each in again.enclosures.all()] == ["Plan.pdf"]
    assert [each.filename for each in message.enclosures.order_by("pk")] == ["Plan.pdf", "RIB.pdf"]
    assert books.verify() == []


def test_unticked_it_stays_and_twice_it_has_one_row():
    rib, terms = put(), put(TERMS, "CGV.pdf")
    invoice = make_issued()
    one = queue_invoice(invoice_id=invoice.pk, standing={terms.pk}, **TO)
    assert [each.filename for each in one.enclosures.all()] == ["CGV.pdf"]
    none = queue_invoice(invoice_id=invoice.pk, standing=set(), recipients=["b@x.example"], by=None)
    assert not none.enclosures.exists()
    every = queue_invoice(invoice_id=invoice.pk, recipients=["c@x.example"], by=None)
    assert {each.standing for each in every.enclosures.all()} == {rib, terms}
    assert Attachment.objects.count() == 2


def test_put_beside_a_document_by_hand_it_is_its_own_and_goes_once():
    put()
    invoice = make_issued()
    queue_invoice(invoice_id=invoice.pk, **TO)
    own = add(owner=invoice, name="RIB.pdf", content=BANK, by=None)
    assert own.standing is None
    assert standing_for(invoice) == []
    message = queue_invoice(invoice_id=invoice.pk, recipients=["b@x.example"], by=None)
    assert list(message.enclosures.all()) == [own]


def test_one_that_no_mail_carried_goes_with_its_bytes():
    rib = put()
    standing.take_away(standing_id=rib.pk, by=None)
    assert not StoredFile.objects.exists()
    # The bytes stay where they stand beside a document too.
    rib, invoice = put(), make_issued()
    add(owner=invoice, name="RIB.pdf", content=BANK, by=None)
    standing.take_away(standing_id=rib.pk, by=None)
    assert StoredFile.objects.exists()


def test_they_count_within_what_a_mail_may_carry(monkeypatch):
    monkeypatch.setattr(keeping, "MOST_IN_ALL", 40)
    rib = put()
    invoice = make_issued()
    with pytest.raises(AttachmentRefused, match="larger than"):
        add(owner=invoice, name="Plan.pdf", content=b"%PDF-1.7\n" + b"x" * 20, by=None)
    standing.take_away(standing_id=rib.pk, by=None)
    add(owner=invoice, name="Plan.pdf", content=b"%PDF-1.7\n" + b"x" * 20, by=None)
    rib = put()
    with pytest.raises(MailRefused, match="untick"):
        queue_invoice(invoice_id=invoice.pk, **TO)
    assert not Message.objects.exists()
    assert queue_invoice(invoice_id=invoice.pk, standing=set(), **TO).enclosures.count() == 1


def test_no_more_than_leaves_room_and_each_refusal_says_why(monkeypatch):
    monkeypatch.setattr(standing, "MOST_IN_ALL", 25)
    put()
    with pytest.raises(AttachmentRefused, match="At most"):
        put(TERMS, "CGV.pdf", ("on_invoices", "on_quotes"), "fr")
    put(TERMS, "CGV.pdf", ("on_quotes",))
    for wrong in ((), ("on_reminders",)):
        with pytest.raises(AttachmentRefused, match="Choose"):
            put(FRENCH, kinds=wrong)
    with pytest.raises(AttachmentRefused, match="French or in English"):
        put(FRENCH, language="de")
    with pytest.raises(AttachmentRefused, match="none of the files"):
        put(b"MZ\x90", "x.exe")
    with pytest.raises(IntegrityError), transaction.atomic():
        StandingFile.objects.update(on_invoices=False)


def test_the_same_file_again_takes_the_kinds_that_are_said_now():
    first = put()
    again = put(kinds=("on_quotes", "on_credit_notes"))
    assert again.pk == first.pk
    again.refresh_from_db()
    assert (again.on_invoices, again.on_quotes, again.on_credit_notes) == (False, True, True)


def test_a_quote_goes_with_them_and_its_page_shows_none():
    put(TERMS, "CGV.pdf", ("on_quotes",))
    quote = write_quote()
    sending.send(version_id=quote.version_id, recipients=["a@b.example"], by=None, on=TODAY)
    (row,) = Quote.objects.get(pk=quote.pk).attachments.all()
    assert (row.filename, row.shown_to_client) == ("CGV.pdf", False)


# ─ Pages ────────────────────────────────────────────────────────────────────────────────────────
def test_the_settings_take_a_file_and_say_what_is_wrong(client):
    make_company()
    client.force_login(make_user(role="administrator"))
    url = reverse("invoices:standing-files")
    answer = client.post(url, {"kinds": ["on_invoices"]})
    assert (answer.status_code, "Choose a file first" in answer.text) == (422, True)
    file = SimpleUploadedFile("RIB.pdf", BANK)
    answer = client.post(url, {"file": file, "language": ""})
    assert (answer.status_code, "Choose with which" in answer.text) == (422, True)
    file = SimpleUploadedFile("RIB.pdf", BANK)
    answer = client.post(url, {"file": file, "kinds": ["on_invoices", "on_quotes"]})
    assert (answer.status_code, "RIB.pdf" in answer.text) == (200, True)
    found = StandingFile.objects.get()
    download = client.get(reverse("invoices:standing-file", args=[found.pk]))
    assert download.content == BANK
    answer = client.post(reverse("invoices:standing-file-remove", args=[found.pk]))
    assert "RIB.pdf" not in answer.text


def test_the_dialog_ticks_them_and_sends_without_what_is_unticked(clerk_client):
    rib, terms = put(), put(TERMS, "CGV.pdf")
    invoice = make_issued()
    url = reverse("invoices:send", args=[invoice.pk])
    page = clerk_client.get(url).text
    assert page.count('name="standing" value=') == 2
    given = {
        "recipients": "pay@client.example",
        "standing-shown": "1",
        "standing": [str(terms.pk), "x", "999"],
    }
    confirm(clerk_client, url, given)
    (message,) = Message.objects.all()
    assert [each.standing for each in message.enclosures.all()] == [terms]
    assert rib.pk
