"""A late-penalty rate of the law is printed in its half-year only."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError
from django.urls import reverse

from billing_portal.idempotency import new_key
from invoices.documents.penalties import Rate, claim
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.issuing import issue
from invoices.invoicing.readiness import reasons_not_to_issue, warnings_before_issue
from invoices.models import ClientType, LatePenaltyRate
from tests.factories import make_client, make_client_type, make_company, make_draft

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


def rate(starts_on, percent="12.15", **fields):
    return LatePenaltyRate.objects.create(
        starts_on=starts_on, percent=Decimal(percent), source="A table", **fields
    )


def told(draft):
    return [each for each in reasons_not_to_issue(draft, ON) if each.field == "penalty"]


@pytest.mark.parametrize(
    ("starts", "ends"),
    [
        (date(2026, 1, 1), date(2026, 6, 30)),
        (date(2026, 6, 30), date(2026, 6, 30)),
        (date(2026, 7, 1), date(2026, 12, 31)),
        (date(2026, 12, 31), date(2026, 12, 31)),
        (date(2024, 2, 29), date(2024, 6, 30)),
    ],
)
def test_a_rate_of_the_law_holds_for_its_half_year(starts, ends):
    assert rate(starts).ends_on == ends


def test_of_the_law_without_a_last_day_the_database_takes_none():
    row = rate(date(2026, 7, 1))
    with pytest.raises(IntegrityError):
        LatePenaltyRate.objects.filter(pk=row.pk).update(ends_on=None)


def test_a_rate_whose_half_year_is_over_is_not_printed_and_stops_the_invoice():
    rate(date(2026, 1, 1))
    draft = make_draft()
    (reason,) = told(draft)
    assert reason.text.replace("\u00a0", " ") == (
        "No late-penalty rate holds on 24 Nov 2026: the one kept, 12.15%, ended on 30 Jun 2026."
    )
    assert reason.anchor == "rates"
    with pytest.raises(IssueRefused, match="No late-penalty rate holds"):
        issue(invoice_id=draft.pk, by=None, on=ON)
    rate(date(2026, 7, 1), "12.4")
    assert told(draft) == []
    # No letters in its source decide what the page says.
    assert issue(invoice_id=draft.pk, by=None, on=ON).paper["late_penalty"] == (
        "Tout retard de paiement entraîne, sans rappel, des pénalités au taux annuel de "
        "12,4\u202f% (taux de refinancement de la BCE majoré de 10 points), exigibles dès le "
        "lendemain de l’échéance."
    )


def test_a_rate_of_a_contract_holds_until_another_begins():
    rate(date(2020, 1, 1), "15", basis="contract")
    draft = make_draft()
    assert told(draft) == []
    paper = issue(invoice_id=draft.pk, by=None, on=ON).paper
    assert "15\u202f%" in paper["late_penalty"]
    assert "BCE" not in paper["late_penalty"]


def test_where_no_rate_was_ever_kept_the_page_names_the_one_of_the_law_in_words():
    draft = make_draft()
    assert told(draft) == []
    paper = issue(invoice_id=draft.pk, by=None, on=ON).paper
    assert "taux de refinancement de la BCE majoré de 10 points" in paper["late_penalty"]


def test_interest_is_not_worked_out_over_days_without_a_rate():
    first = Rate(date(2026, 1, 1), Decimal(12), date(2026, 6, 30))
    second = Rate(date(2026, 9, 1), Decimal(10), date(2026, 12, 31))

    def interest(due, on, *rates):
        found = claim(
            total_minor=365_00,
            due_date=due,
            settled=[],
            on=on,
            rates=rates,
            indemnity_minor=4000,
        )
        return found.interest_minor

    # 365 at 12 and 10 per cent are 12 and 10 cents a day.
    assert interest(date(2026, 6, 20), date(2026, 6, 30), first, second) == 10 * 12
    assert interest(date(2026, 6, 20), date(2026, 7, 1), first, second) is None
    assert interest(date(2026, 8, 31), date(2026, 9, 10), first, second) == 10 * 10
    following = Rate(date(2026, 7, 1), Decimal(20), date(2026, 12, 31))
    assert interest(date(2026, 6, 20), date(2026, 7, 10), first, following) == 10 * 12 + 10 * 20


def test_the_page_says_until_when_a_rate_holds(admin_client):
    make_company()
    given = {"basis": "ecb", "starts_on": "1/7/2026", "percent": "12.15", "source": "ECB"}
    url = reverse("company:rates")
    data = {"form": "penalty", **{f"penalty-{name}": text for name, text in given.items()}}
    page = admin_client.post(url, {**data, "once": new_key()}, follow=True).text
    assert LatePenaltyRate.objects.get().ends_on == date(2026, 12, 31)
    assert "until <" in page


@pytest.mark.parametrize(
    ("basis", "day", "kept"),
    [("ecb", "1/1/2026", 1), ("ecb", "1/2/2026", 0), ("contract", "15/10/2026", 1)],
)
def test_a_rate_of_the_law_begins_with_its_half_year(admin_client, basis, day, kept):
    make_company()
    given = {"basis": basis, "starts_on": day, "percent": "12.15", "source": "A table"}
    data = {"form": "penalty", **{f"penalty-{name}": text for name, text in given.items()}}
    page = admin_client.post(reverse("company:rates"), {**data, "once": new_key()}, follow=True)
    assert LatePenaltyRate.objects.count() == kept
    assert ("begins on 1 January or 1 July" in page.text) is not bool(kept)


def test_a_client_of_the_public_sector_that_counts_as_a_business_is_worth_a_look():
    public = make_client_type("Secteur public", mark=ClientType.Mark.PUBLIC)
    for kind, asked in (("business", True), ("public", False)):
        draft = make_draft(client=make_client(client_type=public, buyer_kind=kind))
        fields = {each.field for each in warnings_before_issue(draft, ON)}
        assert ("buyer_kind" in fields) is asked
