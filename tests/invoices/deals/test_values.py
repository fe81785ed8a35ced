"""A deal's value, with VAT or without."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.factories import (
    make_company,
    make_deal,
)

pytestmark = pytest.mark.django_db


def test_a_value_with_vat_says_so_beside_those_without(clerk_client):
    make_company()
    make_deal(title="Gross", value_minor=120_00, tax_method="inclusive")
    make_deal(title="Net", value_minor=100_00)
    page = clerk_client.get(reverse("invoices:deals"))
    assert page.text.count('<span class="sub">with VAT</span>') == 1
    file = clerk_client.get(reverse("invoices:deals-csv"))
    text = b"".join(file.streaming_content).decode()
    assert "prices with VAT" in text and "prices without VAT" in text
