"""The page of the next invoice, before there is one: what will be made, and nothing kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from django.urls import reverse

from invoices.invoicing.issuing import preview_paper
from invoices.models import Invoice, Subscription, SubscriptionEvent, SubscriptionPeriod
from invoices.subscriptions.making import make_next
from invoices.subscriptions.previewing import next_paper
from invoices.subscriptions.standing import SubscriptionRefused
from tests.factories import make_company
from tests.invoices.subscriptions.making import TODAY, asked_now, line, started, write, written_now
from tests.invoices.subscriptions.test_pages import form

pytestmark = pytest.mark.django_db


def url(name, row):
    return reverse(f"invoices:subscription-{name}", args=[row.pk])


def kept():
    models = (Invoice, SubscriptionPeriod, SubscriptionEvent)
    return [model.objects.count() for model in models]


@pytest.mark.parametrize("first", [date(2026, 11, 1), date(2026, 10, 15)])
def test_it_is_the_page_that_is_made_then(first):
    make_company()
    found = started(lines=[line("310.33"), line(7, quantity=3, rate=10)], starts_on=first)
    before = kept()
    paper = next_paper(found.pk, TODAY)
    assert kept() == before
    period = make_next(found.pk, TODAY)
    made = preview_paper(period.billings.get().invoice, TODAY)
    assert replace(paper, issue_date=made.issue_date) == made
    assert paper.total_minor == made.total_minor > 0


def test_while_it_is_written_it_shows_what_is_typed(clerk_client):
    make_company()
    found = written_now()
    answer = clerk_client.post(url("page-preview", found), form(**{"lines-0-unit_price": "412"}))
    assert answer.text.count("data:image/png;base64,") == 1
    pdf = clerk_client.post(url("preview", found), form(**{"lines-0-unit_price": "412"}))
    assert pdf["Content-Type"] == "application/pdf" and pdf.content.startswith(b"%PDF")
    assert kept()[:2] == [0, 0]
    wrong = clerk_client.post(url("page-preview", found), form(every="many"))
    assert "as soon as this can be read" in wrong.text


def test_one_that_ends_before_has_no_next_page(clerk_client):
    make_company()
    found = started(starts_on=date(2026, 11, 1), most_periods=1)
    make_next(found.pk, TODAY)
    with pytest.raises(SubscriptionRefused, match="No invoice is to come"):
        next_paper(found.pk, TODAY)
    assert clerk_client.get(url("preview", found)).status_code == 303


def test_of_one_that_is_over_the_page_is_its_own(clerk_client):
    make_company()
    found = write()
    Subscription.objects.filter(pk=found.pk).update(status=Subscription.Status.DISCARDED)
    assert clerk_client.get(url("preview", found)).status_code == 303
    assert clerk_client.post(url("page-preview", found), form()).status_code == 204


def test_what_waits_for_a_person_does_not_hold_the_next_page_back():
    make_company()
    found = asked_now()
    assert next_paper(found.pk, TODAY).lines
