"""The page beside the editor: of what is typed, drawn once, and never in anybody's way."""

import re

import pytest
from django.urls import reverse

from invoices.invoicing.views import page_preview
from tests.factories import make_draft
from tests.invoices.invoicing.test_draft_pages import posted

pytestmark = pytest.mark.django_db


def url(draft):
    return reverse("invoices:page-preview", args=[draft.pk])


def test_what_is_typed_is_drawn_once_and_nothing_is_saved(clerk_client):
    draft = make_draft()
    given = posted(draft, {"description": "Typed just now", "unit_price": "7"})
    answer = clerk_client.post(url(draft), given)
    assert answer.text.count("data:image/png;base64,") == 1
    shown = re.search(r'name="page_shown" value="(\w+)"', answer.text)[1]
    assert draft.lines.get().description != "Typed just now"
    assert clerk_client.post(url(draft), {**given, "page_shown": shown}).status_code == 204


def test_what_cannot_be_read_keeps_the_last_picture_and_says_why(clerk_client):
    draft = make_draft()
    given = posted(draft, {"description": "x", "unit_price": "a lot"})
    answer = clerk_client.post(url(draft), given)
    assert answer.status_code == 200
    assert answer["HX-Retarget"] == "#page-note"
    assert "as soon as this can be read" in answer.text


def test_while_another_page_is_drawn_the_browser_asks_again(clerk_client):
    draft = make_draft()
    assert page_preview._drawing.acquire(blocking=False)
    try:
        answer = clerk_client.post(url(draft), posted(draft, {"description": "x"}))
    finally:
        page_preview._drawing.release()
    assert (answer.status_code, answer["HX-Trigger"]) == (204, "page-busy")
