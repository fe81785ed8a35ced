"""From a won deal to a draft that adds up."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from invoices.clients.vat import vat_treatment
from invoices.deals import lacking
from invoices.deals import lines as deal_lines
from invoices.deals.drafting import draft_from_deal
from invoices.documents.totals import TotalsRefused
from invoices.invoicing import drafting
from invoices.invoicing.drafting import DraftRefused
from invoices.models import Deal, DealDiscount, Invoice, InvoiceEvent
from tests.factories import make_client, make_company, make_deal, make_draft
from tests.race import at_once

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


def line(quantity=1, price="100", **fields):
    return {"quantity": Decimal(str(quantity)), "unit_price": Decimal(price), **fields}


def draft(deal, clerk=None):
    return draft_from_deal(deal_id=deal.pk, by=clerk, on=ON)


def fields_of(deal):
    return {missing.field: missing for missing in lacking.missing_for([deal])[deal.pk]}


# ─ Lines ────────────────────────────────────────────────────────────────────────────────────────


def test_a_draft_has_the_deals_lines_terms_and_people(clerk):
    make_company()
    client = make_client(language="en", terms_kind="eom_after", terms_days=45)
    deal = make_deal(
        client=client,
        owner=clerk,
        title="Migration",
        lines=(line(2, "500"), line(3, "99.99", discount=Decimal(10))),
        purchase_order="PO-7",
        service_from=date(2026, 9, 1),
        service_until=date(2026, 9, 30),
    )
    invoice = draft(deal, clerk)
    assert [(li.description, li.quantity, li.net_minor) for li in invoice.lines.all()] == [
        ("Service 1", 2, 1000_00),
        ("Service 2", 3, 269_97),
    ]
    assert (invoice.net_minor, invoice.vat_minor, invoice.total_minor) == (126997, 25399, 152396)
    assert invoice.outstanding_minor == invoice.total_minor
    assert (invoice.language, invoice.title, invoice.purchase_order) == ("en", "Migration", "PO-7")
    assert (invoice.service_from, invoice.service_until) == (date(2026, 9, 1), date(2026, 9, 30))
    assert invoice.owner == clerk
    assert invoice.recipients == [client.billing_email]
    assert drafting.dates_of(invoice, ON) == (ON, date(2027, 1, 31))
    assert invoice.events.get().kind == InvoiceEvent.Kind.DRAFTED
    assert invoice.number == ""


def test_disabled_lines_are_left_out():
    make_company()
    deal = make_deal(lines=(line(), line(enabled=False)))
    assert draft(deal).lines.count() == 1


def test_a_discount_by_amount_is_kept_as_an_amount():
    make_company()
    deal = make_deal(lines=(line(2, "100", discount=Decimal(50), discount_kind="amount"),))
    invoice = draft(deal)
    assert invoice.lines.get().discount_amount == 50
    assert invoice.net_minor == 150_00


def test_prices_with_vat_are_restated_so_that_the_total_is_the_deals():
    make_company()
    deal = make_deal(
        tax_method="inclusive", value_minor=349_97, lines=(line(3, "99.99"), line(1, "50"))
    )
    invoice = draft(deal)
    assert invoice.total_minor == 349_97
    assert invoice.net_minor == 291_64
    assert "value" not in fields_of(deal)


class TestGross(TestCase):
    @settings(max_examples=40, deadline=None)
    @given(
        st.lists(
            st.tuples(st.integers(1, 40), st.integers(1, 500_000), st.sampled_from([20, 10, 5.5])),
            min_size=1,
            max_size=5,
        ),
        st.booleans(),
    )
    def test_no_total_with_vat_is_off_by_more_than_a_cent_per_rate(self, rows, discounted):
        make_company()
        deal = make_deal(
            tax_method="inclusive",
            lines=[
                line(q, str(Decimal(p) / 100), tax_percent=Decimal(str(rate)))
                for q, p, rate in rows
            ],
        )
        if discounted:
            DealDiscount.objects.create(
                deal=deal, position=1, kind="percentage", value=Decimal("7.5")
            )
        found = deal_lines.drafted_lines(deal, vat_treatment(deal.client, None))
        rates = len({rate for _q, _p, rate in rows})
        assert abs(found.totals.total_minor - found.deal_sum_minor) <= rates * (1 + discounted)


def test_an_extra_discount_is_a_line_for_each_vat_rate():
    make_company()
    deal = make_deal(lines=(line(1, "800"), line(1, "200", tax_percent=Decimal("5.5"))))
    DealDiscount.objects.create(
        deal=deal, position=1, kind="percentage", value=Decimal(10), description="Remise fidélité"
    )
    DealDiscount.objects.create(deal=deal, position=2, kind="amount", value=Decimal("100"))
    invoice = draft(deal)
    discounts = [li for li in invoice.lines.all() if li.quantity < 0]
    assert sum(li.net_minor for li in discounts) == -200_00
    assert {li.vat_rate for li in discounts} == {Decimal("20"), Decimal("5.5")}
    assert "Remise fidélité" in discounts[0].description
    assert invoice.net_minor == 800_00


def test_a_deal_without_vat_is_taxed_at_the_usual_rate_and_says_so():
    make_company()
    deal = make_deal(tax_method="none", lines=(line(tax_percent=Decimal(0)),))
    invoice = draft(deal)
    assert invoice.lines.get().vat_rate == 20
    assert drafting.draft_notes(invoice) == ["The deal names no VAT: 20 % was assumed."]
    assert not fields_of(deal)["lines"].blocking


@pytest.mark.parametrize(
    ("country", "vat_id", "category", "rate"),
    [
        ("FR", "FR96552100554", "S", 20),
        ("MC", "", "S", 20),
        ("DE", "DE129273398", "AE", 0),
        ("DE", "", "S", 20),
        ("US", "", "O", 0),
        ("GB", "GB123", "O", 0),
    ],
)
def test_vat_follows_the_clients_situation(country, vat_id, category, rate):
    company = make_company()
    client = make_client(country=country, vat_id=vat_id)
    treatment = vat_treatment(client, company)
    assert (treatment.category, treatment.rate) == (category, rate)
    deal = make_deal(client=client, tax_method="none", lines=(line(tax_percent=Decimal(0)),))
    assert draft(deal).lines.get().vat_category == category


def test_an_overflowing_description_is_cut_and_told():
    make_company()
    invoice = draft(make_deal(lines=(line(description="x" * 5000),)))
    text = invoice.lines.get().description
    assert len(text) == deal_lines.MAX_DESCRIPTION
    assert text.endswith("…")
    assert drafting.draft_notes(invoice) == ["Line 1 was cut to 2,000 characters."]


def test_a_deal_without_lines_becomes_one_line_of_its_value():
    make_company()
    deal = make_deal(title="Audit", lines=(), value_minor=2_500_00)
    invoice = draft(deal)
    only = invoice.lines.get()
    assert (only.description, only.net_minor, only.vat_rate) == ("Audit", 2_500_00, 20)


def test_a_negative_price_moves_its_sign_to_the_quantity():
    make_company()
    invoice = draft(make_deal(lines=(line(1, "500"), line(2, "-30"))))
    assert [(li.quantity, li.unit_price) for li in invoice.lines.all()] == [(1, 500), (-2, 30)]


def test_an_untaxed_line_among_taxed_ones_is_exempt_as_the_deal_says():
    make_company()
    deal = make_deal(lines=(line(), line(tax_percent=Decimal(0))))
    assert [li.vat_category for li in draft(deal).lines.all()] == ["S", "E"]


def test_a_rate_with_four_decimals_is_rounded_and_told():
    make_company()
    invoice = draft(make_deal(lines=(line(tax_percent=Decimal("5.5049")),)))
    assert invoice.lines.get().vat_rate == Decimal("5.50")
    assert drafting.draft_notes(invoice) == ["The VAT rate of line 1 was rounded to 5.5 %."]


def test_a_total_that_no_net_price_gives_is_told():
    make_company()
    deal = make_deal(tax_method="inclusive", value_minor=3, lines=(line(1, "0.03"),))
    invoice = draft(deal)
    assert invoice.total_minor == 2
    assert "differs by −€0.01" in drafting.draft_notes(invoice)[0]


def test_five_hundred_lines_are_the_most():
    make_company()
    deal = make_deal(lines=(line(),) * 501, value_minor=501_00)
    assert fields_of(deal)["lines"].prevents_draft


def test_a_deal_that_vanished_or_a_client_in_play_money_is_refused():
    with pytest.raises(DraftRefused, match="no longer here"):
        draft_from_deal(deal_id=0, by=None, on=ON)
    with pytest.raises(DraftRefused, match="not a currency"):
        drafting.new_draft(client_id=make_client(currency="XQQ").pk, by=None, on=ON)


def test_a_negative_price_typed_in_the_editor_moves_its_sign_too():
    invoice = make_draft()
    assert save(invoice, lines=[{**ROW, "unit_price": Decimal(-50)}]) == {}
    assert (invoice.lines.get().quantity, invoice.lines.get().unit_price) == (-2, 50)


def test_a_field_that_does_not_exist_is_a_bug_and_not_a_sentence():
    invoice = make_draft()
    with pytest.raises(ValueError, match="knows no"):
        save(invoice, {"number": "F-1"})
    with pytest.raises(ValueError, match="knows no"):
        save(invoice, lines=[{**ROW, "net_minor": 1}])


def test_a_business_without_vat_is_exempt_at_home():
    company = make_company(vat_rate=0)
    assert vat_treatment(make_client(), company).category == "E"


def test_units_are_known_by_their_words():
    make_company()
    deal = make_deal(lines=(line(unit="jours"), line(unit="HUR"), line(unit="forfait")))
    assert [li.unit for li in draft(deal).lines.all()] == ["DAY", "HUR", "C62"]


def test_markup_in_a_name_stays_text():
    make_company()
    name = "{% for x in y %}<b>{{ 7|add:7 }}</b>"
    invoice = draft(make_deal(lines=(line(name=name),)))
    assert invoice.lines.get().description == name


def test_yen_have_no_cents():
    make_company()
    deal = make_deal(currency="JPY", value_minor=150_000, lines=(line(3, "50000"),))
    assert draft(deal).net_minor == 150_000


# ─ Once ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_deal_is_drafted_once_and_the_second_click_is_led_there(clerk):
    make_company()
    deal = make_deal()
    first = draft(deal, clerk)
    with pytest.raises(DraftRefused) as refusal:
        draft(deal, clerk)
    assert refusal.value.existing_id == first.pk


def test_a_discarded_draft_lets_the_deal_be_drafted_again(clerk):
    make_company()
    deal = make_deal()
    first = draft(deal, clerk)
    assert not Deal.objects.to_bill().filter(pk=deal.pk).exists()
    drafting.void_draft(invoice_id=first.pk, by=clerk, on=ON, reason="wrong deal")
    assert Deal.objects.to_bill().filter(pk=deal.pk).exists()
    assert draft(deal, clerk).pk != first.pk
    assert first.events.filter(kind=InvoiceEvent.Kind.VOIDED).exists()


@pytest.mark.django_db(transaction=True)
def test_two_clerks_drafting_one_deal_make_one_draft():
    make_company()
    deal = make_deal()
    found = at_once(*[lambda: draft(deal)] * 4)
    drafts = [one for one in found if isinstance(one, Invoice)]
    refused = [one for one in found if isinstance(one, DraftRefused)]
    assert (len(drafts), len(refused)) == (1, 3)
    assert {one.existing_id for one in refused} == {drafts[0].pk}


def test_the_database_itself_bills_a_deal_once():
    make_company()
    deal = make_deal()
    draft(deal)
    with pytest.raises(IntegrityError):
        Invoice.objects.create(client=deal.client, deal=deal, currency="EUR")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": "open"}, "not won"),
        ({"client": None}, "no organisation"),
        ({"currency": "XQQ"}, "not a currency"),
        ({"value_minor": 10**14, "lines": ()}, "too large"),
        ({"lines": (line(1, "999999999999"),)}, "passes"),
    ],
)
def test_a_deal_that_cannot_be_drafted_says_why(change, words):
    make_company()
    deal = make_deal(**change)
    with pytest.raises(DraftRefused, match=words):
        draft(deal)
    assert not Invoice.objects.exists()
    assert any(missing.prevents_draft for missing in lacking.missing_for([deal])[deal.pk])


def test_a_deal_set_aside_is_not_drafted(clerk):
    from django.utils import timezone

    deal = make_deal(set_aside_at=timezone.now())
    with pytest.raises(DraftRefused, match="set aside"):
        draft(deal)


# ─ Editing ──────────────────────────────────────────────────────────────────────────────────────

ROW = {
    "description": "A",
    "quantity": Decimal(2),
    "unit_price": Decimal(50),
    "vat_rate": Decimal(20),
}


def save(invoice, header=None, lines=(ROW,), **more):
    return drafting.save_draft(
        invoice_id=invoice.pk, header=header or {}, lines=lines, by=None, **more
    )


def test_saving_replaces_lines_in_order_and_adds_up():
    invoice = make_draft(lines=((1, 10), (1, 20)))
    assert save(invoice, {"title": "New"}, [{**ROW, "description": "B"}, ROW]) == {}
    invoice.refresh_from_db()
    assert [(li.position, li.description) for li in invoice.lines.all()] == [(1, "B"), (2, "A")]
    assert (invoice.title, invoice.total_minor) == ("New", 240_00)
    assert invoice.vat_breakdown.get().basis_minor == 200_00


@pytest.mark.parametrize(
    ("header", "lines", "field"),
    [
        ({"client_id": 0}, [ROW], "client_id"),
        ({"currency": "XQQ"}, [ROW], "currency"),
        ({"language": "de"}, [ROW], "language"),
        ({"terms_kind": "never"}, [ROW], "terms_kind"),
        ({"terms_days": 900}, [ROW], "terms_days"),
        ({"title": "x" * 300}, [ROW], "title"),
        ({"note": "x" * 2001}, [ROW], "note"),
        ({"issue_date": date(1900, 1, 1)}, [ROW], "issue_date"),
        ({"issue_date": ON, "due_date": date(2026, 11, 1)}, [ROW], "due_date"),
        ({"service_from": ON, "service_until": date(2026, 11, 1)}, [ROW], "service_until"),
        ({"recipients": ["nobody"]}, [ROW], "recipients"),
        ({"recipients": ["a@b.example\nBcc: c@d.example"]}, [ROW], "recipients"),
        ({"recipients": [f"a{n}@b.example" for n in range(30)]}, [ROW], "recipients"),
        ({}, [ROW, {**ROW, "description": "x" * 2001}], "lines.1.description"),
        ({}, [{**ROW, "unit_price": Decimal("999999999999")}], "lines.0"),
        ({}, [{**ROW, "discount_percent": Decimal(120)}], "lines.0"),
        ({}, [{**ROW, "vat_category": "Q"}], "lines.0.vat_category"),
        ({}, [{**ROW, "vat_rate": Decimal("5.555")}], "lines.0.vat_rate"),
        ({}, [ROW] * 501, "lines"),
        ({}, [ROW, {**ROW, "vat_rate": Decimal(0), "vat_category": "O"}], "lines"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_saved(header, lines, field):
    invoice = make_draft(lines=((1, 10),))
    problems = save(invoice, header, lines)
    assert list(problems) == [field]
    assert problems[field].endswith((".", "nobody"))
    invoice.refresh_from_db()
    assert (invoice.title, invoice.total_minor) == ("Work", 12_00)


def test_a_typed_due_date_stays_and_an_emptied_one_follows_the_terms():
    invoice = make_draft()
    assert save(invoice, {"due_date": date(2026, 12, 1)}) == {}
    invoice.refresh_from_db()
    assert drafting.dates_of(invoice, ON) == (ON, date(2026, 12, 1))
    assert save(invoice, {"due_date": None}) == {}
    invoice.refresh_from_db()
    assert drafting.dates_of(invoice, ON) == (ON, date(2026, 12, 24))


def test_a_change_by_somebody_else_is_not_overwritten():
    invoice = make_draft()
    seen = invoice.updated_at
    assert save(invoice, {"title": "Hers"}, seen=seen) == {}
    with pytest.raises(DraftRefused, match="meanwhile"):
        save(invoice, {"title": "His"}, seen=seen)


def test_what_is_issued_or_discarded_is_not_edited():
    from tests.factories import make_invoice

    with pytest.raises(DraftRefused, match="make a credit note"):
        save(make_invoice())
    invoice = make_draft()
    drafting.void_draft(invoice_id=invoice.pk, by=None, on=ON)
    with pytest.raises(DraftRefused, match="discarded"):
        save(invoice)
    with pytest.raises(DraftRefused, match="no longer here"):
        drafting.void_draft(invoice_id=0, by=None, on=ON)


def test_live_totals_touch_no_row(django_assert_num_queries):
    with django_assert_num_queries(0):
        totals = drafting.preview_totals([ROW, {**ROW, "vat_rate": Decimal("5.5")}], "EUR")
    assert (totals.net_minor, totals.vat_minor) == (200_00, 25_50)
    with pytest.raises(TotalsRefused):
        drafting.preview_totals([{**ROW, "quantity": Decimal("1e12")}], "EUR")


def test_a_blank_draft_has_the_clients_ways():
    make_company()
    client = make_client(language="en", currency="GBP", terms_days=14)
    invoice = drafting.new_draft(client_id=client.pk, by=None, on=ON)
    assert (invoice.language, invoice.currency, invoice.terms_days) == ("en", "GBP", 14)
    with pytest.raises(DraftRefused):
        drafting.new_draft(client_id=0, by=None, on=ON)
