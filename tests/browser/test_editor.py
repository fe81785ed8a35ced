"""The draft editor in a browser: kept while it is typed, and nothing is lost on leaving."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import parse_qs

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from billing_portal.accounts.models import User
from tests.browser.conftest import settled, sign_in
from tests.clock import as_typed
from tests.factories import make_client, make_company, make_draft, make_user

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def editor(page, live_site):
    make_company()
    draft = make_draft()
    user = make_user(role=User.Role.FINANCE, name="Maëlle Kervadec")
    sign_in(page, live_site, user, reverse("invoices:edit", args=[draft.pk]))
    return page, draft


def title(draft):
    draft.refresh_from_db()
    return draft.title


def test_what_is_typed_is_saved_by_itself_and_undone(editor):
    page, draft = editor
    before = title(draft)
    page.locator("#id_title").fill("Typed in the browser")
    page.locator("#saved:has-text('saved at')").wait_for()
    page.wait_for_function("() => !document.querySelector('#draft-undo').disabled")
    assert title(draft) == "Typed in the browser"
    page.locator("#id_title").fill("And again")
    page.wait_for_timeout(2000)
    assert title(draft) == "And again"
    page.locator("#draft-undo").click()
    settled(page)
    assert page.locator("#id_title").input_value() == "Typed in the browser"
    page.locator("#draft-undo").click()
    settled(page)
    assert page.locator("#id_title").input_value() == before


def test_on_a_phone_the_total_stays_in_sight_and_nothing_moves_when_the_draft_is_kept(editor):
    page, _draft = editor
    page.set_viewport_size({"width": 390, "height": 700})
    bar = page.locator("#draft-bar")
    expect(bar).to_be_in_viewport()
    lines = page.locator("#lines")
    before = lines.bounding_box()["y"]
    page.locator("#id_lines-0-unit_price").fill("500")
    expect(bar).to_contain_text("600.00")
    page.locator("#saved:has-text('saved at')").wait_for()
    expect(bar).to_be_in_viewport()
    scrolled = page.evaluate("scrollY")
    assert lines.bounding_box()["y"] + scrolled == pytest.approx(before, abs=1)


def test_a_link_in_the_sidebar_saves_first(editor):
    page, draft = editor
    page.locator("#id_title").fill("On the way out")
    page.locator(".sidebar a[href='/clients/']").first.click()
    page.wait_for_url("**/clients/")
    assert title(draft) == "On the way out"


def test_closing_the_tab_loses_nothing(editor):
    page, draft = editor
    page.locator("#id_title").fill("Closed at once")
    page.close(run_before_unload=True)
    for _try in range(50):
        if title(draft) == "Closed at once":
            return
        import time

        time.sleep(0.1)
    pytest.fail("what was typed is gone")


def test_without_a_network_a_sentence_stands_there_and_what_was_typed_stays(editor):
    page, draft = editor
    page.complaints.expected += ["ERR_INTERNET_DISCONNECTED", "htmx:"]
    page.context.set_offline(True)
    page.locator("#id_title").fill("Offline")
    page.locator("#complaint").wait_for()
    assert page.locator("#id_title").input_value() == "Offline"
    page.context.set_offline(False)
    page.locator("#id_title").fill("Online again")
    page.wait_for_timeout(2500)
    assert title(draft) == "Online again"
    assert page.locator("#complaint").count() == 0


def test_two_tabs_tell_each_other_and_neither_is_overwritten(editor):
    page, draft = editor
    page.complaints.expected += ["status of 409"]
    second = page.context.new_page()
    second.goto(page.url)
    second.locator("#id_title").fill("From the second tab")
    second.wait_for_timeout(2500)
    page.locator("#id_title").fill("From the first tab")
    page.locator("#draft-notice .alert").wait_for()
    assert title(draft) == "From the second tab"
    page.get_by_role("button", name="Save mine over it").click()
    settled(page)
    assert title(draft) == "From the first tab"


def test_a_price_that_cannot_be_read_is_red_at_once(editor):
    page, _draft = editor
    price = page.locator("#id_lines-0-unit_price")
    price.fill("twelve")
    page.wait_for_function(
        "() => document.getElementById('id_lines-0-unit_price').classList.contains('is-invalid')"
    )
    assert "–" in page.locator("#totals .owed").inner_text()
    price.fill("12")
    page.wait_for_function(
        "() => !document.getElementById('id_lines-0-unit_price').classList.contains('is-invalid')"
    )


def test_a_refused_issue_leaves_no_stray_words_above_the_first_card(editor):
    page, draft = editor
    page.locator("#id_lines-0-unit_price").fill("twelve")
    page.get_by_role("button", name="Issue…").click()
    page.locator("#editor .alert-danger").first.wait_for()
    assert page.locator("#saved").count() == 1
    assert page.locator(".page-head #saved").inner_text().strip() == "not saved yet"
    # Every text of the page's body stands in a card, a message or the head of the page.
    stray = page.evaluate(
        """() => [...document.querySelectorAll('#main, #editor, #draft-form, #draft-form > .stack')]
        .flatMap((box) => [...box.childNodes])
        .filter((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim())
        .map((node) => node.textContent.trim())"""
    )
    assert stray == []


def test_an_empty_due_date_shows_the_day_of_the_terms_and_follows_them(editor):
    page, draft = editor
    due = page.locator("#id_due_date")
    assert due.input_value() == ""
    by_terms = timezone.localdate() + timedelta(days=draft.terms_days)
    assert due.get_attribute("placeholder") == as_typed(by_terms)
    page.locator("#id_issue_date").fill("01/12/2026")
    later = date(2026, 12, 1) + timedelta(days=draft.terms_days)
    expect(due).to_have_attribute("placeholder", as_typed(later))
    assert page.locator("#id_due_date-h").inner_text().startswith("Empty: ")


def test_an_answer_to_a_page_that_was_left_changes_nothing_and_complains_of_nothing(
    editor,
):
    page, _draft = editor
    asked = []
    page.route("**/totals/", lambda route: asked.append(route))
    field = page.locator("#draft-form input[name$=unit_price]").first
    field.fill("12")
    page.wait_for_timeout(600)
    assert asked, "the totals were not asked for"
    # As a page that comes in the place of this one.
    page.evaluate("document.querySelector('main').innerHTML = ''")
    page.evaluate("document.querySelector('#saved')?.remove()")
    with page.expect_response("**/totals/"):
        asked[0].continue_()
    page.wait_for_timeout(200)
    assert page.complaints.unexpected() == []


def test_sums_that_come_after_the_draft_was_saved_change_nothing(editor):
    """Typed and saved within the same second, on a slow line."""
    page, _draft = editor
    asked = []
    page.route("**/totals/", lambda route: asked.append(route))
    page.locator("#draft-form input[name$=unit_price]").first.fill("12")
    page.wait_for_timeout(600)
    assert asked, "the totals were not asked for"
    page.evaluate("document.querySelector('#editor').dataset.before = 'yes'")
    page.get_by_role("button", name="Save", exact=True).last.click()
    page.locator("#editor:not([data-before])").wait_for()
    page.locator("#saved:has-text('saved at')").wait_for()
    with page.expect_response("**/totals/"):
        asked[0].continue_()
    page.wait_for_timeout(200)
    expect(page.locator("#saved")).to_contain_text("saved at")
    assert page.complaints.unexpected() == []


def acts_of(page, held):
    """The acts that go to the draft; those in `held` wait on the line, as routes."""
    sent, waiting = [], []

    def pass_on(route):
        if route.request.method != "POST":
            return route.continue_()
        act = parse_qs(route.request.post_data or "").get("act", [""])[0]
        sent.append(act)
        return waiting.append(route) if act in held else route.continue_()

    page.route("**/edit/", pass_on)
    return sent, waiting


def until(page, true):
    """On a slow machine the moment of saving by itself is late."""
    for _ in range(300):
        if true():
            return
        page.wait_for_timeout(50)
    raise AssertionError("It did not come to that within 15 s.")


def test_what_is_typed_just_before_the_button_is_no_conflict_with_oneself(editor):
    """The moment of saving by itself comes while the button's answer is still under way."""
    page, draft = editor
    sent, waiting = acts_of(page, held={"save"})
    page.locator("#id_title").fill("Typed and saved at once")
    page.get_by_role("button", name="Save", exact=True).last.click()
    until(page, lambda: sent)
    page.wait_for_timeout(1800)
    assert sent == ["save"]
    waiting[0].continue_()
    page.locator("#saved:has-text('saved at')").wait_for()
    settled(page)
    assert "in between" not in page.locator("main").inner_text()
    assert title(draft) == "Typed and saved at once"
    page.locator("#id_title").fill("And typed on")
    until(page, lambda: title(draft) == "And typed on")
    assert sent == ["save", "keep"]


def test_a_button_waits_for_what_is_being_saved_by_itself(editor):
    page, draft = editor
    sent, waiting = acts_of(page, held={"keep"})
    page.locator("#id_title").fill("Kept first")
    until(page, lambda: sent)
    assert sent == ["keep"]
    page.get_by_role("button", name="Save", exact=True).last.click()
    page.wait_for_timeout(400)
    assert sent == ["keep"]
    waiting[0].continue_()
    until(page, lambda: len(sent) == 2)
    settled(page)
    assert sent == ["keep", "save"]
    assert "in between" not in page.locator("main").inner_text()
    assert title(draft) == "Kept first"


def test_an_administrator_decides_vat_otherwise_beside_the_draft(page, live_site):
    make_company()
    draft = make_draft()
    admin = make_user(role=User.Role.ADMINISTRATOR, name="Inès Carvalho")
    sign_in(page, live_site, admin, reverse("invoices:edit", args=[draft.pk]))
    page.locator("#id_lines-0-vat").select_option("G:0")
    page.locator("#saved:has-text('saved at')").wait_for()
    page.get_by_role("link", name="Decide VAT otherwise…").click()
    dialog = page.locator(".modal.show")
    dialog.get_by_label("Why").fill("The goods leave for Oran with our lorry")
    dialog.get_by_role("button", name="Allow it all the same").click()
    expect(page.locator(".toast")).to_contain_text("It is decided")
    expect(page.locator("#blockers")).not_to_contain_text("Decide VAT otherwise")
    assert draft.events.filter(kind="vat_decided", by=admin).count() == 1


def test_vat_follows_from_services_to_goods_unless_somebody_chose_it(page, live_site):
    make_company()
    german = make_client(country="DE", vat_id="DE129273398", postal_code="10115")
    draft = make_draft(client=german)
    draft.lines.update(vat_category="AE", vat_rate=0)
    user = make_user(role=User.Role.FINANCE)
    sign_in(page, live_site, user, reverse("invoices:edit", args=[draft.pk]))
    vat, nature = page.locator("#id_lines-0-vat"), page.locator("#id_lines-0-nature")
    nature.select_option("goods")
    expect(vat).to_have_value("K:0")
    expect(page.locator("#blockers")).to_contain_text("delivered within the EU")
    page.locator("#saved:has-text('saved at')").wait_for()
    row = draft.lines.get()
    assert (row.nature, row.vat_category) == ("goods", "K")
    nature.select_option("services")
    expect(vat).to_have_value("AE:0")
    vat.select_option("S:20")
    nature.select_option("goods")
    expect(vat).to_have_value("S:20")


def test_what_is_worth_a_look_follows_what_is_typed(editor):
    page, _draft = editor
    warnings, blockers = page.locator("#draft-warnings"), page.locator("#blockers")
    recipients = page.locator("#id_recipients")
    recipients.fill("")
    expect(warnings).to_contain_text("Nobody would receive it.")
    recipients.fill("compta@client.example")
    expect(warnings).not_to_contain_text("Nobody would receive it.")
    vat = page.locator("#id_lines-0-vat")
    vat.select_option("S:8.5")
    expect(blockers).to_contain_text("8.5%")
    vat.select_option("S:20")
    expect(blockers).not_to_contain_text("8.5%")
