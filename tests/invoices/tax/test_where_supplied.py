"""Where goods are delivered and where a service is: typed, judged, printed, sealed, kept."""

from __future__ import annotations

import html
from datetime import date
from io import BytesIO

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from lxml import etree
from pypdf import PdfReader

from billing_portal.seals import parts_of
from invoices.clients.vat import vat_treatment
from invoices.documents.paper import Paper
from invoices.invoicing import copying, deciding_otherwise, drafting
from invoices.invoicing.crediting import issue_credit_note
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.issuing import issue
from invoices.invoicing.readiness import reasons_not_to_issue, warnings_before_issue
from invoices.models import Client, Company, Invoice
from invoices.models.facts import VERSIONS, newest
from invoices.models.supplied import SUPPLIED
from invoices.quotes.beginning import copy_quote
from invoices.quotes.converting import bill_whole
from invoices.quotes.printing import paper_of as quote_paper
from invoices.subscriptions import making
from tests.factories import make_client, make_draft, make_user
from tests.invoices.quotes import making as quotes
from tests.invoices.subscriptions import making as subscriptions
from tests.page_forms import PageForms

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)
WHY = "The client sends them on with his own lorry"
GERMAN = {
    "country": "DE", "postal_code": "10115", "city": "Berlin", "vat_id": "DE129273398", "siren": "",
}  # fmt: skip
TO_REUNION = {
    "delivered_to": "other", "delivery_address": "Quai 4\nHangar 2",
    "delivery_postal_code": "97420", "delivery_city": "Le Port", "delivery_country": "RE",
}  # fmt: skip
TO_BERLIN = {**TO_REUNION, "delivery_postal_code": "10115", "delivery_country": "DE"}
TO_BERLIN["delivery_city"] = "Berlin"
TO_PARIS = {**TO_BERLIN, "delivery_postal_code": "75011", "delivery_country": "FR"}
AT_BERLIN = {"tie": "building", "tie_address": "Hotel am Zoo", "tie_country": "DE"}
AT_PARIS = {**AT_BERLIN, "tie_address": "Gare de Lyon", "tie_country": "FR"}
CII = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"


def goods_for(client, **header):
    draft = make_draft(client=client, service_from=ON, **header)
    draft.lines.update(nature="goods")
    return draft


def fields_of(text):
    """The editor's form as a page shows it; an input without a value is empty."""
    forms = PageForms(text).found
    found = next(fields for _address, fields in forms if "lines-TOTAL_FORMS" in fields)
    return {name: "" if value == "on" else value for name, value in found.items()}


def form_of(browser, draft):
    url = reverse("invoices:edit", args=[draft.pk])
    return url, fields_of(browser.get(url).text)


def vat_texts(draft):
    draft.refresh_from_db()
    return [each.text for each in reasons_not_to_issue(draft, ON) if each.field == "vat"]


def text_of(invoice):
    content = bytes(invoice.documents.get(kind="pdf").content)
    return " ".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages)


def delivered_in(invoice):
    """Country, city and lines of BG-13 and BG-15 in the e-invoice."""
    tree = etree.fromstring(bytes(invoice.documents.get(kind="xml").content))
    found = tree.find(f".//{CII}ShipToTradeParty/{CII}PostalTradeAddress")
    return {} if found is None else {each.tag.removeprefix(CII): each.text for each in found}


# ─ Typed in the editor, and followed by the lines ───────────────────────────────────────────────
def test_a_delivery_typed_in_the_editor_asks_for_the_vat_of_there_and_sets_it(clerk_client):
    draft = goods_for(make_client())
    url, typed = form_of(clerk_client, draft)
    saved = clerk_client.post(url, {**typed, **TO_REUNION, "act": "save"})
    assert saved.status_code == 302
    (text,) = vat_texts(draft)
    assert text == (
        "Line 1 bears VAT at 20%, and what is supplied in Guadeloupe, Martinique or Réunion bears "
        "no French VAT here: “Export”."
    )
    # The button shows what the rules want; nothing is kept before somebody saves it.
    url, typed = form_of(clerk_client, draft)
    assert typed["delivery_city"] == "Le Port" and typed["delivered_to"] == "other"
    fields = fields_of(clerk_client.post(url, {**typed, "act": "vat"}).text)
    assert fields["lines-0-vat"] == "G:0"
    assert draft.lines.get().vat_category == "S"
    assert clerk_client.post(url, {**fields, "act": "save"}).status_code == 302
    assert vat_texts(draft) == []
    invoice = issue(invoice_id=draft.pk, by=None, on=ON)
    assert (invoice.vat_minor, invoice.total_minor) == (0, 1000_00)
    assert "articles 262, I et 294, 2 du CGI" in invoice.paper["exemptions"][0]


