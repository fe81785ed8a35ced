"""A disputed or suspended invoice is answered: 209 with words and a file, once."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from lxml import etree

from billing_portal.idempotency import new_key
from invoices.documents.cdar.message import Attachment
from invoices.documents.cdar.reading import read
from invoices.einvoicing.acknowledging import acknowledge, note_refusal
from invoices.einvoicing.answering import AnswerRefused, answer
from invoices.einvoicing.transmitting import transmit
from invoices.invoicing.crediting import issue_credit_note
from invoices.models import Dispute, InvoiceEvent, LifecycleStatus, PlatformFlow
from tests.factories import make_issued
from tests.race import at_once
from tests.shared import SHARED
from tests.transmitted import at_platform, make_transmission, say

XSD = SHARED / "specs/afnor/cdar-xsd/CrossDomainAcknowledgementAndResponse_100pD22B.xsd"
NOTE = Attachment("bon.pdf", "application/pdf", b"%PDF-1.4 signed")
LATER = timedelta(hours=3)


def disputed(code="207"):
    (found,) = at_platform(make_transmission())
    say(found, code, reason_code="JUSTIF_ABS", reason="Bon de livraison ?")
    return found


def give(found, words="Voici le bon.", file=NOTE):
    row = answer(transmission_id=found.pk, words=words, file=file, by=None)
    found.refresh_from_db()
    return row


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["207", "208"])
def test_it_is_sent_once_and_the_client_has_the_word(code):
    found = disputed(code)
    row = give(found)
    assert (found.status_code, found.group) == ("209", "client")
    assert row.at > found.statuses.get(code=code).at
    content = bytes(row.content)
    if XSD.exists():
        etree.XMLSchema(etree.parse(str(XSD))).assertValid(etree.fromstring(content))
    message = read(content)
    assert (message.issuer.role, message.recipients[0].role) == ("SE", "BY")
    assert message.statuses[0].reasons[0].note == "Voici le bon."
    (inside,) = etree.fromstring(content).iter("{*}AttachmentBinaryObject")
    assert base64.b64decode(inside.text) == NOTE.content
    assert row.flow.state == "waiting"
    with pytest.raises(AnswerRefused, match="answered already"):
        give(found)
    # A word of before, come late, changes nothing; the dispute is open until the client's next.
    say(found, "203", platform_id="late")
    assert found.status_code == "209"
    assert Dispute.objects.filter(closed_at=None).exists() is (code == "207")
    say(found, "205", at=datetime.now() + LATER)
    assert (found.status_code, found.group) == ("205", "client")
    assert not Dispute.objects.filter(closed_at=None).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("how", ["at the door", "by its checks"])
def test_one_that_the_platform_turns_away_is_to_be_given_again(how):
    found = disputed()
    row = give(found)
    if how == "at the door":
        PlatformFlow.objects.filter(pk=row.flow_id).update(state="refused")
        note_refusal(row.flow_id)
    else:
        taken = {"state": "sent", "platform_id": "a", "sent_at": timezone.now()}
        PlatformFlow.objects.filter(pk=row.flow_id).update(**taken)
        assert acknowledge("a", "Error", [{"reasonCode": "IRR_TYPE_F"}], timezone.now())
    found.refresh_from_db()
    assert (found.status_code, found.group) == ("207", "disputed")
    told = InvoiceEvent.objects.filter(invoice=found.invoice_id, data__what="answer_refused")
    assert told.count() == 1
    give(found, words="Encore une fois.")
    assert found.group == "client"


@pytest.mark.django_db
def test_nothing_is_answered_that_nobody_asked():
    (found,) = at_platform(make_transmission())
    with pytest.raises(AnswerRefused, match="neither disputes nor suspends"):
        give(found)
    found = disputed()
    for words, file in ((" ", None), ("x" * 1_001, None), ("x", Attachment("a", "b", b""))):
        with pytest.raises(AnswerRefused):
            give(found, words=words, file=file)
    assert not LifecycleStatus.objects.filter(code="209").exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_answer_at_once_send_one_answer():
    found = disputed()

    def act():
        try:
            give(type(found).objects.get(pk=found.pk))
        except AnswerRefused:
            return "refused"
        return "sent"

    assert sorted(at_once(act, act)) == ["refused", "sent"]
    assert LifecycleStatus.objects.filter(code="209").count() == 1


def test_on_its_page(clerk_client):
    found = disputed()
    url = f"/invoices/platform/{found.pk}/answer/"
    assert "Bon de livraison ?" in clerk_client.get(url).text
    assert url in clerk_client.get(f"/invoices/{found.invoice_id}/?tab=einvoice").text

    def post(name, content, words="Voici"):
        file = SimpleUploadedFile(name, content)
        return clerk_client.post(url, {"once": new_key(), "words": words, "file": file})

    for name, content in (("a.pdf", b"<script>"), ("a.pdf", b""), ("a.svg", b"<svg/>")):
        assert post(name, content).status_code == 422
    assert post("a.pdf", b"%PDF-", words="").status_code == 422
    assert post("../../bon é.pdf", b"%PDF-1.4").status_code == 303
    (inside,) = etree.fromstring(bytes(found.statuses.get(code="209").content)).iter(
        "{*}AttachmentBinaryObject"
    )
    assert inside.get("filename") == "bon é.pdf"
    # Afterwards there is nothing to answer, and the page says what was answered.
    assert clerk_client.get(url).status_code == 303
    assert "We answered" in clerk_client.get(f"/invoices/{found.invoice_id}/?tab=einvoice").text


@pytest.mark.django_db(transaction=True)
def test_a_credit_note_and_the_clients_word_of_the_same_moment_end_the_dispute():
    """Each locks the invoice first: neither waits for what the other holds."""
    invoice = make_issued(on=timezone.localdate())
    (found,) = at_platform(transmit(invoice_id=invoice.pk, by=None))
    say(found, "207", at=datetime.now() + LATER, reason_code="QTE_ERR", reason="Trop")
    on = timezone.localdate()
    note, said = at_once(
        lambda: issue_credit_note(invoice_id=invoice.pk, reason="Erreur", by=None, on=on),
        lambda: say(type(found).objects.get(pk=found.pk), "205", at=datetime.now() + 2 * LATER),
    )
    assert (note.transmission.flow.state, said[0].code) == ("waiting", "205")
    assert not Dispute.objects.filter(closed_at=None).exists()
    found.refresh_from_db()
    assert (found.status_code, found.group) == ("205", "client")
