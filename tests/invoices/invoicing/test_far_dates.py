"""A day far from today is asked about once more before the page is issued."""

from __future__ import annotations

import html
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from invoices.invoicing.far_dates import far_dates
from invoices.models import Invoice
from tests.confirm import confirm
from tests.factories import make_draft, make_issued

pytestmark = pytest.mark.django_db


def issue_url(draft):
    return reverse("invoices:issue", args=[draft.pk])


def test_days_near_today_are_not_asked_about(clerk_client):
    on = timezone.localdate()
    draft = make_draft(
        service_from=on - timedelta(days=55), service_until=on - timedelta(days=25), on=on
    )
    assert far_dates(draft, on).questions == ()
    assert "Issue it so?" not in clerk_client.get(issue_url(draft)).text
    confirm(clerk_client, issue_url(draft))
    draft.refresh_from_db()
    assert draft.status == Invoice.Status.ISSUED
    # What is issued already is not asked about again, whatever its days.
    assert far_dates(draft, on + timedelta(days=1500)).questions == ()


@pytest.mark.parametrize(
    ("days", "question"),
    [
        (
            {"issue_date": date(2024, 11, 26)},
            "This invoice is dated 26 Nov 2024. Issue it so?",
        ),
        ({"service_from": date(2006, 3, 1)}, "The service is dated 1 Mar 2006. Issue it so?"),
        ({"service_until": date(2096, 3, 1)}, "The service is dated 1 Mar 2096. Issue it so?"),
    ],
)
def test_a_day_far_from_today_is_asked_about_and_issued_once_agreed(clerk_client, days, question):
    # A year in which nothing was numbered is refused, not asked about.
    make_issued(on=date(2024, 11, 20))
    draft = make_draft(**days)
    page = html.unescape(clerk_client.get(issue_url(draft)).text).replace("\xa0", " ")
    assert question in page, far_dates(draft, timezone.localdate())
    answer = confirm(clerk_client, issue_url(draft), {"issue": "1"})
    assert answer.status_code == 422
    assert "Say first whether these days are right" in answer.text
    draft.refresh_from_db()
    assert draft.is_draft and draft.number == ""
    agreed = far_dates(draft, timezone.localdate()).token
    # A yes to other days is no yes.
    assert confirm(clerk_client, issue_url(draft), {"dates": "2024-01-01"}).status_code == 422
    confirm(clerk_client, issue_url(draft), {"dates": agreed})
    draft.refresh_from_db()
    assert draft.status == Invoice.Status.ISSUED