def test_a_country_is_asked_for_and_what_was_typed_stays(clerk_client):
    draft = goods_for(make_client())
    url, typed = form_of(clerk_client, draft)
    wrong = {**typed, **TO_REUNION, "delivery_country": "", "tie": "event", "act": "save"}
    answer = clerk_client.post(url, wrong)
    assert answer.status_code == 422
    page = html.unescape(answer.text)
    assert "Choose the country of the delivery." in page
    assert "Choose the country in which the service takes place." in page
    assert "Hangar 2" in page and '<details class="fold mt-3" id="where-supplied" open>' in page
    draft.refresh_from_db()
    assert draft.delivered_to == ""


def test_the_usual_needs_no_word_and_the_group_is_closed(clerk_client):
    draft = make_draft()
    page = clerk_client.get(reverse("invoices:edit", args=[draft.pk])).text
    assert '<details class="fold mt-3" id="where-supplied">' in page


def test_an_address_that_the_choice_leaves_out_is_not_kept(clerk_client):
    draft = goods_for(make_client(), **TO_REUNION)
    url, typed = form_of(clerk_client, draft)
    assert clerk_client.post(url, {**typed, "delivered_to": "client", "act": "save"}).status_code
    draft.refresh_from_db()
    assert (draft.delivered_to, draft.delivery_city, draft.delivery_country) == ("client", "", "")


@pytest.mark.parametrize(
    "fields",
    [
        {"delivered_to": "other"},
        {"delivery_country": "DE"},
        {"delivered_to": "client", "delivery_city": "Berlin"},
        {"tie": "building"},
        {"tie_country": "DE"},
    ],
)
def test_the_database_keeps_no_half_an_address(fields):
    draft = make_draft()
    with pytest.raises(IntegrityError), transaction.atomic():
        Invoice.objects.filter(pk=draft.pk).update(**fields)


# ─ Decided by the delivery, printed and handed over ─────────────────────────────────────────────
@pytest.mark.parametrize(
    ("client", "where", "vat", "minor", "country"),
    [
        ({}, TO_REUNION, ("G", 0), 0, "RE"),
        ({}, TO_BERLIN, ("S", 20), 200_00, "DE"),
        (GERMAN, TO_BERLIN, ("K", 0), 0, "DE"),
        (GERMAN, TO_PARIS, ("S", 20), 200_00, "FR"),
        (GERMAN, {**TO_PARIS, "delivery_country": "MC"}, ("S", 20), 200_00, "MC"),
        ({"country": "US", "vat_id": "", "siren": ""}, TO_PARIS, ("S", 20), 200_00, "FR"),
        ({"country": "CH", "vat_id": "", "siren": ""}, TO_REUNION, ("G", 0), 0, "RE"),
    ],
)
@pytest.mark.prints
def test_goods_bear_the_vat_of_where_they_are_delivered(client, where, vat, minor, country):
    draft = goods_for(make_client(**client), **where)
    draft.lines.update(vat_category=vat[0], vat_rate=vat[1])
    drafting.recalculate(draft)
    assert vat_texts(draft) == []
    invoice = issue(invoice_id=draft.pk, by=None, on=ON)
    assert invoice.vat_minor == minor
    # The validators of EN 16931 and of France passed at issue; the address is theirs too.
    found = delivered_in(invoice)
    assert found["CountryID"] == country
    assert (found["LineOne"], found["LineTwo"]) == ("Quai 4", "Hangar 2")
    assert found["CityName"] == where["delivery_city"]
    assert "Livré à" in text_of(invoice) and "Hangar 2" in text_of(invoice)
    paper = Paper.from_json(invoice.paper)
    assert (paper.delivery_country, paper.delivery_address[0]) == (country, "Quai 4")


