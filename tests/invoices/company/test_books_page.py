"""The page of the books: closing, next numbers, exceptions, and their log."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from invoices.models import BooksDecision, Company, NumberSeries
from tests.factories import make_company

pytestmark = pytest.mark.django_db
URL = "/settings/books/"


def post(browser, form, **fields):
    data = {"form": form, **{f"{form}-{name}": value for name, value in fields.items()}}
    return browser.post(reverse("company:books"), data)


def test_only_administrators_see_the_books(clerk_client, admin_client):
    make_company()
    assert clerk_client.get(URL).status_code == 403
    assert "Closed period" in admin_client.get(URL).text


def test_a_day_is_closed_and_opened_again_with_its_reason(admin_client):
    make_company()
    last = (timezone.localdate().replace(day=1) - timedelta(days=1)).isoformat()
    assert post(admin_client, "closing", until=last).status_code == 302
    assert Company.objects.get().closed_until.isoformat() == last
    refused = post(admin_client, "closing", until="", seen=last)
    assert refused.status_code == 422 and "Say why" in refused.text
    stale = post(admin_client, "closing", until="", seen="", reason="Oops")
    assert stale.status_code == 422 and "meanwhile" in stale.text
    assert post(admin_client, "closing", until="", seen=last, reason="Audit").status_code == 302
    page = admin_client.get(URL).text
    assert "are open again" in page and "Audit" in page


def test_the_next_number_is_set(admin_client):
    make_company()
    year = timezone.localdate().year
    answer = post(admin_client, "number", kind="invoice", year=year, value="432")
    assert answer.status_code == 302
    assert NumberSeries.objects.get().next_value == 432
    again = post(admin_client, "number", kind="invoice", year=year, value="0")
    assert again.status_code == 422
    assert f"F-{year}-0432" in admin_client.get(URL).text


def test_an_exception_is_granted(admin_client):
    make_company()
    on = timezone.localdate()
    fields = {"kind": "invoice", "earliest": (on - timedelta(days=9)).isoformat()}
    refused = post(admin_client, "exception", until=on.isoformat(), **fields)
    assert refused.status_code == 422
    done = post(admin_client, "exception", until=on.isoformat(), reason="Clock", **fields)
    assert done.status_code == 302
    row = BooksDecision.objects.get()
    assert (row.kind, row.reason, row.granted_until) == ("dates", "Clock", on)
    assert "Granted until" in admin_client.get(URL).text
