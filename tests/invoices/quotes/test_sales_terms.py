"""The general terms of sale: versions that never change, sent and accepted with quotes."""

from __future__ import annotations

import hashlib
from io import BytesIO

import pikepdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.urls import reverse

from billing_portal.idempotency import new_key
from invoices.company import sales_terms
from invoices.company.sales_terms import SalesTermsRefused, bring_in_force, paragraphs
from invoices.models import Message, QuoteAcceptance, SalesTerms
from invoices.quotes import links
from invoices.quotes.mails import OfferMail
from tests.factories import make_company
from tests.invoices.quotes.making import TODAY, accept, send_quote, written_today
from tests.race import at_once

pytestmark = pytest.mark.django_db
TEXT = "# 1. Objet\n\nCes conditions régissent nos ventes.\n\n# 2. Prix\n\nHors taxes."


def in_force(text=TEXT, **more):
    make_company()
    return bring_in_force(**{"language": "fr", "text": text, "by": None, "on": TODAY, **more})


def a_pdf(change=None):
    out = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        if change:
            change(pdf)
        pdf.save(out)
    return out.getvalue()


def test_a_quote_leaves_with_the_version_of_its_day_and_who_accepts_it_accepts_that(client):
    first = in_force()
    quote = send_quote()
    in_force("Autre texte")
    assert send_quote().version.sales_terms.number == 2
    version = quote.version
    assert version.sales_terms == first
    message = Message.objects.filter(kind="quote").earliest("pk")
    names = [file.name for file in OfferMail().files(message)]
    assert names == [version.documents.get().filename, "CGV-v1.pdf"]
    token = links.address_of(version).rstrip("/").rsplit("/", 1)[-1]
    page = client.get(reverse("invoices:guest-quote", args=[token])).text
    assert "version 1 du" in page and "Ces conditions régissent nos ventes." in page
    got = client.get(reverse("invoices:guest-terms", args=[token]))
    assert hashlib.sha256(got.content).hexdigest() == first.sha256
    accept(quote)
    kept = QuoteAcceptance.objects.get()
    assert (kept.sales_terms, kept.sales_terms_sha256) == (first, first.sha256)


def test_without_terms_in_its_language_a_quote_leaves_without(client):
    make_company()
    bring_in_force(language="en", text="Terms", by=None, on=TODAY)
    in_force()
    sales_terms.take_out_of_force(language="fr", by=None, on=TODAY)
    quote = send_quote()
    assert quote.version.sales_terms is None
    token = links.address_of(quote.version).rstrip("/").rsplit("/", 1)[-1]
    assert client.get(reverse("invoices:guest-terms", args=[token])).status_code == 404
    accept(quote)
    assert QuoteAcceptance.objects.get().sales_terms_sha256 == ""
    # Numbers go on: no version is given twice.
    assert in_force("Encore").number == 3


def test_a_version_is_neither_changed_nor_deleted_and_a_quote_keeps_its_own():
    first = in_force()
    quote = send_quote()
    for act in (
        lambda: SalesTerms.objects.update(text="x"),
        lambda: SalesTerms.objects.filter(pk=first.pk)._raw_delete("default"),
        lambda: type(quote.version).objects.filter(pk=quote.version_id).update(sales_terms=None),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


@pytest.mark.django_db(transaction=True)
def test_two_who_bring_terms_at_once_make_two_versions():
    make_company()
    at_once(*(lambda n=n: in_force(f"Texte {n}") for n in range(2)))
    assert sorted(SalesTerms.objects.values_list("number", flat=True)) == [1, 2]


def _script(pdf):
    pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")


def _locked():
    out = BytesIO()
    with pikepdf.open(BytesIO(a_pdf())) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="a", user="b"))
    return out.getvalue()


def test_a_file_that_clients_could_not_read_or_should_not_open_is_refused_in_words():
    make_company()
    for content, says in (
        (b"MZ\x90", "no PDF"),
        (b"%PDF-1.7 broken", "cannot be opened"),
        (a_pdf(_script), "scripts"),
        (_locked(), "password"),
        (a_pdf() + b"\0" * 5_000_001, "make it smaller"),
    ):
        with pytest.raises(SalesTermsRefused, match=says):
            bring_in_force(language="fr", pdf=content, by=None, on=TODAY)
    with pytest.raises(SalesTermsRefused, match="one of both"):
        bring_in_force(language="fr", text="x", pdf=a_pdf(), by=None, on=TODAY)
    assert not SalesTerms.objects.exists()


def test_the_page_brings_terms_in_force_once_and_takes_them_out(admin_client, clerk_client):
    make_company()
    url = reverse("company:sales-terms")
    assert clerk_client.get(url).status_code == 403
    given = {"language": "fr", "text": TEXT, "once": new_key()}
    for _twice in range(2):
        admin_client.post(url, given)
    assert SalesTerms.objects.count() == 1
    again = admin_client.post(url, {**given, "once": new_key()})
    assert again.status_code == 422 and "says just this" in again.text
    upload = SimpleUploadedFile("cgv.pdf", a_pdf(), content_type="application/pdf")
    admin_client.post(url, {"language": "en", "text": "", "file": upload, "once": new_key()})
    english = SalesTerms.objects.get(language="en")
    assert "version 1, since" in admin_client.get(url).text
    got = clerk_client.get(reverse("company:sales-terms-file", args=[english.pk]))
    assert got.content == bytes(english.content)
    assert (
        "version 1"
        in clerk_client.get(reverse("invoices:quote-edit", args=[written_today().pk])).text
    )
    admin_client.post(reverse("company:sales-terms-stop", args=["fr"]), {"once": new_key()})
    assert SalesTerms.objects.in_force("fr") is None


@pytest.mark.prints
def test_the_text_is_printed_and_the_pages_of_the_quote_name_it():
    first = in_force()
    quote = send_quote()
    accept(quote)
    assert "Conditions générales de vente" in text_of(bytes(first.content))
    assert "1. Objet" in text_of(bytes(first.content))
    sent, accepted = quote.version.documents.order_by("pk")
    said = "Conditions générales de vente, version 1"
    assert said in text_of(bytes(sent.content)) and said in text_of(bytes(accepted.content))
    assert first.sha256 in text_of(bytes(accepted.content)).replace("\n", "")


def text_of(content):
    from pypdf import PdfReader

    pages = PdfReader(BytesIO(content)).pages
    return " ".join("\n".join(page.extract_text() for page in pages).split(" "))


def test_headings_and_paragraphs_are_read_as_they_are_typed():
    assert paragraphs("Vor\r\n\r\n# A\r\nb\r\nc\r\n\r\nd") == [
        ("", ["Vor"]),
        ("A", ["b\nc", "d"]),
    ]
