"""An item of the catalogue is picked in a draft by the keyboard alone."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from billing_portal.accounts.models import User
from tests.browser.conftest import settled, sign_in
from tests.factories import make_company, make_draft, make_item, make_user

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("width", [1440, 390])
def test_f4_fills_the_line_and_the_rest_of_it_stays(page, live_site, width):
    make_company()
    item = make_item(code="CONS", name="Conseil senior", unit="DAY", prices={"EUR": "1150"},
                     vat_category="S", vat_rate=10)  # fmt: skip
    make_item(code="YEN", name="Conseil au Japon", prices={"JPY": "9"})
    draft = make_draft(lines=((3, "7.00"),))
    user = make_user(role=User.Role.FINANCE)
    page.set_viewport_size({"width": width, "height": 800})
    sign_in(page, live_site, user, reverse("invoices:edit", args=[draft.pk]))
    words = page.locator("#id_lines-0-description")
    words.fill("conseil")
    page.keyboard.press("F4")
    picker = page.locator("#item-picker")
    expect(picker).to_be_focused()
    expect(picker).to_have_value("conseil")
    expect(page.locator("#item-picker-list [role=option]")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(words).to_have_value("Conseil senior")
    expect(page.locator("#id_lines-0-unit_price")).to_have_value("1150.00")
    expect(page.locator("#id_lines-0-quantity")).to_be_focused()
    expect(page.locator("#id_lines-0-vat")).to_have_value("S:10")
    expect(page.locator("#id_lines-0-unit")).to_have_value("DAY")
    for _look in range(50):
        line = draft.lines.get()
        if line.item_id:
            break
        page.wait_for_timeout(100)
    assert (line.item_id, line.quantity, line.unit_price) == (item.pk, 3, 1150)
    # Esc changes nothing and goes back; no price in euros leaves it blank, in words.
    words.focus()
    page.keyboard.press("F4")
    page.keyboard.press("Escape")
    expect(words).to_be_focused()
    page.locator("[data-pick-item]").first.click()
    page.keyboard.type("yen")
    expect(page.locator("#item-picker-list [role=option]")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#id_lines-0-unit_price")).to_have_value("")
    expect(page.locator("table.lines-grid .form-hint")).to_contain_text("no price in EUR")
    settled(page)
