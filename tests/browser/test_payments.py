"""Recording a payment by keys alone, the next one, and taking it back from the toast."""

from __future__ import annotations

import re
from datetime import date

import pytest
from playwright.sync_api import expect

from billing_portal.accounts.models import User
from invoices.models import Payment
from tests.browser.conftest import axe, settled, sign_in
from tests.factories import make_client, make_company, make_invoice, make_user

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
NEW = "/payments/new/"
RECORDED = re.compile(r"/payments/[0-9]+/$")


@pytest.fixture
def client(transactional_db):
    make_company()
    return make_client(name="Verreries de l’Étang")


@pytest.fixture
def two(client):
    first = make_invoice(client=client, issue_date=date(2026, 5, 1), total_minor=100_00)
    second = make_invoice(client=client, issue_date=date(2026, 6, 1), total_minor=50_00)
    return first, second


@pytest.fixture
def form(page, live_site, two):
    sign_in(page, live_site, make_user(role=User.Role.FINANCE, name="Maëlle Kervadec"), NEW)
    settled(page)
    return page


def focused(page):
    return page.evaluate("document.activeElement.id")


def choose(page, text="etang"):
    """The amount is typed; Enter, the name, Enter: from whom it is."""
    page.keyboard.press("Enter")
    page.keyboard.type(text)
    page.locator("#payer-list [aria-selected=true]").wait_for()
    page.keyboard.press("Enter")
    page.locator(".spread").wait_for()


def test_a_payment_is_recorded_without_the_mouse(form, two):
    first, second = two
    assert focused(form) == "id_amount"
    form.keyboard.type("120")
    choose(form)
    assert focused(form) == "id_received_on"
    expect(form.locator("#id_payer")).to_have_value("Verreries de l’Étang")
    expect(form.locator("#does")).to_contain_text("1 invoice is settled")
    expect(form.get_by_role("button", name="Record €120.00").first).to_be_visible()
    form.keyboard.press("Enter")
    form.keyboard.press("Enter")
    assert focused(form) == f"id_part-{first.pk}"
    form.keyboard.press("Enter")
    assert focused(form) == f"id_part-{second.pk}"
    axe(form)
    form.keyboard.press("Enter")
    assert form.evaluate("document.activeElement.textContent").strip() == "Record €120.00"
    form.keyboard.press("Enter")
    form.wait_for_url(RECORDED)
    assert sorted(Payment.objects.get().allocations.values_list("amount_minor", flat=True)) == [
        20_00,
        100_00,
    ]


def test_in_a_part_zero_leaves_out_and_equals_takes_what_is_left(form, two):
    first, second = two
    form.keyboard.type("120")
    choose(form)
    part = form.locator(f"#id_part-{first.pk}")
    part.click()
    form.keyboard.press("0")
    expect(form.locator("tr.out")).to_contain_text("left out by you")
    expect(form.locator("#left .owed")).to_have_text("€70.00")
    assert focused(form) == f"id_part-{first.pk}"
    form.keyboard.press("=")
    expect(part).to_have_value("70.00")
    expect(form.locator("#left .owed")).to_have_text("€0.00")
    assert focused(form) == f"id_part-{first.pk}"


def test_what_is_typed_while_an_answer_is_on_its_way_stays(form, two):
    first, _second = two
    form.keyboard.type("120")
    choose(form)
    form.locator(f"#id_part-{first.pk}").click()
    for figure in "12.50":
        form.keyboard.type(figure)
        # About when the answer to the figure before comes.
        form.wait_for_timeout(290)
    settled(form)
    expect(form.locator(f"#id_part-{first.pk}")).to_have_value("12.50")
    expect(form.locator("#left .owed")).to_have_text("€57.50")


