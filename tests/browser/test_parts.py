"""The portal’s script: dialogs, toasts, failures, the line editor, lists."""

from __future__ import annotations

import pytest

from tests.browser.conftest import axe, settled, sign_in
from tests.factories import make_company, make_user


@pytest.fixture
def kit(page, live_site, transactional_db, settings):
    settings.ROOT_URLCONF = "tests.browser.kit_urls"
    make_company()
    sign_in(page, live_site, make_user(role="administrator"), "/kit/")
    settled(page)
    return page


def focused(page, what="id"):
    return page.evaluate(f"document.activeElement.getAttribute('{what}')")


def test_a_dialog_refuses_in_place_then_does_its_work_and_gives_the_focus_back(kit):
    kit.locator("#open-dialog").click()
    kit.locator("#dialog.show").wait_for()
    kit.locator("#dialog-title:focus").wait_for()
    axe(kit)
    kit.get_by_role("button", name="Do it").click()
    kit.get_by_text("Not yet: press again.").wait_for()
    assert kit.locator("#dialog.show").is_visible()
    kit.get_by_role("button", name="Do it").click()
    kit.locator(".toast", has_text="It is done.").wait_for()
    kit.locator("#dialog").wait_for(state="hidden")
    assert kit.locator("#announce").text_content() == "Done once"
    kit.locator("#open-dialog:focus").wait_for()
    assert kit.locator("#dialog").inner_html() == ""
    axe(kit)


def test_a_failure_keeps_the_page_and_says_so_until_it_is_closed(kit):
    kit.complaints.expected += ["status of 500", "status of 404", "Response Status Error"]
    kit.locator("#broken").click()
    assert "Nothing was half done" in kit.get_by_role("alert").inner_text()
    assert kit.locator("#panel").inner_text() == "Nothing yet"
    axe(kit)
    kit.get_by_role("alert").get_by_role("button", name="Close").click()
    assert kit.get_by_role("alert").count() == 0
    kit.locator("#gone").click()
    assert "no longer there" in kit.get_by_role("alert").inner_text()


def test_a_silent_server_is_told(kit):
    kit.complaints.expected += ["ERR_INTERNET_DISCONNECTED", "htmx:sendError", "afterRequest"]
    kit.context.set_offline(True)
    kit.locator("#broken").click()
    assert "did not answer" in kit.get_by_role("alert").inner_text()
    kit.context.set_offline(False)


def test_enter_goes_to_the_next_line_and_adds_one_at_the_end(kit):
    kit.locator("[name=lines-0-quantity]").focus()
    kit.keyboard.press("Enter")
    assert focused(kit, "name") == "lines-1-quantity"
    kit.keyboard.press("Enter")
    assert focused(kit, "name") == "lines-2-description"
    assert kit.locator("#lines tbody tr").count() == 3
    assert kit.locator("[name=lines-TOTAL_FORMS]").input_value() == "3"
    assert kit.locator("[name=lines-2-quantity]").get_attribute("aria-label") == "Quantity, line 3"
    kit.locator("[name=lines-0-description]").focus()
    kit.keyboard.press("Shift+Enter")
    assert "\n" in kit.locator("[name=lines-0-description]").input_value()


def test_alt_arrows_move_a_line_and_the_server_sees_the_new_order(kit):
    kit.locator("[name=lines-1-quantity]").focus()
    kit.keyboard.press("Alt+ArrowUp")
    assert focused(kit, "name") == "lines-0-quantity"
    assert kit.locator("[name=lines-0-description]").input_value() == "1"
    assert kit.locator("#announce").text_content() == "The line is now number 1."
    kit.locator("#totals", has_text="lines-0").wait_for()
    assert "lines-0-quantity=1" in kit.locator("#totals").inner_text()
    # The handle moves by arrows too: dragging has a key.
    kit.locator(".grip").first.focus()
    kit.keyboard.press("ArrowDown")
    assert kit.locator("[name=lines-0-description]").input_value() == "0"


def test_alt_delete_and_the_button_remove_a_line(kit):
    kit.locator("[name=lines-0-quantity]").focus()
    kit.keyboard.press("Alt+Delete")
    assert kit.locator("#lines tbody tr").count() == 1
    assert kit.locator("[name=lines-0-description]").input_value() == "1"
    assert focused(kit, "name") == "lines-0-description"
    kit.locator("[data-remove-line]").click()
    # The last one leaves an empty line behind.
    assert kit.locator("#lines tbody tr").count() == 1
    assert kit.locator("[name=lines-0-description]").input_value() == ""


def test_a_line_is_dragged_by_its_handle(kit):
    first, second = kit.locator(".grip").nth(0), kit.locator(".grip").nth(1)
    kit.mouse.move(*_middle(first))
    kit.mouse.down()
    x, y = _middle(second)
    kit.mouse.move(x, y + 12, steps=6)
    kit.mouse.up()
    assert kit.locator("[name=lines-0-description]").input_value() == "1"


def _middle(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_list_is_walked_and_selected_by_keys(kit):
    kit.locator("h1").click()
    kit.keyboard.press("j")
    kit.keyboard.press("j")
    kit.keyboard.press("x")
    assert kit.locator("[data-selection]").inner_text() == "1 selected · €2.50"
    kit.keyboard.press("k")
    kit.keyboard.press("Enter")
    kit.wait_for_url("**/kit/?row=0")
