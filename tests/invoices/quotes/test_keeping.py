"""Quotes and subscriptions are kept while they are typed, as the drafts of invoices are."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from invoices.models import DraftVersion, QuoteVersion, Subscription
from tests.invoices.quotes.making import send_quote, written_today
from tests.invoices.quotes.test_pages import typed
from tests.invoices.subscriptions.making import running_now, written_now
from tests.invoices.subscriptions.test_pages import form

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


class OfQuote:
    def __init__(self):
        self.row = written_today().version
        self.url = reverse("invoices:quote-edit", args=[self.row.quote_id])

    def sent(self, **fields):
        self.row.refresh_from_db()
        return {**typed(self.row, {}), **fields}


class OfSubscription:
    def __init__(self):
        self.row = written_now()
        self.url = reverse("invoices:subscription-edit", args=[self.row.pk])

    def sent(self, **fields):
        self.row.refresh_from_db()
        return form(**{"seen": self.row.updated_at.isoformat(), **fields})


KINDS = pytest.mark.parametrize("make", [OfQuote, OfSubscription])


def fresh(row):
    return type(row).objects.get(pk=row.pk)


@KINDS
def test_what_is_typed_is_saved_and_what_cannot_be_read_comes_back_as_typed(make, clerk_client):
    kind = make()
    answer = clerk_client.post(kind.url, kind.sent(act="keep", title="Typed"), headers=HTMX)
    assert answer.status_code == 200 and "saved at" in answer.text
    assert fresh(kind.row).title == "Typed"
    assert fresh(kind.row).updated_at.isoformat() in answer.text
    unread = {"act": "keep", "title": "After", "lines-0-unit_price": "twelve"}
    assert "as typed" in clerk_client.post(kind.url, kind.sent(**unread), headers=HTMX).text
    assert fresh(kind.row).title == "Typed"
    page = clerk_client.get(kind.url).text
    assert 'value="twelve"' in page and 'value="After"' in page


@KINDS
def test_the_older_of_two_tabs_is_told_and_saves_over_it_only_when_asked(
    make, clerk_client, admin_client
):
    kind = make()
    mine = kind.sent(act="keep", title="Mine")
    admin_client.post(kind.url, kind.sent(act="keep", title="Theirs"), headers=HTMX)
    answer = clerk_client.post(kind.url, mine, headers=HTMX)
    assert answer.status_code == 409 and "saved this draft in between" in answer.text
    assert fresh(kind.row).title == "Theirs"
    clerk_client.post(kind.url, {**mine, "act": "save"}, headers=HTMX)
    assert fresh(kind.row).title == "Theirs"
    clerk_client.post(kind.url, {**mine, "act": "overwrite"}, headers=HTMX)
    assert fresh(kind.row).title == "Mine"


@KINDS
def test_undo_steps_back_to_how_it_began(make, clerk_client):
    kind = make()
    began = fresh(kind.row).title
    for title in ("Second", "Third"):
        clerk_client.post(kind.url, kind.sent(act="keep", title=title), headers=HTMX)
    for title in ("Second", began):
        page = clerk_client.post(kind.url, kind.sent(act="undo"), headers=HTMX)
        assert page.status_code == 200 and fresh(kind.row).title == title
    assert clerk_client.post(kind.url, kind.sent(act="undo")).status_code == 422


def test_a_subscription_that_runs_changes_when_it_is_saved_and_not_before(clerk_client):
    found = running_now()
    url = reverse("invoices:subscription-edit", args=[found.pk])
    assert "data-keeps" not in clerk_client.get(url).text
    assert not DraftVersion.objects.exists()
    assert Subscription.objects.get(pk=found.pk).title == found.title


def test_a_quote_that_left_meanwhile_is_not_written_over(clerk_client):
    quote = send_quote()
    url = reverse("invoices:quote-edit", args=[quote.pk])
    answer = clerk_client.post(url, typed(quote.version, {}, act="keep"), headers=HTMX)
    assert answer.status_code < 400
    assert QuoteVersion.objects.get(pk=quote.version_id).title == quote.version.title


def test_the_page_beside_a_quote_is_of_what_is_typed_and_nothing_is_saved(clerk_client):
    kind = OfQuote()
    url = reverse("invoices:quote-page-preview", args=[kind.row.quote_id])
    given = kind.sent(title="Seen beside")
    answer = clerk_client.post(url, given)
    assert answer.text.count("data:image/png;base64,") >= 1
    shown = re.search(r'name="page_shown" value="(\w+)"', answer.text)[1]
    assert clerk_client.post(url, {**given, "page_shown": shown}).status_code == 204
    assert fresh(kind.row).title != "Seen beside"
    note = clerk_client.post(url, kind.sent(**{"lines-0-unit_price": "a lot"}))
    assert note["HX-Retarget"] == "#page-note"
