"""Files beside a document: taken by what is in them, carried by its mails, kept as they left."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from billing_portal.accounts.models import User
from invoices.attachments import keeping
from invoices.attachments.keeping import AttachmentRefused, add, remove, safe_name
from invoices.attachments.kinds import CSV, DOCX, JPEG, PDF, PNG, XLSX, Unknown, kind_of
from invoices.invoicing.sending import queue_invoice
from invoices.models import Attachment, Invoice, Message, StoredFile
from invoices.outbox import delivering
from invoices.outbox.settling_doubts import cancel, resend
from invoices.quotes import links, sending
from tests.factories import make_company, make_draft, make_issued, make_user
from tests.invoices.quotes.making import write_quote
from tests.race import at_once

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)
A_PDF, A_PNG = b"%PDF-1.7\nterms", b"\x89PNG\r\n\x1a\n0000"
A_TABLE = "Poste;Montant\r\nÉtude;12,50\r\n".encode("cp1252")


def office(*parts):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for part in ("[Content_Types].xml", *parts):
            archive.writestr(part, "x")
    return file.getvalue()


def attached(owner, content=A_PDF, name="Terms.pdf", by=None):
    return add(owner=owner, name=name, content=content, by=by)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (A_PDF, PDF), (A_PNG, PNG), (b"\xff\xd8\xff\xe0JFIF", JPEG), (A_TABLE, CSV),
        (office("xl/workbook.xml"), XLSX), (office("word/document.xml"), DOCX),
        (b"MZ\x90\x00;", "other"), (b"\x7fELF;", "other"), (b"words without a table", "other"),
        (office("AndroidManifest.xml"), "other"), (b"PK\x03\x04broken;", "other"),
        (office("xl/workbook.xml", "xl/vbaProject.bin"), "macros"),
        (b"<svg xmlns='x'><script>1;</script></svg>", "markup"),
        (b"a;b\n<ScRipt>alert(1)</sCript>", "markup"), (b"", "other"),
    ],
)  # fmt: skip
def test_a_file_is_what_is_in_it(content, kind):
    try:
        found = kind_of(content)
    except Unknown as unknown:
        found = unknown.code
    assert found == kind


@given(st.text(max_size=300))
def test_a_name_is_one_line_without_a_path_whatever_it_was(text):
    name = safe_name(text)
    assert 0 < len(name) <= 120
    assert not set(name) & set('/\\<>:"|?*;\r\n\0\u202e')
    assert safe_name(name) == name


def test_what_does_not_travel_is_refused_in_words_and_the_same_file_is_kept_once(monkeypatch):
    invoice, other = make_draft(), make_draft()
    first = attached(invoice, name="../../Conditions générales\u202e.exe")
    # What it is called follows from what it is.
    assert first.filename == "Conditions générales.exe.pdf"
    assert attached(invoice, name="again.pdf") == first
    assert attached(other).file == first.file
    assert StoredFile.objects.count() == 1
    for content, words in ((b"", "is empty"), (b"MZ\x90;", "PDF, PNG, JPEG")):
        with pytest.raises(AttachmentRefused, match=words):
            attached(invoice, content)
    monkeypatch.setattr(keeping, "MOST_BYTES", 20)
    with pytest.raises(AttachmentRefused, match="larger than"):
        attached(invoice, A_PDF + b"x" * 20)
    monkeypatch.setattr(keeping, "MOST_IN_ALL", 20)
    with pytest.raises(AttachmentRefused, match="mail servers refuse"):
        attached(invoice, A_PNG)
    monkeypatch.setattr(keeping, "MOST_FILES", 1)
    with pytest.raises(AttachmentRefused, match="At most 1"):
        attached(invoice, A_PNG)
    remove(attachment_id=first.pk, by=None)
    assert StoredFile.objects.count() == 1
    remove(attachment_id=other.attachments.get().pk, by=None)
    assert not StoredFile.objects.exists() and not Attachment.objects.exists()


def files_of(mail):
    return {part.get_filename(): part.get_payload(decode=True) for part in mail.iter_attachments()}


def test_a_mail_carries_them_byte_for_byte_and_says_later_what_it_carried(postbox):
    who = make_user()
    invoice = make_issued()
    sealed = Invoice.objects.values_list("seal", "content_hash").get(pk=invoice.pk)
    terms = attached(invoice, name="Conditions générales.pdf")
    table = attached(invoice, A_TABLE, "Détail.csv")
    assert Invoice.objects.values_list("seal", "content_hash").get(pk=invoice.pk) == sealed
    message = queue_invoice(invoice_id=invoice.pk, recipients=["pay@client.example"], by=who)
    with pytest.raises(AttachmentRefused, match="cancel that email"):
        remove(attachment_id=terms.pk, by=who)
    assert delivering.deliver(message.pk) == "sent"
    found = files_of(postbox.mails[0])
    assert found.pop(invoice.documents.get(kind="pdf").filename).startswith(b"%PDF")
    assert found == {"Conditions générales.pdf": A_PDF, "Détail.csv": A_TABLE}
    # Taken away now, it left all the same.
    remove(attachment_id=terms.pk, by=who)
    terms.refresh_from_db()
    assert terms.removed_by == who and terms in message.enclosures.all()
    again = resend(message_id=message.pk, by=who)
    assert list(again.enclosures.all()) == [table]
    # One that was called off carries it no more when it is sent after all.
    cancel(message_id=again.pk, by=who)
    remove(attachment_id=table.pk, by=who)
    assert not again.enclosures.exists()


@pytest.mark.django_db(transaction=True)
def test_sent_and_taken_away_at_once_it_goes_whole_or_not_at_all():
    invoice = make_issued()
    found = attached(invoice)
    ends = at_once(
        lambda: queue_invoice(invoice_id=invoice.pk, recipients=["a@b.example"], by=None),
        lambda: remove(attachment_id=found.pk, by=None),
        lambda: attached(invoice, A_PNG, "a.png"),
        lambda: attached(invoice, A_PNG, "b.png"),
    )
    message = Message.objects.get()
    carried = found in message.enclosures.all()
    assert carried == isinstance(ends[1], AttachmentRefused)
    assert carried == (Attachment.objects.get(pk=found.pk).removed_at is None)
    assert invoice.attachments.filter(filename__endswith=".png").count() == 1


def test_the_card_takes_the_good_ones_and_names_the_others(clerk_client):
    invoice = make_draft()
    assert (
        reverse("invoices:attachments", args=[invoice.pk])
        in clerk_client.get(reverse("invoices:edit", args=[invoice.pk])).text
    )
    url = reverse("invoices:attachment-add", args=[invoice.pk])
    files = [SimpleUploadedFile("a.pdf", A_PDF), SimpleUploadedFile("b.exe", b"MZ\x90\x00")]
    answer = clerk_client.post(url, {"files": files}, headers={"HX-Request": "true"})
    assert answer.status_code == 422 and "<html" not in answer.text
    assert "a.pdf" in answer.text and "b.exe is none of the files" in answer.text
    kept = Attachment.objects.get()
    got = clerk_client.get(reverse("invoices:attachment", args=[kept.pk]))
    assert got.content == A_PDF and got["X-Content-Type-Options"] == "nosniff"
    assert got["Content-Disposition"] == 'attachment; filename="a.pdf"'
    gone = clerk_client.post(reverse("invoices:attachment-remove", args=[kept.pk]))
    assert gone.status_code == 200 and not Attachment.objects.exists()


def test_only_who_sees_the_document_gets_its_files(client):
    kept = attached(make_draft())
    client.force_login(make_user(role=User.Role.SALES))
    assert client.get(reverse("invoices:attachment", args=[kept.pk])).status_code == 404
    url = reverse("invoices:attachment-remove", args=[kept.pk])
    assert client.post(url).status_code == 403


def test_the_client_of_a_quote_finds_those_that_are_shown_and_no_other(clerk_client, client):
    make_company()
    quote = write_quote()
    shown, hidden = attached(quote), attached(quote, A_PNG, "inside.png")
    clerk_client.post(reverse("invoices:attachment-show", args=[shown.pk]), {"shown": "1"})
    sent = sending.send(
        version_id=quote.version_id, recipients=["pay@client.example"], by=None, on=ON
    )
    assert Message.objects.get().enclosures.count() == 2
    token = links.path_of(sent).strip("/").split("/")[-1]
    page = client.get(links.path_of(sent)).text
    assert "Terms.pdf" in page and "inside.png" not in page
    url = [reverse("invoices:guest-file", args=[token, each.pk]) for each in (shown, hidden)]
    assert client.get(url[0]).content == A_PDF
    assert client.get(url[1]).status_code == 404
    assert client.get(reverse("invoices:guest-file", args=["forged", shown.pk])).status_code == 404
