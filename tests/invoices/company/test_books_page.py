"""The page of the books: closing, next numbers, exceptions, and their log."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from billing_portal.idempotency import new_key
from invoices.invoicing.issuing import issue
from invoices.models import BooksDecision, Company, NumberSeries
from tests.confirm import confirm, token_on
from tests.factories import make_company, make_draft, make_user
from tests.race import at_once

pytestmark = pytest.mark.django_db
URL = "/settings/books/"


def post(browser, form, **fields):
    data = {"form": form, **{f"{form}-{name}": value for name, value in fields.items()}}
    return confirm(browser, reverse("company:books"), data)


def test_only_administrators_see_the_books(clerk_client, admin_client):
    make_company()
    assert clerk_client.get(URL).status_code == 403
    assert "Closed period" in admin_client.get(URL).text


def test_a_day_is_closed_and_opened_again_with_its_reason(admin_client):
    make_company()
    last = (timezone.localdate().replace(day=1) - timedelta(days=1)).isoformat()
    assert post(admin_client, "closing", until=last).status_code == 303
    assert Company.objects.get().closed_until.isoformat() == last
    refused = post(admin_client, "closing", until="", seen=last)
    assert refused.status_code == 422 and "Say why" in refused.text
    stale = post(admin_client, "closing", until="", seen="", reason="Oops")
    assert stale.status_code == 422 and "meanwhile" in stale.text
    assert post(admin_client, "closing", until="", seen=last, reason="Audit").status_code == 303
    page = admin_client.get(URL).text
    assert "are open again" in page and "Audit" in page


def test_the_next_number_is_set(admin_client):
    make_company()
    year = timezone.localdate().year
    answer = post(admin_client, "number", series=f"invoice {year}", value="432")
    assert answer.status_code == 303
    assert NumberSeries.objects.get().next_value == 432
    again = post(admin_client, "number", series=f"invoice {year}", value="0")
    assert again.status_code == 422
    assert f"F-{year}-0432" in admin_client.get(URL).text


def test_a_number_is_not_set_when_one_was_given_meanwhile(admin_client, clerk):
    """The administrator saw what comes next; a colleague issued an invoice since."""
    make_company()
    year = timezone.localdate().year
    token = token_on(admin_client.get(URL))
    issue(invoice_id=make_draft().pk, by=clerk, on=timezone.localdate())
    given = {"form": "number", "number-series": f"invoice {year}", "number-value": "9"}
    stale = {**given, "once": new_key(), "confirmed": token}
    answer = admin_client.post(URL, stale)
    assert answer.status_code == 422
    assert "look again" in answer.text
    assert 'value="9"' in answer.text
    assert NumberSeries.objects.get().next_value == 2
    # Looked at again, with the key of the refused form; the series has begun, so the gap is asked.
    looked = {**stale, "confirmed": token_on(answer), "number-reason": "A book of paper invoices"}
    asked = admin_client.post(URL, looked)
    assert asked.status_code == 422
    looked["agreed"] = asked.context["gap"].token
    assert admin_client.post(URL, looked).status_code == 303
    assert NumberSeries.objects.get().next_value == 9


def test_numbers_are_left_out_only_by_somebody_who_was_told_how_many_and_says_why(admin_client):
    make_company()
    year = timezone.localdate().year
    issue(invoice_id=make_draft().pk, by=None, on=timezone.localdate())
    typed = {"series": f"invoice {year}", "value": "500"}
    asked = post(admin_client, "number", **typed)
    assert asked.status_code == 422
    told = f"498 numbers, F-{year}-0002 to F-{year}-0499, will never be given: F-{year}-0500 comes"
    assert told in asked.text
    assert 'name="agreed"' in asked.text
    assert "Say why" in asked.text
    agreed = {**typed, "agreed": asked.context["gap"].token}

    def set_to(**fields):
        data = {"form": "number", **fields}
        data |= {f"number-{name}": fields[name] for name in ("series", "value")}
        return confirm(admin_client, URL, data)

    # Without a reason, or agreed to another gap than the one that is left now: not set.
    assert set_to(**agreed).status_code == 422
    reason = {"number-reason": "The old books were lost"}
    assert set_to(**agreed | reason).status_code == 303
    row = NumberSeries.objects.get()
    assert row.next_value == 500
    assert set_to(**{**agreed, "value": "600"}, **reason).status_code == 422
    row.refresh_from_db()
    assert row.next_value == 500


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        ("closing", {"until": "2026-01-31", "seen": ""}),
        ("number", {"series": "invoice 2026", "value": "7"}),
        (
            "exception",
            {
                "kind": "invoice",
                "earliest": "2026-11-20",
                "until": "2026-11-25",
                "reason": "Clock",
            },
        ),
    ],
)
def test_a_double_click_decides_once(form, fields, admin_client):
    make_company()
    data = {"form": form, "once": new_key(), "confirmed": token_on(admin_client.get(URL))}
    data |= {f"{form}-{name}": value for name, value in fields.items()}
    assert admin_client.post(URL, data).status_code == 303
    again = admin_client.post(URL, data, follow=True)
    assert "already done a moment ago" in again.text
    assert BooksDecision.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_administrators_at_once_set_one_number(client):
    make_company()
    year = timezone.localdate().year
    backend = "allauth.account.auth_backends.AuthenticationBackend"
    browsers = []
    for _each in range(2):
        browser = Browser()
        browser.force_login(make_user(role="administrator"), backend=backend)
        data = {"form": "number", "once": new_key(), "confirmed": token_on(browser.get(URL)),
                "number-series": f"invoice {year}"}  # fmt: skip
        browsers.append((browser, data))

    def set_to(value, browser, data):
        return lambda: browser.post(URL, {**data, "number-value": value})

    answers = at_once(*(set_to(10 + n, *each) for n, each in enumerate(browsers)))
    assert sorted(answer.status_code for answer in answers) == [303, 422]
    assert BooksDecision.objects.count() == 1


def test_an_exception_is_granted(admin_client):
    make_company()
    on = timezone.localdate()
    fields = {"kind": "invoice", "earliest": (on - timedelta(days=9)).isoformat()}
    refused = post(admin_client, "exception", until=on.isoformat(), **fields)
    assert refused.status_code == 422
    done = post(admin_client, "exception", until=on.isoformat(), reason="Clock", **fields)
    assert done.status_code == 303
    row = BooksDecision.objects.get()
    assert (row.kind, row.reason, row.granted_until) == ("dates", "Clock", on)
    assert "Granted until" in admin_client.get(URL).text