def test_a_nought_after_the_answer_belongs_to_the_figure(form, two):
    """Typed slowly: the server has answered to what stands there when the 0 comes."""
    first, second = two
    form.keyboard.type("120")
    choose(form)
    form.locator(f"#id_part-{first.pk}").click()
    for figure in "10.50":
        form.keyboard.type(figure)
        form.wait_for_timeout(300)
        settled(form)
    expect(form.locator(f"#id_part-{first.pk}")).to_have_value("10.50")
    form.locator(f"#id_part-{second.pk}").click()
    form.keyboard.press("End")
    form.keyboard.type("0")
    expect(form.locator(f"#id_part-{second.pk}")).to_have_value("0")


def test_the_list_of_payers_closes_and_the_label_finds_the_client(form, two):
    form.keyboard.type("100")
    form.keyboard.press("Enter")
    form.keyboard.type("verr")
    form.locator("#payer-list [role=option]").first.wait_for()
    axe(form)
    form.keyboard.press("Escape")
    expect(form.locator("#payer-list")).to_be_hidden()
    assert focused(form) == "id_payer"
    form.locator("#id_payer").fill("")
    form.locator("#id_reference").fill(f"VIR {two[1].number}")
    expect(form.locator("#id_payer")).to_have_value("Verreries de l’Étang")
    expect(form.locator(".spread .tag").first).to_have_text("in the label")


def test_an_answer_that_comes_late_does_not_open_a_closed_list(form, two):
    """The next figure of the name is on its way when Escape closes the list, or Enter takes."""
    form.keyboard.type("100")
    form.keyboard.press("Enter")
    for ends_with in ("Escape", "Enter"):
        form.locator("#id_payer").focus()
        form.keyboard.type("verr")
        form.locator("#payer-list [role=option]").first.wait_for()
        with form.expect_response("**/payers/**"):
            form.keyboard.type("e")
            form.keyboard.press(ends_with)
        settled(form)
        expect(form.locator("#payer-list")).to_be_hidden()
        form.locator("#id_amount").focus()
    expect(form.locator("#id_payer")).to_have_value("Verreries de l’Étang")


def test_ctrl_shift_enter_records_and_begins_the_next_and_the_toast_takes_it_back(form, two):
    first, _second = two
    form.keyboard.type("100")
    choose(form)
    form.keyboard.press("Control+Shift+Enter")
    form.wait_for_url("**/payments/new/?received_on=*")
    assert focused(form) == "id_amount"
    expect(form.locator("#id_payer")).to_have_value("")
    expect(form.get_by_text("Recorded today")).to_be_visible()
    axe(form)
    form.get_by_role("button", name="Undo").click()
    form.wait_for_url("**/payments/new/?again=*")
    expect(form.locator("#id_amount")).to_have_value("100.00")
    first.refresh_from_db()
    assert first.outstanding_minor == 100_00
    # Back to the page with the old toast: a second press takes nothing back twice.
    form.keyboard.press("Control+Enter")
    form.wait_for_url(RECORDED)
    first.refresh_from_db()
    assert first.outstanding_minor == 0


def test_a_double_press_records_once_and_ctrl_enter_works_outside_of_fields(form, two):
    form.keyboard.type("100")
    choose(form)
    settled(form)
    form.locator("h1").click()
    form.keyboard.press("Control+Enter")
    form.keyboard.press("Control+Enter")
    form.wait_for_url(RECORDED)
    assert Payment.objects.count() == 1


def test_once_the_payer_is_chosen_nothing_on_the_page_asks_for_one(form, two):
    form.keyboard.type("100")
    form.keyboard.press("Control+Enter")
    form.locator("#payer-facts .invalid-feedback").wait_for()
    payer = form.locator("#id_payer")
    expect(payer).to_have_attribute("aria-invalid", "true")
    # Nothing lies over the sentence.
    expect(payer).to_be_focused()
    settled(form)
    expect(form.locator("#payer-list")).to_be_hidden()
    form.locator("#id_amount").focus()
    choose(form)
    settled(form)
    expect(payer).not_to_have_attribute("aria-invalid", "true")
    expect(payer).not_to_have_class(re.compile("is-invalid"))
    expect(form.locator("#payer-facts")).not_to_contain_text("Say from whom")
    # What concerns this client stands beside, as it does when the page is opened for him.
    expect(form.locator("#beside")).to_contain_text("Refund the client…")
