"""Whom the law takes the client for: a business, a public body or a consumer."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from invoices.clients.vat import vat_treatment
from invoices.company import late_rates
from invoices.deals.lacking import missing_for
from invoices.invoicing import drafting
from invoices.invoicing.issuing import issue
from invoices.invoicing.readiness import reasons_not_to_issue, warnings_before_issue
from invoices.models import Client, LatePenaltyRate
from tests.factories import make_client, make_company, make_deal, make_draft, make_invoice
from tests.test_editing import open_page

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


@pytest.fixture
def rates(db):
    for starts_on, percent, basis in (
        (date(2026, 7, 1), "12.15", "ecb"),
        (date(2026, 9, 1), "15", "contract"),
    ):
        LatePenaltyRate.objects.create(
            starts_on=starts_on, percent=Decimal(percent), basis=basis, source="A table"
        )


def paper_for(kind):
    draft = make_draft(client=make_client(buyer_kind=kind, siren="552100554"))
    return issue(invoice_id=draft.pk, by=None, on=ON).paper


@pytest.mark.parametrize(
    ("kind", "percent", "points"),
    [("business", "15", 0), ("public", "10.15", 8), ("consumer", None, None)],
)
def test_each_has_the_late_rate_of_the_law(rates, kind, percent, points):
    found = late_rates.rate_for(kind, ON)
    if percent is None:
        assert found is None
    else:
        assert (found.percent, found.over_the_ecb) == (Decimal(percent), points)


def test_the_page_of_each_says_what_it_owes_when_late(rates):
    assert "15\u202f%" in paper_for("business")["late_penalty"]
    public = paper_for("public")
    assert (
        "10,15\u202f% (taux de refinancement de la BCE majoré de 8 points)"
        in (public["late_penalty"])
    )
    assert "40" in public["recovery_indemnity"]
    consumer = paper_for("consumer")
    assert "late_penalty" not in consumer and "recovery_indemnity" not in consumer


def test_a_contract_says_nothing_about_a_public_body_and_its_half_year_ends_too():
    LatePenaltyRate.objects.create(
        starts_on=date(2026, 1, 1), percent=Decimal("12.15"), source="ECB"
    )
    LatePenaltyRate.objects.create(
        starts_on=date(2026, 2, 1), percent=Decimal(15), basis="contract", source="Ours"
    )
    for kind, stops in (("business", False), ("public", True), ("consumer", False)):
        draft = make_draft(client=make_client(buyer_kind=kind))
        reasons = [each.field for each in reasons_not_to_issue(draft, ON)]
        assert ("penalty" in reasons) is stops, kind


def test_without_any_rate_the_words_are_those_of_the_law():
    assert "majoré de 10 points" in paper_for("business")["late_penalty"]
    assert "majoré de 8 points" in paper_for("public")["late_penalty"]
    draft = make_draft(client=make_client(buyer_kind="consumer", siren=""))
    fields = {each.field for each in warnings_before_issue(draft, ON)}
    assert not fields & {"penalty", "siren"}


def test_a_consumer_elsewhere_in_the_union_is_billed_with_vat_and_asked_for_no_id():
    make_company()
    client = make_client(country="DE", vat_id="DE129273398", buyer_kind="consumer")
    treatment = vat_treatment(client, None)
    assert (treatment.category, treatment.needs_vat_id) == ("S", False)
    deal = make_deal(client=client)
    assert "vat_id" not in {each.field for each in missing_for([deal])[deal.pk]}
    draft = make_draft(client=client)
    draft.lines.update(vat_category="AE", vat_rate=0)
    drafting.recalculate(draft)
    assert "this client is none" in " ".join(
        each.text for each in reasons_not_to_issue(draft, ON) if each.field == "vat_id"
    )


def test_no_claim_is_made_of_a_consumer(rates, clerk_client):
    make_company()
    for kind, claimed in (("public", True), ("consumer", False)):
        late = make_invoice(
            client=make_client(buyer_kind=kind),
            issue_date=date(2026, 9, 1),
            due_date=date(2026, 10, 1),
        )
        page = clerk_client.get(reverse("invoices:detail", args=[late.pk])).text
        assert ("Late-payment claim" in page) is claimed


def test_it_is_chosen_on_the_client_and_kept_where_a_form_says_nothing_of_it(clerk_client):
    client = make_client()
    url = reverse("invoices:client-edit", args=[client.pk])
    given = open_page(clerk_client, url)
    clerk_client.post(url, given | {"buyer_kind": "public"})
    assert Client.objects.get(pk=client.pk).buyer_kind == "public"
    assert "Public body" in clerk_client.get(reverse("invoices:client", args=[client.pk])).text
    given = open_page(clerk_client, url)
    del given["buyer_kind"]
    clerk_client.post(url, given | {"name": "Another"})
    kept = Client.objects.get(pk=client.pk)
    assert (kept.name, kept.buyer_kind) == ("Another", "public")
    clerk_client.post(url, open_page(clerk_client, url) | {"buyer_kind": ""})
    assert Client.objects.get(pk=client.pk).buyer_kind == "public"
