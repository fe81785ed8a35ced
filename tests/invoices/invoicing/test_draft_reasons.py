"""What stands in the way is listed while somebody types: what cannot be taken, too."""

from __future__ import annotations

import html
from datetime import date

import pytest
from django.urls import reverse

from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.issuing import issue
from tests.factories import make_draft
from tests.invoices.invoicing.test_draft_pages import posted

pytestmark = pytest.mark.django_db


def reasons(client, draft, *lines, **fields):
    url = reverse("invoices:totals", args=[draft.pk])
    page = client.post(url, posted(draft, *lines, **fields), HTTP_HX_REQUEST="true").text
    listed = page[page.index('id="blockers"') :]
    return html.unescape(listed[: listed.index("</section>")])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"issue_date": "31/02/2026"}, "Issue date: There is no day 31 in Feb"),
        ({"due_date": "soon"}, "Due date: "),
        (
            {"service_from": "15/12/2026", "service_until": "01/12/2026"},
            "The service ends before it begins.",
        ),
    ],
)
def test_a_day_that_cannot_be_taken_is_listed_with_the_way_to_its_field(clerk_client, fields, said):
    listed = reasons(clerk_client, make_draft(), **fields)
    assert said in listed.replace("\xa0", " ")
    assert f'href="#id_{list(fields)[-1]}"' in listed


def test_a_line_that_cannot_be_taken_is_listed_by_its_number(clerk_client):
    good = {"description": "Good", "quantity": "1", "unit_price": "10"}
    listed = reasons(clerk_client, make_draft(), good, good | {"quantity": "abc"})
    assert "Line 2: " in listed
    assert 'href="#id_lines-1-quantity"' in listed
    large = reasons(clerk_client, make_draft(), good, good | {"quantity": "9" * 17})
    assert "Line 2: The quantity passes" in large


def test_an_issue_date_of_a_year_that_is_over_is_listed_at_once(clerk_client):
    assert "2019" in reasons(clerk_client, make_draft(), issue_date=str(date(2019, 1, 1)))


def test_a_line_without_a_price_is_no_free_line(clerk_client):
    """Kept, it comes back without one; 0 that was typed stays 0 and may be issued."""
    draft = make_draft()
    good = {"description": "Good", "quantity": "1", "unit_price": "10"}
    bare = {"description": "Forgotten", "quantity": "1", "unit_price": ""}
    listed = reasons(clerk_client, draft, good, bare)
    assert "Line 2 has no price: type it, or 0 when it is free." in listed
    assert 'href="#id_lines-1-unit_price"' in listed
    assert "Every line is complete" not in listed

    edit = reverse("invoices:edit", args=[draft.pk])
    kept = clerk_client.post(
        edit, posted(draft, good, bare) | {"act": "keep"}, HTTP_HX_REQUEST="true"
    )
    assert kept.status_code == 200
    draft.refresh_from_db()
    assert [line.price_missing for line in draft.lines.all()] == [False, True]
    assert clerk_client.get(edit).context["lines"][1].unit_price == ""
    with pytest.raises(IssueRefused, match="no price"):
        issue(invoice_id=draft.pk, by=None, on=date(2026, 11, 24))

    free = reasons(clerk_client, draft, good, bare | {"unit_price": "0"})
    assert "no price" not in free and "Every line is complete" in free