@pytest.mark.prints
def test_the_clients_page_says_where_goods_go_and_a_draft_may_say_otherwise():
    client = make_client(
        delivery_address="Quai 4", delivery_postal_code="97420", delivery_city="Le Port",
        delivery_country="RE",
    )  # fmt: skip
    draft = goods_for(client)
    assert "no French VAT here" in vat_texts(draft)[0]
    assert vat_treatment(client, Company.ours(), "goods").category == "G"
    Invoice.objects.filter(pk=draft.pk).update(delivered_to="client")
    assert vat_texts(draft) == []
    invoice = issue(invoice_id=draft.pk, by=None, on=ON)
    assert delivered_in(invoice) == {} and "Livré" not in text_of(invoice)


def test_what_was_delivered_is_frozen_sealed_copied_and_credited():
    draft = goods_for(make_client(), **TO_REUNION, **AT_PARIS)
    draft.lines.update(vat_category="G", vat_rate=0)
    drafting.recalculate(draft)
    invoice = issue(invoice_id=draft.pk, by=None, on=ON)
    assert parts_of(invoice.seal).version == newest("document")
    assert set(SUPPLIED) <= set(VERSIONS["document"][newest("document")])
    for name in SUPPLIED:
        with pytest.raises(IntegrityError), transaction.atomic():
            Invoice.objects.filter(pk=invoice.pk).update(**{name: "XX"})
    copied = copying.copy(invoice_id=invoice.pk, by=None, on=ON)
    assert copied.supplied == invoice.supplied
    Client.objects.filter(pk=invoice.client_id).update(**GERMAN)
    note = issue_credit_note(invoice_id=invoice.pk, reason="Returned", by=None, on=ON)
    assert note.paper["delivery_country"] == "RE"
    assert note.paper["exemptions"] == invoice.paper["exemptions"]


# ─ A building, an event ─────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("client", [GERMAN, {"country": "US", "vat_id": "", "siren": ""}, {}])
@pytest.mark.prints
def test_a_building_in_france_bears_french_vat_whoever_the_client_is(client):
    draft = make_draft(client=make_client(**client), **AT_PARIS)
    assert vat_texts(draft) == []
    invoice = issue(invoice_id=draft.pk, by=None, on=ON)
    assert invoice.vat_minor == 200_00
    assert delivered_in(invoice)["CountryID"] == "FR"
    assert "Lieu de la prestation" in text_of(invoice) and "Gare de Lyon" in text_of(invoice)


def abroad(client, category):
    draft = make_draft(client=make_client(**client), **AT_BERLIN)
    draft.lines.update(vat_category=category, vat_rate=0)
    drafting.recalculate(draft)
    return draft


def test_a_client_registered_where_the_building_stands_accounts_for_its_vat():
    draft = abroad(GERMAN, "AE")
    assert vat_texts(draft) == []
    warned = [each.text for each in warnings_before_issue(draft, ON) if each.field == "tie_country"]
    assert "article 194" in warned[0]
    invoice = issue(invoice_id=draft.pk, by=None, on=ON)
    assert "article 194 de la directive" in invoice.paper["exemptions"][0]


def test_a_building_in_a_state_where_nobody_accounts_waits_for_an_administrator():
    draft = abroad({}, "O")
    (text,) = vat_texts(draft)
    assert "the company may have to register" in text
    with pytest.raises(IssueRefused, match="register"):
        issue(invoice_id=draft.pk, by=None, on=ON)
    admin = make_user(role="administrator")
    deciding_otherwise.decide_otherwise(invoice_id=draft.pk, reason=WHY, by=admin, on=ON)
    told = [each.text for each in warnings_before_issue(draft, ON)]
    assert any("A service in DE without the VAT of that state: decided by" in each for each in told)
    invoice = issue(invoice_id=draft.pk, by=None, on=ON)
    assert "article 259 A du CGI" in invoice.paper["exemptions"][0]
    assert delivered_in(invoice)["CountryID"] == "DE"


def test_reverse_charge_with_an_id_of_another_state_is_none_there():
    assert (
        "the service is in another state" in vat_texts(abroad({"vat_id": "ESB58378431"}, "AE"))[0]
    )


