"""A reason for no VAT fits where the client is, or an administrator says why it does."""

from __future__ import annotations

import html
from datetime import date
from decimal import Decimal
from itertools import product

import pytest
from django.urls import reverse

from billing_portal.idempotency import new_key
from invoices.invoicing import deciding_otherwise, drafting
from invoices.invoicing.deciding_otherwise import DecisionRefused
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.issuing import issue
from invoices.invoicing.readiness import reasons_not_to_issue, warnings_before_issue
from invoices.models import InvoiceEvent
from invoices.tax.judging import Charged, misplaced
from invoices.tax.supplies import Place, Supply
from invoices.tax.territories import Territory
from tests.confirm import confirm
from tests.factories import make_client, make_draft, make_user

ON = date(2026, 11, 24)
WHY = "The goods leave for Oran with our lorry"
# Which reason for no VAT may be true where: directive 2006/112/EC, articles 44, 138, 146, 196;
# CGI 259, 262 I, 262 ter, 283, 294. Rows of the table are written out, not derived.
FITS = {
    "metropole": "E",
    "corsica": "E",
    "dom_with_vat": "E G",
    "dom_without_vat": "E G O",
    "collectivity": "E G O",
    "eu": "E AE K",
    "eu_outside_vat": "E G O",
    "northern_ireland": "E K O",
    "beyond": "E G O",
}


AT = {
    "metropole": Place("FR", "75011"),
    "corsica": Place("FR", "20200"),
    "dom_with_vat": Place("RE", "97400"),
    "dom_without_vat": Place("GF", "97300"),
    "collectivity": Place("PF", "98714"),
    "eu": Place("DE", "10115"),
    "eu_outside_vat": Place("ES", "35001"),
    "northern_ireland": Place("XI"),
    "beyond": Place("US"),
}
assert {name: place.territory for name, place in AT.items()} == {each: each for each in Territory}

# And of what: AE and O are for services, K and G for goods; E is for either, as its article says.
FOR = {"services": "AE E O S", "goods": "E G K S"}


@pytest.mark.parametrize(
    ("where", "nature", "category"), list(product(FITS, FOR, ("AE", "E", "G", "K", "O", "S")))
)
def test_each_reason_fits_its_territories_and_its_nature_only(where, nature, category):
    lines = [Charged("S", Decimal(20), nature), Charged(category, Decimal(0), nature)]
    found = misplaced(lines, Supply(Place("FR"), AT[where]))
    if category != "S" and category not in FITS[where].split():
        wanted = [(2, "place", category, "")]
    elif category in FOR[nature].split() or (where, category) == ("dom_without_vat", "O"):
        # CGI 294, 1: in Guyane and Mayotte no VAT applies at all.
        wanted = []
    else:
        wanted = [(2, "nature", category, nature)]
    assert [(each.line, each.code, each.category, each.nature) for each in found] == wanted
    assert misplaced(lines, Supply(Place("DE"), AT[where])) == []


def test_of_a_line_whose_nature_is_not_known_only_the_place_is_judged():
    lines = [Charged(category, Decimal(0)) for category in ("AE", "K")]
    assert misplaced(lines, Supply(Place("FR"), AT["eu"])) == []


@pytest.fixture
def admin(db):
    return make_user(role="administrator")


def exported(client=None):
    """A draft whose one line is an export, to a client in Paris."""
    draft = make_draft(client=client)
    draft.lines.update(vat_category="G", vat_rate=0, nature="goods")
    drafting.recalculate(draft)
    return draft


def vat_reasons(draft):
    return [each for each in reasons_not_to_issue(draft, ON) if each.field == "vat"]


@pytest.mark.django_db
def test_an_export_to_paris_is_not_issued_and_says_why():
    draft = exported()
    (reason,) = vat_reasons(draft)
    assert reason.text == (
        "Line 1 says “Export”, and the client is in metropolitan France or Monaco: it is for goods "
        "that leave the VAT territory of the Union or go overseas."
    )
    assert reason.anchor == "#id_lines-0-vat"
    with pytest.raises(IssueRefused, match="Export"):
        issue(invoice_id=draft.pk, by=None, on=ON)


@pytest.mark.django_db
def test_a_decision_is_kept_shown_and_of_this_client_alone(admin):
    draft = exported()
    with pytest.raises(DecisionRefused, match="10 to 300"):
        deciding_otherwise.decide_otherwise(invoice_id=draft.pk, reason="why not", by=admin, on=ON)
    deciding_otherwise.decide_otherwise(invoice_id=draft.pk, reason=WHY, by=admin, on=ON)
    assert vat_reasons(draft) == []
    told = [each.text for each in warnings_before_issue(draft, ON) if each.field == "vat"]
    assert told == [
        f"“Export” for a client in metropolitan France or Monaco: decided by {admin}, “{WHY}”."
    ]
    # There is nothing left to decide; and for a client elsewhere it is asked anew.
    with pytest.raises(DecisionRefused, match="Nothing here waits"):
        deciding_otherwise.decide_otherwise(invoice_id=draft.pk, reason=WHY, by=admin, on=ON)
    draft.client = make_client(name="Bastia", postal_code="20200")
    draft.save()
    assert [each.key for each in vat_reasons(draft)] == ["G corsica"]
    assert InvoiceEvent.objects.filter(kind="vat_decided").count() == 1


@pytest.mark.django_db
def test_an_administrator_decides_in_the_dialog_and_the_invoice_says_so(admin_client, clerk_client):
    draft = exported()
    edit = reverse("invoices:edit", args=[draft.pk])
    url = reverse("invoices:decide-vat", args=[draft.pk])
    assert "An administrator may decide the VAT otherwise." in clerk_client.get(edit).text
    assert clerk_client.get(url).status_code == 403
    assert url in admin_client.get(edit).text
    assert "“Export”" in html.unescape(admin_client.get(url).text)
    short = confirm(admin_client, url, {"reason": "so", "once": new_key()})
    assert short.status_code == 422 and "10 to 300" in short.text
    assert confirm(admin_client, url, {"reason": WHY}).status_code == 303
    assert url not in admin_client.get(edit).text
    invoice = issue(invoice_id=draft.pk, by=None, on=ON)
    page = html.unescape(clerk_client.get(reverse("invoices:detail", args=[invoice.pk])).text)
    assert "VAT decided against the rules" in page
    assert "“Export” for a client in metropolitan France or Monaco" in page and WHY in page
