"""Pipedrive's JSON to our values: pure, so every odd input is a line here."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.crm import fields
from integrations.crm.fields import Rules, Source
from integrations.crm.terms import read_terms
from integrations.crm.values import Refused
from integrations.pipedrive import deal_mapping, mapping

TYPE, TERMS = "a" * 40, "b" * 40
PARIS = ZoneInfo("Europe/Paris")


def source(target, code="c" * 40, entity="organization", field_type="varchar", **more):
    return Source(target, entity, code, target, field_type, **more)


def rules(*sources):
    return Rules(tuple(sources), {"sme": 1, "large account": 2}, PARIS)


def organization(**fields):
    return {
        "id": 7,
        "name": "Tanguy",
        "owner_id": 3,
        "address": None,
        "custom_fields": {},
        **fields,
    }


def deal(**fields):
    return {
        "id": 12,
        "title": "Audit",
        "value": 100,
        "currency": "EUR",
        "status": "won",
        "won_time": "2026-03-01T10:00:00Z",
        "custom_fields": {},
        **fields,
    }


def line(**fields):
    return {
        "id": 1,
        "order_nr": 1,
        "name": "Day",
        "quantity": 1,
        "item_price": 100,
        "sum": 100,
        "tax": 20,
        "tax_method": "exclusive",
        "discount": 0,
        "discount_type": "percentage",
        "is_enabled": True,
        "comments": "",
        "billing_frequency": "one-time",
        **fields,
    }


def read(deal_json, *lines, discounts=(), sources=()):
    return deal_mapping.deal_values(deal_json, list(lines), list(discounts), {}, rules(*sources))


def one(target, raw, **more):
    thing = organization(custom_fields={"c" * 40: raw})
    return mapping.mapped("organization", thing, rules(source(target, **more)))


# Options


def test_an_option_is_known_by_its_id_whatever_its_label_says_today():
    found = one(
        "client_type", 32, field_type="enum", labels={"32": "Petite entreprise"}, values={"32": "1"}
    )
    assert found.values == {"client_type": 1}
    assert found.notices == []


def test_an_option_without_a_choice_is_understood_by_its_label():
    assert one("client_type", 31, field_type="enum", labels={"31": "Large Account"}).values == {
        "client_type": 2
    }


def test_an_unknown_option_is_named_and_not_dropped_silently():
    found = one("client_type", 417, field_type="enum", labels={"31": "SME"})
    assert found.values == {}
    assert found.unknown == {"client_type": "417"}
    assert "417" in str(found.notices[0])


def test_of_several_options_the_first_counts_and_it_is_said():
    found = one("client_type", [31, 32], field_type="set", labels={"31": "SME", "32": "X"})
    assert found.values == {"client_type": 1}
    assert "first one counts" in str(found.notices[0])


def test_labelled_options_are_read_too():
    raw = {"id": 31, "label": "SME"}
    assert one("client_type", raw, field_type="enum", labels={"31": "SME"}).values


def test_an_empty_field_leaves_our_value_alone():
    for empty in (None, "", [], {}):
        found = one("vat_id", empty)
        assert (found.values, found.notices) == ({}, [])


# Terms, language, identifiers


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("30 days", ("net", 30)),
        ("60", ("net", 60)),
        ("45 jours", ("net", 45)),
        ("45 days end of month", ("eom_after", 45)),
        ("45 jours fin de mois", ("eom_after", 45)),
        ("30 jours FDM", ("eom_after", 30)),
        ("fin de mois + 30 jours", ("eom_before", 30)),
        ("End of month, then 45 days", ("eom_before", 45)),
        ("fin de mois", ("eom_after", 0)),
        ("On receipt", ("net", 0)),
        ("À réception de facture", ("net", 0)),
        ("Comptant", ("net", 0)),
        ("eom_before:45", ("eom_before", 45)),
        ("2/10 net 30", None),
        ("9999 days", None),
        ("as agreed", None),
        ("", None),
    ],
)
def test_payment_terms_are_read_as_people_write_them(text, terms):
    assert read_terms(text) == terms


def test_terms_of_a_number_field_are_days():
    assert one("payment_terms", Decimal("45"), field_type="double").values == {
        "payment_terms": ("net", 45)
    }


def test_terms_that_cannot_be_read_are_left_with_a_notice():
    found = one("payment_terms", "as agreed")
    assert found.values == {}
    assert "as agreed" in str(found.notices[0])


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("FR 44 732 829 320", "FR44732829320"),
        ("fr.44.732829320", "FR44732829320"),
        ("DE136695976", "DE136695976"),
        ("GB 980 7806 84", "GB980780684"),
    ],
)
def test_a_vat_id_is_kept_without_blanks(text, kept):
    assert one("vat_id", text).values == {"vat_id": kept}


@pytest.mark.parametrize("text", ["FR00552100554", "hello", "12345", "X" * 300])
def test_a_vat_id_that_fails_its_check_is_not_taken_and_said(text):
    found = one("vat_id", text)
    assert found.values == {}
    assert "fails its check" in str(found.notices[0])


def test_a_siret_gives_the_siren():
    assert one("siren", "732 829 320 00074").values == {"siren": "732829320"}
    assert one("siren", "123456789").values == {}


def test_of_several_billing_emails_the_first_is_taken():
    found = one("billing_email", "Compta@Client.example; b@client.example")
    assert found.values == {"billing_email": "compta@client.example"}
    assert "Of several" in str(found.notices[0])
    assert one("billing_email", "call us").values == {}


def test_a_billing_contact_is_a_person_to_look_up():
    thing = deal(custom_fields={"c" * 40: 55})
    rule = source("billing_email", entity="deal", field_type="people")
    assert read(thing, sources=[rule]).found.values == {"billing_person": 55}


def test_a_long_purchase_order_is_cut_and_said():
    thing = deal(custom_fields={"c" * 40: "P" * 200})
    found = read(thing, sources=[source("purchase_order", entity="deal")]).found
    assert len(found.values["purchase_order"]) == 120
    assert "The purchase order was cut" in str(found.notices[0])


def test_a_service_period_is_two_days():
    rule = source("service_period", entity="deal", field_type="daterange")
    period = {"value": "2026-03-01", "until": "2026-03-31"}
    found = read(deal(custom_fields={"c" * 40: period}), sources=[rule]).found
    assert found.values["service_period"] == (date(2026, 3, 1), date(2026, 3, 31))
    turned = {"value": "2026-03-31", "until": "2026-03-01"}
    found = read(deal(custom_fields={"c" * 40: turned}), sources=[rule]).found
    assert "service_period" not in found.values
    assert "ends before it begins" in str(found.notices[0])


# Organisations


def test_an_address_object_becomes_lines():
    values = mapping.client_values(
        organization(
            address={
                "value": "…",
                "street_number": "12",
                "route": "rue Crébillon",
                "postal_code": "44000",
                "locality": "Nantes",
                "country": "Frankreich",
            }
        ),
        rules(),
    )
    assert values.address == mapping.Address("12 rue Crébillon", "", "44000", "Nantes", "FR")


def test_an_address_in_one_line_is_taken_apart():
    values = mapping.client_values(
        organization(address={"value": "Bât. B, 3 rue Foch, 29200 Brest, France"}), rules()
    )
    assert values.address == mapping.Address("Bât. B, 3 rue Foch", "", "29200", "Brest", "FR")


def test_an_unknown_country_is_said():
    values = mapping.client_values(
        organization(address={"value": "x", "country": "Lemuria"}), rules()
    )
    assert values.address.country == ""
    assert "Lemuria" in str(values.found.notices[0])


@pytest.mark.parametrize(
    "name", ["<b>Ti Gwenn</b> & Fils 🥞", '{{ 7*7 }} {% now "Y" %}', "=HYPERLINK(1)"]
)
def test_markup_and_braces_are_plain_text(name):
    assert mapping.client_values(organization(name=name), rules()).name == name


def test_what_a_database_cannot_store_is_left_out():
    assert mapping.client_values(organization(name="A\x00B\ud800C\nD"), rules()).name == "ABC D"


def test_a_name_longer_than_its_column_is_cut_and_said():
    values = mapping.client_values(organization(name="N" * 300), rules())
    assert len(values.name) == 255
    assert "The name was cut to 255 characters." in list(map(str, values.found.notices))


def test_an_object_without_a_number_is_refused():
    for number in (None, True, "7", 0, -1, 2**70):
        with pytest.raises(Refused):
            mapping.client_values(organization(id=number), rules())


# Deals


def test_a_deal_is_read_with_its_lines_in_their_order():
    values = read(
        deal(value=290),
        line(id=2, order_nr=2, name="Second", item_price=100, sum=90, discount=10),
        line(id=1, order_nr=1, name="First", item_price=Decimal("100.00"), quantity=2, sum=200),
    )
    assert [each.name for each in values.lines] == ["First", "Second"]
    assert values.value_minor == 290_00
    assert values.found.notices == []


def test_the_day_of_winning_is_in_our_calendar():
    assert read(deal(won_time="2026-03-01T23:30:00Z")).won_on == date(2026, 3, 2)


def test_a_date_out_of_range_is_left_empty_with_a_notice():
    for moment in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "soon"):
        values = read(deal(won_time=moment))
        assert values.won_on is None
        assert "no date we can use" in str(values.found.notices[0])


@pytest.mark.parametrize("currency", ["KRL", "", None, "EURO", "💶"])
def test_a_deal_in_an_unknown_currency_is_refused(currency):
    with pytest.raises(Refused, match="is not a currency the portal knows"):
        read(deal(currency=currency))


@pytest.mark.parametrize(
    "fields",
    [
        {"item_price": Decimal("123456789012.34")},
        {"item_price": Decimal("1e999999999")},
        {"item_price": "100"},
        {"item_price": True},
        {"quantity": Decimal("1e40")},
        {"quantity": 10**12},
        {"item_price": 99_999_999_999, "quantity": 99_999},
        {"tax": 10_000},
    ],
)
def test_a_line_that_cannot_be_an_amount_refuses_the_deal_by_its_number(fields):
    with pytest.raises(Refused, match="Line 1"):
        read(deal(), line(**fields))


def test_a_value_larger_than_any_amount_is_refused():
    with pytest.raises(Refused, match="larger than any amount"):
        read(deal(value=Decimal("123456789012.34")))


def test_a_negative_price_is_kept_and_said():
    values = read(deal(value=-500), line(item_price=-500, sum=-500))
    assert values.lines[0].unit_price == -500
    assert any("negative price (−€500.00)" in str(each) for each in values.found.notices)
    assert any("value is negative" in str(each) for each in values.found.notices)


def test_a_price_finer_than_its_column_is_rounded_and_said():
    values = read(deal(value=0), line(item_price=Decimal("0.00000049"), sum=0))
    assert values.lines[0].unit_price == Decimal("0.000000")
    assert any("rounded to 6 decimals" in str(each) for each in values.found.notices)


@pytest.mark.parametrize("fields", [{"discount": 150}, {"discount": -5}])
def test_an_impossible_discount_is_left_out_and_said(fields):
    values = read(deal(), line(**fields))
    assert values.lines[0].discount == 0
    assert any("cannot be" in str(each) for each in values.found.notices)


def test_an_overflowing_description_is_cut_and_said():
    values = read(deal(), line(comments="x" * 5_000))
    assert len(values.lines[0].description) == 2_000
    assert "Line 1 was cut to 2,000 characters." in list(map(str, values.found.notices))


def test_a_line_that_is_switched_off_is_kept_and_does_not_count():
    values = read(deal(value=100), line(), line(id=2, is_enabled=False, item_price=900, sum=900))
    assert [each.enabled for each in values.lines] == [True, False]
    assert values.found.notices == []


def test_a_value_that_is_not_the_sum_of_the_lines_is_said():
    values = read(deal(value=500), line())
    assert any("a draft takes the lines" in str(each) for each in values.found.notices)


def test_extra_discounts_are_read_for_deals_whose_value_differs():
    assert deal_mapping.asks_for_discounts(deal(value=90), [line()])
    assert not deal_mapping.asks_for_discounts(deal(value=100), [line()])
    assert not deal_mapping.asks_for_discounts(deal(value=90), [])
    assert not deal_mapping.asks_for_discounts(deal(value=90, is_deleted=True), [line()])
    values = read(deal(value=90), line(), discounts=[{"type": "amount", "amount": 10}])
    assert values.discounts[0].value == 10
    assert values.found.notices == []


def test_mixed_ways_of_vat_are_said():
    values = read(deal(value=200), line(), line(id=2, tax_method="inclusive"))
    assert values.tax_method == "exclusive"
    assert any("different ways" in str(each) for each in values.found.notices)


def test_a_deleted_deal_is_deleted_whatever_its_status():
    assert read(deal(is_deleted=True)).status == "deleted"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    fields=st.dictionaries(st.sampled_from(sorted(deal())), json_values),
    line_fields=st.dictionaries(st.sampled_from(sorted(line())), json_values),
)
def test_whatever_comes_a_deal_is_read_or_refused_in_words(fields, line_fields):
    try:
        values = read(deal(**fields), line(**line_fields))
    except Refused as refusal:
        assert str(refusal)
        return
    assert values.title
    repr(values).encode()
    for each in values.lines:
        assert abs(each.unit_price) < 10**14
        assert abs(each.quantity) < 10**12


@given(
    fields=st.dictionaries(st.sampled_from(sorted(organization())), json_values),
    raw=json_values,
    target=st.sampled_from(sorted(fields.READERS)),
)
def test_whatever_comes_an_organisation_is_read_or_refused_in_words(fields, raw, target):
    thing = organization(**{"custom_fields": {"c" * 40: raw}, **fields})
    for field_type in ("varchar", "enum", "daterange", "people"):
        try:
            values = mapping.client_values(thing, rules(source(target, field_type=field_type)))
        except Refused as refusal:
            assert str(refusal)
            return
        assert 0 < len(values.name) <= 255
        values.name.encode()
