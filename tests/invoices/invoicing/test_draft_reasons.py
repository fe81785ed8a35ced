"""What stands in the way is listed while somebody types: what cannot be taken, too."""

from __future__ import annotations

import html
from datetime import date

import pytest
from django.urls import reverse

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
