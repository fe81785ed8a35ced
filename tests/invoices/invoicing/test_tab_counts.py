"""What a tab counts is what it opens, with and without a filter."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from tests.factories import make_client, make_draft, make_invoice

pytestmark = pytest.mark.django_db
COUNT = re.compile(r'id="tab-count-(\w+)"[^>]*>([0-9]+)<')


@pytest.mark.parametrize("filtered", [False, True])
def test_each_tab_counts_what_it_opens(clerk_client, filtered):
    mine, other = make_client(name="Mine"), make_client(name="Other")
    for client in (mine, other, other):
        make_invoice(client=client)
        make_invoice(client=client, kind="credit_note")
        make_draft(client=client)
    query = {"client": mine.pk, "bucket": "current", "size": "50"} if filtered else {}
    page = clerk_client.get(reverse("invoices:tab-counts"), query)
    counts = dict(COUNT.findall(page.text))
    assert counts["draft"] == ("1" if filtered else "3")
    shown = clerk_client.get(reverse("invoices:list"), query)
    for tab in shown.context["tabs"]:
        opened = clerk_client.get(reverse("invoices:list") + tab["url"])
        assert str(opened.context["page"].count) == counts[tab["key"]], tab["key"]
