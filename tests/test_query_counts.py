"""No page asks more of the database because there is more in it."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bench.pages import PAGES, address
from invoices.seeding import seed
from reports.alerts import running
from tests.factories import make_company, make_draft, make_issued

TODAY = timezone.localdate()


def counted(browser):
    """How many queries each page makes, the second time that it is opened."""
    found = {}
    for name, query in PAGES:
        url = address(name, query)
        assert url, name
        for _time in range(2):
            cache.clear()
            with CaptureQueriesContext(connection) as heard:
                answer = browser.get(url)
            assert answer.status_code == 200, url
        found[url] = len(heard)
    return found


def grown(number, **counts):
    seed(seed=number, on=TODAY, **counts)
    running.run(on=TODAY)
    make_draft(on=TODAY)


@pytest.mark.slow
def test_pages_make_as_many_queries_for_ten_times_the_rows(clerk_client):
    make_company()
    grown(1, invoices=60, clients=6, deals=6)
    call_command("starter_rules")
    running.run(on=TODAY)
    few = counted(clerk_client)
    grown(2, invoices=600, clients=60, deals=60)
    many = counted(clerk_client)
    assert many == few


@pytest.mark.django_db
def test_pages_with_a_form_ask_once_for_what_their_parts_share(clerk_client):
    make_company()
    draft, invoice = make_draft(on=TODAY), make_issued()
    found = {}
    for name, url in {
        "editor": reverse("invoices:edit", args=[draft.pk]),
        "issue": reverse("invoices:issue", args=[draft.pk]),
        "payment": f"{reverse('invoices:payment-new')}?invoice={invoice.pk}",
    }.items():
        clerk_client.get(url)
        with CaptureQueriesContext(connection) as heard:
            assert clerk_client.get(url).status_code == 200, url
        found[name] = [
            sum(f'SELECT "{table}"."id"' in query["sql"] for query in heard)
            for table in ("invoices_company", "invoices_invoiceline", "invoices_invoice")
        ]
    # The company whole, the lines (the editor has stored ones and typed ones), documents: this one,
    # whoever bears the number that comes next, and of the editor the deposits it could deduct.
    assert found == {"editor": [1, 2, 3], "issue": [1, 1, 2], "payment": [0, 0, 2]}
