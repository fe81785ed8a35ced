"""Why a line is exempt is chosen from rows of the law; its sentence stands on every document."""

from __future__ import annotations

from datetime import date

import pytest
from django.urls import reverse
from moneyed import Money

from billing_portal.confirming import Shown, facts_of
from billing_portal.idempotency import new_key
from invoices.company.exemptions import SOWN, sow
from invoices.invoicing import drafting
from invoices.invoicing.crediting import issue_credit_note
from invoices.invoicing.issuing import issue
from invoices.invoicing.readiness import reasons_not_to_issue
from invoices.models import ExemptionReason
from tests.confirm import token_on
from tests.factories import make_draft
from tests.invoices.invoicing.test_draft_pages import posted
from tests.test_editing import open_page

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)
TRAINING = "Exonération de TVA, article 261, 4, 4° a du CGI."


def training():
    return ExemptionReason.objects.get(sentence_fr=TRAINING)


def exempt_draft(why, **fields):
    draft = make_draft(**fields)
    draft.lines.update(vat_category="E", vat_rate=0, exemption=why)
    drafting.recalculate(draft)
    return draft


def token_of_row(row):
    return Shown(facts_of(row)).token


def refusals(draft):
    return [each.text for each in reasons_not_to_issue(draft, ON)]


def said(invoice):
    invoice.refresh_from_db()
    return invoice.paper["exemptions"]


def test_the_rows_are_sown_once():
    assert ExemptionReason.objects.count() == len(SOWN)
    ExemptionReason.objects.filter(category="E").exclude(pk=training().pk).delete()
    sow()
    assert ExemptionReason.objects.filter(category="E").count() == 1
    codes = {each["code"][:15] for each in SOWN if each["category"] == "E"}
    assert codes == {"VATEX-FR-CGI261"}
    # A portal from before they were known gets those of reverse charge, and only them.
    ExemptionReason.objects.filter(category="AE").delete()
    sow()
    assert ExemptionReason.objects.filter(category="AE").count() == 2


def test_a_line_with_its_reason_needs_no_note_and_the_page_says_why():
    draft = exempt_draft(training())
    assert refusals(draft) == []
    invoice = issue(invoice_id=draft.pk, by=None, on=ON)
    assert said(invoice) == [TRAINING]
    assert refusals(exempt_draft(None)) == [
        "No VAT is charged: the note must name the article of law."
    ]


@pytest.mark.parametrize("given", [{}, {"amount": Money("250", "EUR")}])
def test_a_credit_note_says_what_its_invoice_said(given):
    invoice = issue(invoice_id=exempt_draft(training()).pk, by=None, on=ON)
    note = issue_credit_note(invoice_id=invoice.pk, reason="An error", by=None, on=ON, **given)
    assert said(note) == [TRAINING]
    by_hand = exempt_draft(None, note="Article 261 A du CGI")
    invoice = issue(invoice_id=by_hand.pk, by=None, on=ON)
    note = issue_credit_note(invoice_id=invoice.pk, reason="An error", by=None, on=ON, **given)
    assert said(note) == ["Article 261 A du CGI"]


def test_a_credit_by_amount_says_all_the_reasons_of_its_invoice():
    other = ExemptionReason.objects.exclude(pk=training().pk).first()
    draft = exempt_draft(training(), lines=((1, "100"), (1, "200")))
    draft.lines.filter(position=2).update(exemption=other)
    invoice = issue(invoice_id=draft.pk, by=None, on=ON)
    note = issue_credit_note(
        invoice_id=invoice.pk, amount=Money("50", "EUR"), reason="An error", by=None, on=ON
    )
    assert set(said(note)) == {TRAINING, other.sentence_fr} == set(said(invoice))


def test_a_reason_whose_days_are_over_is_refused():
    ExemptionReason.objects.update(ends_on=date(2026, 11, 23))
    (text,) = refusals(exempt_draft(training()))
    assert "is no reason for no VAT on 24" in text
    draft = exempt_draft(training())
    draft.service_until = date(2026, 11, 20)
    assert refusals(draft) == []


