"""The language of mails: names in braces, nothing else; one text makes both parts."""

import pytest
from django.urls import reverse

from billing_portal.idempotency import new_key
from invoices.invoicing.mail_words import WORDINGS
from invoices.invoicing.sending import queue_invoice
from invoices.models import MailWording, Message
from invoices.outbox import changing_words, delivering
from invoices.outbox.changing_words import WordsChanged, WordsRefused, keep, words_now
from invoices.outbox.wording import Block, Link, filled, problems_of, wordings
from tests.factories import make_company, make_issued

INVOICE = WORDINGS[0]
BODY = "Cher client,\n\nVoici {number} pour {client}.\n\n{amounts}\n\n{phone}"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("Voici {numero}", "there is no {numero} here"),
        ("Voici {number", "no name in braces"),
        ("Voici number}", "no name in braces"),
        ("{number.__class__}", "no name in braces"),
        ("{number!r}", "no name in braces"),
        ("{{ settings.SECRET_KEY }}", "no name in braces"),
        ("{% include 'x' %}", "no name in braces"),
        ("À payer : {amounts}", "on a line of its own"),
    ],
)
def test_a_text_is_refused_with_its_line_and_the_reason(line, sentence):
    (problem,) = problems_of(INVOICE, "Facture {number}", f"Bonjour,\n{line}\n{{amounts}}")[:1]
    assert problem.line == 2
    assert sentence in problem.text


def test_a_block_in_the_subject_and_a_text_without_what_it_needs_are_refused():
    assert problems_of(INVOICE, "{amounts}", "{amounts}")[0].line == 0
    assert "{amounts}" in problems_of(INVOICE, "x", "Bonjour")[0].text
    assert problems_of(INVOICE, "{kind} {number}", BODY) == []


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_standard_texts_can_be_used(language):
    assert len(wordings()) == 4
    for each in wordings():
        assert problems_of(each, *each.standard[language]) == []


def test_both_parts_say_the_same_and_nothing_typed_is_markup():
    block = Block((("Total", ("1 200 €",)), ("", ("Déjà réglée.",)), ("Parts", ("a", "b"))))
    values = {
        "number": "<b>F-1</b> {client}",
        "client": "A & B",
        "amounts": block,
        "link": Link("https://x/?a=1&b", "Lire"),
    }
    body = "Voici {number}, {client}.\n{phone}\n\n{amounts}\n\n{link}\n\nFin <i>\n{phone}"
    subject, text, html = filled("Facture\n{number}", body, values)
    assert subject == "Facture <b>F-1</b> {client}"
    assert text == (
        "Voici <b>F-1</b> {client}, A & B.\n\nTotal: 1 200 €\nDéjà réglée.\nParts:\n  a\n  b\n\n"
        "https://x/?a=1&b\n\nFin <i>\n"
    )
    assert "<b>" not in html and "&lt;b&gt;F-1&lt;/b&gt; {client}, A &amp; B.</p>" in html
    assert 'href="https://x/?a=1&amp;b"' in html
    assert "Fin &lt;i&gt;" in html


# ─ Kept, with who and when


@pytest.mark.django_db
def test_a_mail_leaves_with_the_words_of_staff_and_again_with_the_standard_ones(postbox, clerk):
    kept = keep(INVOICE, "fr", subject="Pour {client}", body=BODY, seen=0, by=clerk)
    invoice = make_issued()
    delivering.deliver(queue_invoice(invoice_id=invoice.pk, by=None).pk)
    text = postbox.mails[0].get_body(("plain",)).get_content()
    assert postbox.mails[0]["Subject"] == f"Pour {invoice.client.name}"
    assert "Cher client," in text and "Montant TTC" in text
    back = changing_words.back_to_standard(INVOICE, "fr", seen=kept.pk, by=clerk)
    assert back.is_standard
    assert words_now(INVOICE, "fr") == INVOICE.standard["fr"]
    assert [row.by for row in MailWording.objects.all()] == [clerk, clerk]


@pytest.mark.django_db
def test_what_somebody_else_kept_meanwhile_is_not_written_over(clerk):
    first = keep(INVOICE, "fr", subject="a", body=BODY, seen=0, by=clerk)
    with pytest.raises(WordsChanged, match="Maëlle"):
        keep(INVOICE, "fr", subject="b", body=BODY, seen=0, by=clerk)
    assert keep(INVOICE, "fr", subject="a", body=BODY, seen=first.pk, by=clerk) is None
    with pytest.raises(WordsRefused, match="Line 2: there is no"):
        keep(INVOICE, "en", subject="a", body="Hello\n{x}\n{amounts}", seen=0, by=clerk)
    assert MailWording.objects.count() == 1


# ─ The pages


@pytest.mark.django_db
def test_the_page_saves_shows_it_on_a_real_invoice_and_sends_a_test_to_oneself(clerk_client, clerk):
    invoice = make_issued()
    url = reverse("invoices:wording", args=["invoice", "fr"])
    given = {"subject": "Test {number}", "body": BODY, "seen": "0", "number": ""}
    shown = clerk_client.post(f"{url}preview/", given).text
    assert f"Voici {invoice.number} pour {invoice.client.name}." in shown
    assert "Montant TTC" in shown
    wrong = clerk_client.post(f"{url}preview/", {**given, "body": "{x}\n{amounts}"}).text
    assert "Line 1: there is no {x} here" in wrong
    unknown = clerk_client.post(f"{url}preview/", {**given, "number": "F-9"}).text
    assert "no document F-9" in unknown
    tested = {**given, "once": new_key()}
    assert clerk_client.post(f"{url}test/", tested).status_code == 200
    (mail,) = Message.objects.filter(kind=changing_words.TEST)
    assert (mail.to, mail.invoice) == ([clerk.email], None)
    assert mail.subject == f"[Test] Test {invoice.number}"
    refused = clerk_client.post(url, {**given, "body": "Bonjour\n{oops", "once": new_key()})
    assert refused.status_code == 422
    assert "Line 2: “{oops” is no name in braces" in refused.text
    assert clerk_client.post(url, {**given, "once": new_key()}).status_code == 303
    page = clerk_client.get(url).text
    assert "Back to the standard text" in page and "Maëlle" in page
    row = MailWording.objects.get()
    assert (
        clerk_client.post(f"{url}standard/", {"seen": row.pk, "once": new_key()}).status_code == 303
    )
    assert MailWording.objects.first().is_standard
    assert clerk_client.get(reverse("invoices:wordings")).status_code == 200
    assert clerk_client.get(reverse("invoices:wording", args=["nothing", "fr"])).status_code == 404


def test_a_version_that_nobody_wrote_is_refused_with_a_sentence(admin_client):
    make_company()
    url = reverse("invoices:wording-standard", args=["invoice", "fr"])
    answer = admin_client.post(url, {"seen": "9" * 30, "once": new_key()})
    assert answer.status_code == 422
    assert "out of date" in answer.text
