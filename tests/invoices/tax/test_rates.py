"""Rates of VAT are rows with their days: what no row has on the day of supply is not issued."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils.translation import override

from invoices.company.vat_faults import told_faults
from invoices.company.vat_rates import SOWN, FrenchRates, sow
from invoices.deals.lacking import missing_for
from invoices.invoicing import readiness
from invoices.models import Company, VatRate
from invoices.tax.judging import Charged, faults
from tests.factories import make_client, make_company, make_deal, make_draft

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


def on_day(day, territory=""):
    return [format(rate.normalize(), "f") for rate in FrenchRates().on(day, territory)]


# Source: CGI 278 to 281 octies, 296, 297; laws of finance for 2012 and 2014.
@pytest.mark.parametrize(
    ("territory", "day", "rates"),
    [
        ("metropole", date(2014, 1, 1), "20 10 5.5 2.1"),
        ("metropole", date(2013, 12, 31), "19.6 7 5.5 2.1"),
        ("metropole", date(2011, 12, 31), "19.6 5.5 2.1"),
        ("metropole", date(2026, 11, 24), "20 10 5.5 2.1"),
        ("corsica", date(2026, 11, 24), "20 13 10 5.5 2.1 0.9"),
        ("corsica", date(2013, 6, 1), "19.6 8 5.5 2.1 0.9"),
        ("dom_with_vat", date(2026, 11, 24), "8.5 2.1 1.75 1.05"),
        ("dom_without_vat", date(2026, 11, 24), ""),
    ],
)
def test_each_territory_has_the_rates_of_the_day(territory, day, rates):
    assert " ".join(on_day(day, territory)) == rates


def test_the_law_is_sown_once_and_what_the_company_changed_stays():
    assert VatRate.objects.count() == len(SOWN)
    VatRate.objects.exclude(percent=20).delete()
    sow()
    assert VatRate.objects.count() == 2


def with_rate(percent, **fields):
    invoice = make_draft(client=make_client(), **fields)
    invoice.lines.update(vat_rate=Decimal(percent))
    return invoice


def reasons(invoice, on=ON):
    return {each.field: each for each in readiness.reasons_not_to_issue(invoice, on, lines=None)}


@pytest.mark.parametrize("percent", ["19", "37.25", "19.6", "7", "8", "99.99"])
def test_a_rate_that_france_does_not_have_is_not_issued(percent):
    make_company()
    found = reasons(with_rate(percent))["vat"]
    assert f"bears {percent}%, which is no French rate of VAT on 24\xa0Nov 2026" in found.text
    assert found.anchor == "#id_lines-0-vat"


@pytest.mark.parametrize("percent", ["20", "13", "10", "8.5", "5.5", "2.1", "1.75", "1.05", "0.9"])
def test_a_french_rate_of_elsewhere_waits_for_a_decision_or_for_where_it_is_supplied(percent):
    make_company()
    invoice = with_rate(percent)
    usual = percent in ("20", "10", "5.5", "2.1")
    assert ("vat" not in reasons(invoice)) is usual
    if not usual:
        reason = reasons(invoice)["vat"]
        assert reason.key == f"rate-{percent} metropole"
        assert f"bears VAT at {percent}%; it is taxed in metropolitan France" in reason.text


def test_the_day_of_supply_counts_and_not_that_of_the_invoice():
    make_company()
    late = with_rate("19.6", service_from=date(2013, 12, 1), service_until=date(2013, 12, 31))
    assert "vat" not in reasons(late)
    early = with_rate("20", service_from=date(2013, 12, 1), service_until=date(2013, 12, 31))
    assert "on 31\xa0Dec 2013" in reasons(early)["vat"].text


def test_a_rate_that_an_administrator_adds_counts_from_its_day_on():
    make_company()
    VatRate.objects.create(
        territory="metropole", percent=21, starts_on=date(2026, 11, 24), source="a new law"
    )
    assert "vat" not in reasons(with_rate("21"))
    assert "vat" in reasons(with_rate("21", service_until=date(2026, 11, 23)))


def test_france_has_no_zero_rate_and_other_sellers_have_their_own_law():
    zero, odd = Charged("Z", Decimal(0)), Charged("S", Decimal(19))
    lawful = FrenchRates().on(ON)
    assert [each.code for each in faults([zero, odd], lawful=lawful)] == ["zero", "rate"]
    for country, number in (("DE", 0), ("MC", 2), ("RE", 2)):
        seller = Company(country=country)
        found = told_faults([zero, odd], seller=seller, on=ON, rates=FrenchRates())
        assert len(found) == number


def test_a_deal_says_so_before_its_draft_does():
    make_company()
    odd = {"quantity": 1, "unit_price": Decimal(1000), "tax_percent": Decimal(19)}
    deal = make_deal(client=make_client(), lines=(odd, odd), value_minor=2000_00)
    (found,) = [each for each in missing_for([deal])[deal.pk] if each.field == "vat"]
    assert found.blocking
    assert "Lines 1, 2 bear 19%, which is no French rate" in found.text
    with override("fr"):
        (found,) = [each for each in missing_for([deal])[deal.pk] if each.field == "vat"]
        assert "Les lignes 1, 2 portent 19\u202f%" in found.text.replace("\u00a0", "\u202f")


def test_an_administrator_adds_a_rate_and_takes_one_away(admin_client):
    make_company()
    url = reverse("company:rates")
    page = admin_client.get(url).text
    assert "CGI 296 ter" in page
    typed = {
        "form": "vat",
        "vat-territory": "corsica",
        "vat-percent": "13",
        "vat-starts_on": "2014-01-01",
        "vat-ends_on": "2013-01-01",
        "vat-source": "again",
    }
    refused = admin_client.post(url, typed)
    assert refused.status_code == 422
    assert "The last day is before the first" in refused.text
    assert "This rate is there from that day already" in refused.text
    right = typed | {"vat-percent": "14", "vat-ends_on": "", "next": reverse("invoices:list")}
    assert admin_client.post(url, right).url == reverse("invoices:list")
    assert "14" in on_day(ON, "corsica")


# ─ What the editor offers ───────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("postal_code", "usual", "elsewhere"),
    [
        ("56100", ["20", "10", "5.5", "2.1"], ["13", "8.5", "1.75", "1.05", "0.9"]),
        ("20000", ["20", "13", "10", "5.5", "2.1", "0.9"], ["8.5", "1.75", "1.05"]),
        ("97400", ["8.5", "2.1", "1.75", "1.05"], ["20", "13", "10", "5.5", "0.9"]),
    ],
)
def test_a_line_is_offered_the_rates_of_the_clients_territory_first(
    clerk_client, postal_code, usual, elsewhere
):
    draft = make_draft(client=make_client(postal_code=postal_code))
    page = clerk_client.get(reverse("invoices:edit", args=[draft.pk]))
    offered = page.context["vat"]
    taxed = [value.partition(":")[2] for value, _label in offered.usual if value[0] == "S"]
    assert taxed == usual
    assert [value.partition(":")[2] for value, _label in offered.elsewhere] == elsewhere
    assert "Z:0" not in offered.values


def test_a_rate_that_is_no_longer_offered_stays_on_its_line(clerk_client):
    draft = make_draft()
    draft.lines.update(vat_rate="19.6")
    page = clerk_client.get(reverse("invoices:edit", args=[draft.pk])).text
    assert '<option value="S:19.6" selected>19.6%</option>' in page