def test_the_editor_offers_the_reasons_of_the_day_and_keeps_the_chosen_one(clerk_client):
    draft = make_draft()
    url = reverse("invoices:edit", args=[draft.pk])
    ended = ExemptionReason.objects.exclude(pk=training().pk).first()
    ExemptionReason.objects.filter(pk=ended.pk).update(ends_on=date(2020, 1, 1))
    offered = clerk_client.get(url).context["vat"].values
    assert f"E:0:{training().pk}" in offered and f"E:0:{ended.pk}" not in offered
    line = {"description": "Course", "unit_price": "100", "vat": f"E:0:{training().pk}"}
    assert clerk_client.post(url, posted(draft, line)).status_code == 302
    row = draft.lines.get()
    assert (row.vat_category, row.exemption) == ("E", training())
    shown = clerk_client.get(url).text
    assert f'<option value="E:0:{training().pk}" selected>' in shown
    wrong = clerk_client.post(url, posted(draft, line | {"vat": "E:0:999999"}))
    assert wrong.status_code == 422
    assert "Choose why there is no VAT on the line." in wrong.text
    # The reason belongs to the exemption: with another category it is gone.
    clerk_client.post(url, posted(draft, line | {"vat": f"S:20:{training().pk}"}))
    assert draft.lines.get().exemption is None


def test_a_document_in_english_says_it_in_english():
    invoice = issue(invoice_id=exempt_draft(training(), language="en").pk, by=None, on=ON)
    assert said(invoice) == ["Exempt from VAT, article 261, 4, 4° a of the French tax code."]


# ─ The rows in Settings → Rates ─────────────────────────────────────────────────────────────────
NEW = {
    "category": "E",
    "code": "vatex-fr-cgi261a",
    "name_fr": "Transports sanitaires",
    "name_en": "Transport of the sick",
    "sentence_fr": "Exonération de TVA, article 261, 4, 3° du CGI.",
    "sentence_en": "Exempt from VAT, article 261, 4, 3° of the French tax code.",
    "starts_on": "01/01/2026",
    "ends_on": "",
    "source": "CGI 261",
}


def test_an_administrator_adds_and_removes_a_reason(admin_client):
    url = reverse("company:exemption_new")
    given = NEW | {"once": new_key()}
    for field, value, told in [
        ("code", "CGI261", "Write a code of the list VATEX"),
        ("ends_on", "01/01/2025", "The last day is before the first."),
        ("sentence_en", "", "This field is required."),
    ]:
        answer = admin_client.post(url, given | {field: value})
        assert answer.status_code == 422 and told in answer.text
    assert admin_client.post(url, given).status_code == 302
    row = ExemptionReason.objects.get(name_en="Transport of the sick")
    assert row.code == "VATEX-FR-CGI261A"
    assert "there from that day already" in admin_client.post(url, given).text
    gone = reverse("company:exemption_delete", args=[row.pk])
    token = token_of_row(row)
    assert admin_client.post(gone, {"confirmed": token, "once": new_key()}).status_code == 303
    assert not ExemptionReason.objects.filter(pk=row.pk).exists()


def test_what_stands_on_a_document_is_ended_and_not_changed(admin_client):
    row = training()
    issue(invoice_id=exempt_draft(row).pk, by=None, on=ON)
    url = reverse("company:exemption", args=[row.pk])
    given = open_page(admin_client, url)
    refused = admin_client.post(url, given | {"sentence_fr": "Autre chose."})
    assert refused.status_code == 422 and "It stands on issued documents" in refused.text
    given = open_page(admin_client, url)
    assert admin_client.post(url, given | {"ends_on": "31/12/2027"}).status_code == 303
    # Removed it would leave the documents without their reason.
    gone = reverse("company:exemption_delete", args=[row.pk])
    row.refresh_from_db()
    kept = admin_client.post(gone, {"confirmed": token_of_row(row), "once": new_key()})
    assert kept.status_code == 302 and kept["Location"] == url
    row.refresh_from_db()
    assert row.ends_on == date(2027, 12, 31) and row.sentence_fr == TRAINING


def test_a_sentence_that_was_changed_while_the_dialog_was_open_is_looked_at_again(clerk_client):
    draft = exempt_draft(training())
    url = reverse("invoices:issue", args=[draft.pk])
    token = token_on(clerk_client.get(url))
    ExemptionReason.objects.filter(pk=training().pk).update(sentence_fr="Autre chose.")
    answer = clerk_client.post(url, {"confirmed": token, "once": new_key(), "issue": "1"})
    assert answer.status_code == 422
    draft.refresh_from_db()
    assert draft.is_draft
