"""Where the client is decides what a draft, its reasons and its page say of VAT."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from billing_portal.idempotency import new_key
from invoices.deals.drafting import draft_from_deal
from invoices.deals.lacking import missing_for
from invoices.invoicing import issuing, readiness
from invoices.invoicing.drafting import save_draft
from invoices.models import Client
from tests.factories import make_client, make_client_type, make_company, make_deal, make_draft

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)
UNTAXED = {"quantity": Decimal(1), "unit_price": Decimal(1000), "tax_percent": Decimal(0)}


def drafted(client):
    make_company()
    deal = make_deal(client=client, tax_method="none", lines=(UNTAXED,), value_minor=1000_00)
    return draft_from_deal(deal_id=deal.pk, by=None, on=ON)


@pytest.mark.parametrize("where", [{"country": "RE"}, {"country": "FR", "postal_code": "97400"}])
def test_a_client_in_reunion_is_billed_with_its_vat(where):
    invoice = drafted(make_client(**where))
    assert (invoice.net_minor, invoice.vat_minor) == (1000_00, 85_00)
    assert invoice.lines.get().vat_rate == Decimal("8.5")
    assert "vat" not in {each.field for each in readiness.warnings_before_issue(invoice, ON)}


def test_a_client_in_guyane_reads_the_law_of_guyane():
    invoice = drafted(make_client(country="FR", postal_code="97300"))
    issued = issuing.issue(invoice_id=invoice.pk, by=None, on=ON)
    assert issued.vat_minor == 0
    assert issued.paper["exemptions"] == [
        "TVA non applicable en Guyane et à Mayotte (article 294, 1 du CGI)."
    ]


@pytest.mark.parametrize("vat_id", ["N/A", "en cours", "FR96552100554", "DE129273399"])
def test_what_is_no_vat_id_takes_no_vat_away(vat_id):
    client = make_client(country="DE", vat_id=vat_id)
    invoice = drafted(client)
    assert (invoice.vat_minor, invoice.lines.get().vat_category) == (200_00, "S")
    deal = make_deal(client=client)
    lacks = {each.field: each for each in missing_for([deal])[deal.pk]}
    assert lacks["vat_id"].blocking
    assert f"“{vat_id}” is none of another state" in lacks["vat_id"].text


@pytest.mark.parametrize(
    ("vat_id", "said"),
    [("", "which is missing"), ("N/A", "“N/A” is none"), ("FR96552100554", "another state")],
)
def test_reverse_charge_is_not_issued_without_a_valid_vat_id(vat_id, said):
    invoice = make_draft(client=make_client(country="DE", vat_id=vat_id))
    line = {"description": "A", "quantity": Decimal(1), "unit_price": Decimal(100)}
    reversed_ = {**line, "vat_category": "AE", "vat_rate": Decimal(0)}
    assert not save_draft(invoice_id=invoice.pk, header={}, lines=[reversed_], by=None)
    invoice.refresh_from_db()
    (reason,) = readiness.reasons_not_to_issue(invoice, ON)
    assert (reason.field, reason.anchor) == ("vat_id", "client")
    assert said in reason.text
    Client.objects.filter(pk=invoice.client_id).update(vat_id="DE129273398")
    invoice.refresh_from_db()
    assert readiness.reasons_not_to_issue(invoice, ON) == []


@pytest.mark.parametrize(
    ("where", "rate", "said"),
    [
        (
            {"country": "RE"},
            20,
            "Line 1 bears VAT at 20%; it is taxed in Guadeloupe, Martinique or Réunion, where VAT "
            "is 8.5%, 2.1%, 1.75%, 1.05%.",
        ),
        ({"country": "FR"}, 19, "Line 1 bears 19%, which is no French rate"),
        ({"country": "FR"}, "8.5", "where VAT is 20%, 10%, 5.5%, 2.1%."),
        ({"country": "FR", "postal_code": "20000"}, 13, ""),
        ({"country": "MC"}, 10, ""),
    ],
)
def test_a_rate_that_the_territory_does_not_have_is_not_issued(where, rate, said):
    invoice = make_draft(client=make_client(**where), lines=((1, "100", rate),))
    found = {each.field: each.text for each in readiness.reasons_not_to_issue(invoice, ON)}
    assert said in found.get("vat", "")
    assert bool(said) == ("vat" in found)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"country": "DE", "vat_id": "N/A"}, "“N/A” is not a VAT id"),
        ({"country": "FR", "vat_id": "en cours"}, "“ENCOURS” is not a VAT id"),
        (
            {"country": "FR", "siren": "552100554", "vat_id": "FR44732829320"},
            "A French VAT id ends with the SIREN, 552100554.",
        ),
        ({"country": "US", "vat_id": "12-3456789"}, ""),
        ({"country": "DE", "vat_id": "FR44732829320"}, ""),
        ({"country": "DE", "vat_id": "GB980780684"}, ""),
    ],
)
def test_the_form_of_a_client_takes_only_what_can_be_a_vat_id(clerk_client, fields, said):
    make_company()
    given = {
        "once": new_key(), "name": "Ateliers Morvan", "client_type": make_client_type().pk,
        "language": "fr", "currency": "EUR", "terms_kind": "net", "terms_days": "30",
        "address_line1": "3, rue du Port", "postal_code": "29200", "city": "Brest", **fields,
    }  # fmt: skip
    answer = clerk_client.post(reverse("invoices:client-new"), given)
    assert answer.status_code == (422 if said else 302)
    assert said in answer.text
    assert Client.objects.exists() is not bool(said)
