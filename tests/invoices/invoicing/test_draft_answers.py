"""What the editor and its dialogs answer: a waiting line, an address that is none."""

from __future__ import annotations

import pytest

from billing_portal.idempotency import new_key
from tests.confirm import confirm
from tests.factories import make_draft
from tests.invoices.invoicing.test_draft_pages import HTMX, edit_url, issue_url, posted

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("act", ["issue", "save", "remove-0"])
def test_a_draft_without_lines_always_shows_the_one_that_waits(clerk_client, act):
    draft = make_draft(lines=[])
    bare = {"description": "", "unit_price": ""}
    answer = clerk_client.post(edit_url(draft), posted(draft, bare, act=act), headers=HTMX)
    assert 'name="lines-0-description"' in answer.text
    assert not draft.lines.exists()


def test_sending_to_an_address_that_is_none_issues_nothing(clerk_client):
    draft = make_draft()
    given = {"once": new_key(), "send": "1", "recipients": "not an address"}
    answer = confirm(clerk_client, issue_url(draft), given, headers=HTMX)
    assert answer.status_code == 422
    assert "is not an email address" in answer.text
    # The same dialog, with what was typed and both ways to go on.
    assert ">not an address</textarea>" in answer.text.replace("\n", "")
    assert 'name="send"' in answer.text and 'name="issue"' in answer.text
    draft.refresh_from_db()
    assert draft.is_draft
    # The draft has an address; taken out here, it is not written to after all.
    answer = confirm(clerk_client, issue_url(draft), given | {"recipients": ""}, headers=HTMX)
    assert answer.status_code == 422 and "Say who receives it" in answer.text
    draft.refresh_from_db()
    assert draft.is_draft
