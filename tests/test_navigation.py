"""Every page stands in a section of the sidebar, which is marked there."""

from __future__ import annotations

import pytest
from django.urls import get_resolver, reverse

from billing_portal.navigation import WATCH, WORK
from invoices.models import Payment
from tests.clock import days_ago
from tests.factories import make_client


def addresses(resolver, before=""):
    for each in resolver.url_patterns:
        here = f"{before}{each.pattern}"
        if hasattr(each, "url_patterns"):
            yield from addresses(each, here)
        else:
            yield f"/{here}"


def test_every_address_of_the_business_belongs_to_a_section():
    sections = [(reverse(section.url_name), *section.also) for section in WORK + WATCH]
    known = tuple(path for paths in sections for path in paths if path != "/")
    (business,) = (
        each for each in get_resolver().url_patterns if getattr(each, "namespace", "") == "invoices"
    )
    # Clients read a quote behind their link; they see no section.
    known += ("/quote/",)
    assert [each for each in addresses(business) if not each.startswith(known)] == []


@pytest.mark.django_db
def test_each_section_has_a_key_of_its_own_and_the_help_names_it(admin_client):
    keys = [section.shortcut for section in WORK + WATCH]
    assert all(keys) and len(set(keys)) == len(keys)
    page = admin_client.get("/").text
    for key in keys:
        assert f"<kbd>g</kbd> then <kbd>{key}</kbd>" in page


@pytest.mark.django_db
def test_a_refund_stands_among_the_payments(clerk_client):
    client = make_client()
    Payment.objects.create(
        client=client, received_on=days_ago(3), currency="EUR", amount_minor=20_00
    )
    page = clerk_client.get(f"{reverse('invoices:refund-new')}?client={client.pk}").context["frame"]
    current = [each["key"] for group in page["groups"] for each in group if each["current"]]
    assert current == ["payments"]
