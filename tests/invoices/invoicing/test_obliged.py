"""From the day on which the company has to e-invoice."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.urls import reverse

from billing_portal.idempotency import new_key
from invoices.invoicing.readiness import reasons_not_to_issue, warnings_before_issue
from invoices.models import Company
from tests.accounts.test_settings import INVOICING
from tests.factories import make_client, make_company, make_draft

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)
DAY = timedelta(days=1)


def said(from_day, *, country="FR", kind="business", siren=""):
    client = make_client(country=country, buyer_kind=kind, siren=siren)
    draft = make_draft(client=client)
    Company.objects.update(einvoicing_from=from_day)
    reasons = {each.field for each in reasons_not_to_issue(draft, ON)}
    warned = {each.field for each in warnings_before_issue(draft, ON)}
    return "siren" in reasons, "einvoicing" in warned, "siren" in warned


@pytest.mark.parametrize(
    ("from_day", "client", "wanted"),
    [
        (None, {}, (False, False, True)),
        (ON + DAY, {}, (False, False, True)),
        (ON, {}, (True, True, False)),
        (ON - DAY, {"kind": "public"}, (True, True, False)),
        (ON - DAY, {"siren": "552100554"}, (False, True, False)),
        (ON - DAY, {"kind": "consumer"}, (False, False, False)),
        (ON - DAY, {"country": "CH"}, (False, False, False)),
    ],
)
def test_a_french_business_needs_its_siren_from_then_on(from_day, client, wanted):
    assert said(from_day, **client) == wanted


def test_the_day_is_a_setting(admin_client):
    make_company()
    given = {**INVOICING, "einvoicing_from": "01/09/2027", "once": new_key()}
    page = admin_client.post(reverse("company:invoicing"), given, follow=True)
    assert page.status_code == 200
    assert Company.ours().einvoicing_from == date(2027, 9, 1)
    assert not Company.ours().must_einvoice(ON)
