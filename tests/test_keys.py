"""billing_portal/keys.py, and that the keys of rows are right whoever wrote them"""

from __future__ import annotations

from datetime import date
from importlib import import_module
from io import StringIO
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from billing_portal.keys import Keyed, keys_of, number_key, sort_key, text_key
from invoices.models import Client, Invoice, Payment
from invoices.selections.filters import InvoiceFilter, filter_invoices
from reports.search.search import search
from tests.factories import make_client, make_deal, make_invoice, make_issued, make_user

KEYED = [model for model in apps.get_models() if issubclass(model, Keyed)]


def stale():
    """The rows whose keys are not those of their names: nothing may leave one behind."""
    return [
        (row, column.name)
        for model in KEYED
        for row in model._default_manager.all()
        for column in keys_of(model)
        if getattr(row, column.name) != column.of(getattr(row, column.source))
    ]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Électricité & Cie", "electricitecie"),
        ("ELECTRICITE", "electricite"),
        ("Œuvres d’Été", "oeuvresdete"),
        ("Straße 5", "strasse5"),
        ("  ", ""),
        ("東京", "東京"),
    ],
)
def test_a_name_is_its_letters_and_figures(text, key):
    assert text_key(text) == key


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_letters_are_read_as_all_others(text):
    """Those of ASCII have a shorter way; beside another letter they take the long one."""
    assert text_key(f"é{text}") == f"e{text_key(text)}"
    assert number_key(f"é {text}") == f"e{number_key(text)}"
    assert sort_key(f"é {text}").split() == ["e", *sort_key(text).split()]


def test_a_number_is_one_however_it_is_written():
    for text in ("F-2026-0078", "F 2026 0078", "F-2026-78", "f/2026/78", " f-2026-078 "):
        assert number_key(text) == "f202678"
    assert text_key("f20260078") == text_key("F-2026-0078")


def test_numbers_sort_by_series_and_then_sequence():
    numbers = ["F-2026-9999", "F-2025-0002", "A-2026-10000", "F-2026-10000", "F-2026-0078"]
    assert sorted(numbers, key=sort_key) == [
        "A-2026-10000",
        "F-2025-0002",
        "F-2026-0078",
        "F-2026-9999",
        "F-2026-10000",
    ]


@given(st.text(max_size=60))
def test_any_text_has_a_key_and_that_of_a_name_is_its_own(text):
    assert text_key(text_key(text)) == text_key(text)
    assert " " not in number_key(text)
    assert len(sort_key(text)) <= 255


@pytest.mark.django_db
def test_the_keys_follow_every_way_of_writing():
    client = make_client(name="Électricité Brière")
    invoice = make_invoice(client=client, number="F-2026-0078")
    client.name = "Éléments"
    client.save(update_fields=["name"])
    assert stale() == []
    Invoice.objects.filter(pk=invoice.pk, status="draft").update(title="Été")
    Client.objects.update(name="Ça et là")
    assert Client.objects.get().name_key == "caetla"
    client.refresh_from_db()
    client.name = "Où"
    Client.objects.bulk_update([client], ["name"])
    Client.objects.bulk_create([Client(name="Noël", client_type=client.client_type)])
    assert stale() == []
    assert {row.name_key for row in Client.objects.all()} == {"ou", "noel"}


@pytest.mark.django_db
def test_a_seeded_portal_has_no_stale_key():
    call_command("seed", invoices=60, stdout=StringIO())
    assert stale() == []
    assert Client.objects.exclude(name_key="").exists()


@pytest.mark.django_db
def test_names_and_numbers_are_found_as_people_write_them():
    clerk = make_user()
    client = make_client(name="Électricité du Trégor")
    invoice = make_invoice(client=client, number="F-2026-0078", purchase_order="BC-2026-95412")
    make_invoice(number="F-2026-1780")
    deal = make_deal(client=client, title="Câblage", purchase_order="BC-2026-95413")
    payment = Payment.objects.create(
        client=client,
        received_on=date(2026, 5, 6),
        currency="EUR",
        amount_minor=1_00,
        reference="VIR F-2026-0056",
    )

    def found(text):
        return {group.key: group.rows for group in search(text, clerk).groups}

    for text in ("electricite", "électricité", "ÉLECTRICITÉ", "electricite-du tregor"):
        assert found(text)["clients"] == [client], text
        wanted = InvoiceFilter(q=text)
        rows = filter_invoices(Invoice.objects.all(), wanted, date(2026, 11, 24))
        assert list(rows) == [invoice], text
    for text in ("F 2026 0078", "F-2026-78", "f20260078", "f-2026-0078"):
        assert search(text, clerk).exact == invoice, text
        wanted = InvoiceFilter(q=text)
        rows = filter_invoices(Invoice.objects.all(), wanted, date(2026, 11, 24))
        assert list(rows) == [invoice], text
    assert found("0078")["numbers"] == [invoice]
    assert found("VIR F-2026-0056")["payments"] == found("vir f2026 0056")["payments"] == [payment]
    assert found("BC-2026-95412")["titles"] == [invoice]
    assert found("bc 2026 95413")["deals"] == found("cablage")["deals"] == [deal]
    assert found("&&&") == {}


@pytest.mark.django_db
def test_e_with_an_accent_sorts_with_e():
    for name in ("Zinc", "Étain", "Fer", "eau"):
        make_client(name=name)
    names = Client.objects.order_by("name_key").values_list("name", flat=True)
    assert list(names) == ["eau", "Étain", "Fer", "Zinc"]


@pytest.mark.django_db
def test_the_migration_gives_the_rows_that_are_here_their_keys():
    call_command("seed", invoices=40, stdout=StringIO())
    make_issued()
    for model in KEYED:
        model._default_manager.update(**{column.name: "" for column in keys_of(model)})
    assert stale()
    migration = import_module("invoices.migrations.0017_fill_search_keys")
    migration.fill(apps, SimpleNamespace(connection=connection))
    assert stale() == []
