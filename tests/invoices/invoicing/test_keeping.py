"""A draft is kept while it is typed; nothing of it is lost, and nothing of a colleague's either."""

from __future__ import annotations

import pytest
from django.urls import reverse

from invoices.models import DraftVersion, Message
from tests.factories import make_client, make_company, make_draft
from tests.invoices.invoicing.test_draft_pages import HTMX, LINE, edit_url, posted

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def company():
    make_company()


def keep(browser, draft, *lines, **fields):
    return browser.post(edit_url(draft), posted(draft, *lines, act="keep", **fields), headers=HTMX)


def test_what_is_typed_is_saved_with_the_time_and_a_new_stamp(clerk_client):
    draft = make_draft()
    answer = keep(clerk_client, draft, LINE, title="Typed")
    assert answer.status_code == 200
    draft.refresh_from_db()
    assert draft.title == "Typed"
    assert "saved at" in answer.text
    assert draft.updated_at.isoformat() in answer.text
    assert "<html" not in answer.text


def test_a_price_that_cannot_be_read_is_kept_as_typed_and_comes_back(clerk_client):
    draft = make_draft(title="Before")
    before = draft.total_minor
    answer = keep(clerk_client, draft, {**LINE, "unit_price": "twelve"}, title="After")
    assert "as typed" in answer.text
    draft.refresh_from_db()
    assert (draft.title, draft.total_minor) == ("Before", before)
    page = clerk_client.get(edit_url(draft)).text
    assert 'value="twelve"' in page
    assert 'value="After"' in page
    keep(clerk_client, draft, {**LINE, "unit_price": "12"}, title="After")
    draft.refresh_from_db()
    assert draft.title == "After"


def test_somebody_else_saved_in_between_is_said_and_nothing_is_overwritten(
    clerk_client, admin_client
):
    draft = make_draft()
    mine = posted(draft, LINE, act="keep", title="Mine")
    keep(admin_client, draft, LINE, title="Theirs")
    answer = clerk_client.post(edit_url(draft), mine, headers=HTMX)
    assert answer.status_code == 409
    assert "saved this draft in between" in answer.text
    assert "Save mine over it" in answer.text
    draft.refresh_from_db()
    assert draft.title == "Theirs"
    clerk_client.post(edit_url(draft), {**mine, "act": "overwrite"}, headers=HTMX)
    draft.refresh_from_db()
    assert draft.title == "Mine"


def test_undo_steps_back_through_what_was_kept_to_how_it_began(clerk_client):
    draft = make_draft(title="First")
    keep(clerk_client, draft, LINE, title="Second")
    keep(clerk_client, draft, LINE, title="Third")
    for title in ("Second", "First"):
        page = clerk_client.post(edit_url(draft), posted(draft, LINE, act="undo"), headers=HTMX)
        assert page.status_code == 200
        draft.refresh_from_db()
        assert draft.title == title
        assert f'value="{title}"' in page.text
    nothing = clerk_client.post(edit_url(draft), posted(draft, LINE, act="undo"))
    assert nothing.status_code == 422
    assert "nothing left to undo" in nothing.text


def test_undo_brings_the_lines_back_as_they_were(clerk_client):
    draft = make_draft(lines=[(2, "100.00"), (3, "10.00")])
    before = draft.total_minor
    keep(clerk_client, draft, LINE)
    assert draft.lines.count() == 1
    clerk_client.post(edit_url(draft), posted(draft, LINE, act="undo"))
    draft.refresh_from_db()
    assert (draft.lines.count(), draft.total_minor) == (2, before)


def test_versions_are_bounded_and_the_same_text_makes_no_second_one(clerk_client, monkeypatch):
    monkeypatch.setattr("invoices.invoicing.versions.MOST_VERSIONS", 5)
    draft = make_draft()
    for n in range(8):
        keep(clerk_client, draft, LINE, title=f"Title {n}")
    assert draft.typed.count() == 5
    keep(clerk_client, draft, LINE, title="Title 7")
    assert draft.typed.count() == 5


def test_a_draft_that_was_issued_meanwhile_keeps_nothing_and_leads_there(clerk_client):
    draft = make_draft()
    mine = posted(draft, LINE, act="keep")
    type(draft).objects.filter(pk=draft.pk).update(status="void")
    answer = clerk_client.post(edit_url(draft), mine, headers=HTMX)
    assert answer["HX-Redirect"] == reverse("invoices:detail", args=[draft.pk])
    assert not DraftVersion.objects.exists()


# ─ The PDF is what stands on the screen ─────────────────────────────────────────────────────────
def test_the_preview_prints_what_is_typed_and_saves_nothing(clerk_client, monkeypatch):
    printed = []
    monkeypatch.setattr(
        "invoices.documents.pdf.render.render",
        lambda paper, **_options: printed.append(paper) or b"%PDF-",
    )
    draft = make_draft()
    before = (draft.total_minor, draft.lines.count(), draft.updated_at)
    url = reverse("invoices:preview", args=[draft.pk])
    answer = clerk_client.post(url, posted(draft, {**LINE, "unit_price": "77"}, title="On screen"))
    assert answer["Content-Type"] == "application/pdf"
    assert printed[0].title == "On screen"
    assert printed[0].net_minor == 77_00
    draft.refresh_from_db()
    assert (draft.total_minor, draft.lines.count(), draft.updated_at) == before
    assert not Message.objects.exists()


def test_what_cannot_be_read_is_said_instead_of_an_older_pdf(clerk_client):
    draft = make_draft()
    url = reverse("invoices:preview", args=[draft.pk])
    answer = clerk_client.post(url, posted(draft, {**LINE, "unit_price": "twelve"}))
    assert answer.status_code == 422
    assert "Line 1" in answer.text


# ─ Links that mend come back, fields turn red ───────────────────────────────────────────────────
def test_what_the_client_lacks_is_mended_and_leads_back_to_the_draft(clerk_client):
    draft = make_draft(client=make_client(address_line1="", city=""))
    page = clerk_client.get(edit_url(draft)).text
    link = reverse("invoices:client-edit", args=[draft.client_id])
    assert f"{link}?next=%2Finvoices%2F{draft.pk}%2Fedit%2F" in page


def test_an_unreadable_price_is_named_at_once_and_the_total_says_what_it_leaves_out(clerk_client):
    draft = make_draft()
    url = reverse("invoices:totals", args=[draft.pk])
    live = clerk_client.post(url, posted(draft, {**LINE, "unit_price": "twelve"}), headers=HTMX)
    assert 'data-names="lines-0-unit_price"' in live.text
    assert "without what cannot be read" in live.text
    assert "0.00" not in live.text
