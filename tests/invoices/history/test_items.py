"""The catalogue goes out and comes in again in the columns of the import."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from invoices.company.exemptions import Exemptions
from invoices.history.bringing_in import apply, read
from invoices.models import CatalogueItem, HistoryImport
from tests.confirm import confirm
from tests.factories import make_company, make_item
from tests.invoices.history.files import ON, as_csv

pytestmark = pytest.mark.django_db
ITEM = {"code": "CONS", "name": "Conseil", "unit": "jour", "vat": "20", "currency": "EUR",
        "price": "1150.00"}  # fmt: skip


def plan_of(*rows, **options):
    return read(sources={"items": ("items.csv", as_csv("items", rows))}, on=ON, **options)


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_out_and_in_again_is_nothing_new_and_nothing_changed(clerk_client, ending):
    make_company()
    why = next(r for r in Exemptions().on(timezone.localdate()) if r.category == "E")
    make_item(
        code="=1+1", name="A; B, “C”", description="One\nTwo", prices={"EUR": "1150", "JPY": "1"}
    )
    make_item(code="FINE", unit="HUR", nature="goods", prices={"USD": "1.125"})
    make_item(code="00123", vat_category="E", exemption=why)
    make_item(code="old", archived_at=timezone.now(), vat_category="S", vat_rate=Decimal("5.5"))
    answer = clerk_client.get(reverse("invoices:history_export", args=["items", ending]))
    content = b"".join(answer.streaming_content)
    plan = read(sources={"items": (f"items.{ending}", content)}, on=timezone.localdate())
    assert [str(c.reason) for c in plan.complaints] == [] and not plan.rows.questions
    assert plan.counts()["items"] == {"new": 0, "changed": 0, "unchanged": 4, "refused": 0}


def test_new_and_changed_come_in_and_bad_rows_may_be_left_out(clerk):
    make_company()
    held = make_item(code="cons", name="Conseil", unit="DAY", prices={"EUR": "1100"}, crm="7")
    rows = [ITEM, {**ITEM, "currency": "USD", "price": "1300.00"},
            {"code": "NEW", "name": "New", "state": "archived", "vat": "client"},
            {"code": "BAD", "name": "Bad", "vat": "130"},
            {"code": "NONAME"},
            {**ITEM, "code": "TWICE"}, {"code": "twice", "name": "Otherwise"}]  # fmt: skip
    plan = plan_of(*rows)
    lines = {c.line: c.column for c in plan.complaints}
    assert lines == {5: "vat", 6: "name", 8: "name"}
    rest = plan_of(*rows, leave_out=True)
    assert {c.line for c in rest.left_out} == {5, 6, 7, 8}
    (change,) = rest.item_changes
    assert change.fields == {
        "vat": ("client", "20"),
        "price EUR": ("1100", "1150"),
        "price USD": ("", "1300"),
    }
    apply(rest, by=clerk, on=ON)
    held.refresh_from_db()
    assert {p.currency: p.unit_price for p in held.prices.all()} == {"EUR": 1150, "USD": 1300}
    # What came from a file was said here: the CRM no longer overwrites it.
    assert held.kept_here == ["prices", "vat"]
    assert CatalogueItem.objects.get(code="NEW").is_archived
    assert not CatalogueItem.objects.filter(code__in=["BAD", "TWICE"]).exists()
    assert plan_of(*rows[:3]).writes == 0


def test_the_page_shows_before_and_after_and_brings_in_once(clerk_client):
    make_company()
    make_item(code="CONS", name="Conseil", unit="DAY", prices={"EUR": "1100"})
    file = SimpleUploadedFile("items.csv", as_csv("items", [ITEM, {**ITEM, "code": "N"}]))
    clerk_client.post(reverse("invoices:import_history"), {"items": file})
    kept = HistoryImport.objects.get()
    url = reverse("invoices:history_preview", args=[kept.pk])
    page = clerk_client.get(url).text
    assert "price in EUR" in page and "1100 → 1150" in page and "The first new items" in page
    act = reverse("invoices:history_bring_in", args=[kept.pk])
    confirm(clerk_client, act, at=url)
    assert CatalogueItem.objects.count() == 2
    kept.refresh_from_db()
    assert kept.state == "done" and not kept.items_file