# ─ Sellers overseas ─────────────────────────────────────────────────────────────────────────────
OVERSEAS = [
    ({"country": "RE", "postal_code": "97400"}, {}, "services", ("S", 20), 200_00, ""),
    ({"country": "RE", "postal_code": "97400"}, {}, "goods", ("G", 0), 0, "294, 2"),
    ({"postal_code": "97400"}, {"postal_code": "97419"}, "goods", ("S", "8.5"), 85_00, ""),
    ({"postal_code": "97110"}, {"country": "MQ"}, "goods", ("S", "8.5"), 85_00, ""),
    ({"postal_code": "97110"}, {"country": "RE"}, "goods", ("G", 0), 0, "294, 2"),
    ({"postal_code": "97110"}, GERMAN, "goods", ("G", 0), 0, "262, I du CGI"),
    ({"postal_code": "97110"}, GERMAN, "services", ("AE", 0), 0, "article 196"),
    ({"postal_code": "97300"}, {"country": "GF"}, "services", ("O", 0), 0, "294, 1"),
    ({"postal_code": "97300"}, {}, "goods", ("O", 0), 0, "294, 1"),
    ({"postal_code": "97150"}, {}, "services", ("O", 0), 0, "256-0"),
    ({"country": "NC", "postal_code": "98800"}, {}, "services", ("O", 0), 0, "256-0"),
    ({"country": "MC", "postal_code": "98000"}, {}, "goods", ("S", 20), 200_00, ""),
    ({"country": "MC", "postal_code": "98000"}, GERMAN, "goods", ("K", 0), 0, "262 ter"),
    ({"postal_code": "20200"}, {}, "goods", ("S", 10), 100_00, ""),
]


@pytest.mark.parametrize(("seller", "client", "nature", "vat", "minor", "named"), OVERSEAS)
def test_a_seller_overseas_issues_by_the_law_of_its_territory(
    seller, client, nature, vat, minor, named
):
    draft = make_draft(client=make_client(**client), service_from=ON)
    Company.objects.update(**seller)
    draft.lines.update(vat_category=vat[0], vat_rate=vat[1], nature=nature)
    drafting.recalculate(draft)
    assert vat_texts(draft) == []
    invoice = issue(invoice_id=draft.pk, by=None, on=ON)
    assert invoice.vat_minor == minor
    assert named in " ".join(invoice.paper.get("exemptions", ()))
    # Of France and its departments the e-invoice is made, and was judged.
    assert invoice.documents.filter(kind="xml").exists() is (
        seller.get("country", "FR") in ("FR", "RE")
    )


@pytest.mark.parametrize(
    ("seller", "said"),
    [
        ({"postal_code": "97300"}, "sells it in Guyane or Mayotte, where none is charged"),
        ({"country": "BL"}, "sells it in an overseas collectivity, where none is charged"),
        ({"postal_code": "97400"}, "bears no French VAT here: “Export”"),
    ],
)
def test_vat_of_the_metropole_is_not_charged_from_there(seller, said):
    draft = goods_for(make_client())
    Company.objects.update(**seller)
    assert said in vat_texts(draft)[0]


# ─ Quotes and subscriptions hand it on ──────────────────────────────────────────────────────────
def test_while_the_country_is_missing_the_stored_place_counts(clerk_client):
    draft = goods_for(make_client(), **TO_REUNION)
    url, typed = form_of(clerk_client, draft)
    half = {**typed, "delivery_country": ""}
    live = clerk_client.post(reverse("invoices:totals", args=[draft.pk]), half)
    said = html.unescape(live.text)
    assert "Choose the country of the delivery." in said
    assert "Guadeloupe, Martinique or Réunion bears no French VAT" in said


def test_a_quote_says_where_it_goes_and_its_invoice_goes_there():
    goods = quotes.line("100", rate=0, vat_category="G", nature="goods")
    quote = quotes.unprinted_acceptance(lines=[goods], **TO_REUNION)
    version = quote.version
    paper = quote_paper(version, list(version.lines.all()), [], on=ON, number="D-1")
    assert (paper.delivery_country, paper.delivery_city) == ("RE", "Le Port")
    invoice = bill_whole(quote_id=quote.pk, by=None, on=ON)
    assert invoice.supplied == version.supplied
    assert vat_texts(invoice) == []
    copied = copy_quote(quote_id=quote.pk, by=None, on=ON)
    assert copied.version.supplied == version.supplied


def test_a_subscription_bills_each_period_where_its_service_is():
    line = subscriptions.line("100")
    found = subscriptions.started(lines=[line], client=make_client(**GERMAN), **AT_PARIS)
    with pytest.raises(IntegrityError), transaction.atomic():
        type(found).objects.filter(pk=found.pk).update(tie_country="")
    making.make_due(on=ON)
    invoices = Invoice.objects.filter(client=found.client)
    assert invoices.exists()
    for invoice in invoices:
        assert invoice.supplied == found.supplied
        assert vat_texts(invoice) == []
