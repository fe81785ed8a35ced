"""The page of the field mapping with what a first import found; the round of all pages has none."""

from __future__ import annotations

from datetime import date

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from billing_portal.accounts.models import User
from integrations.connecting import connect_crm
from integrations.core.runs import claim, start_sync
from integrations.crm.importing import carry_out
from integrations.registry import open_crm
from integrations.sandbox import Sandbox, build_world
from tests.browser.conftest import axe, settled, sign_in
from tests.browser.test_unsaved import asked_on_leaving
from tests.factories import make_company, make_user

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

# How many times its own size each label's lines are apart.
APART = """labels => labels.map((each) => {
  const style = getComputedStyle(each);
  return parseFloat(style.lineHeight) / parseFloat(style.fontSize);
})"""

# What is chosen, in each list that has no room for it.
CUT_OFF = """() => [...document.querySelectorAll('main select')].filter((list) => {
  const style = getComputedStyle(list), pen = document.createElement('canvas').getContext('2d');
  pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  const room = list.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  return pen.measureText(list.selectedOptions[0].textContent.trim()).width > room + 1;
}).map((list) => list.name)"""


@pytest.fixture
def mapped(transactional_db, settings):
    settings.DEMO = True
    make_company()
    with Sandbox(build_world(today=date(2026, 11, 24), deals=60)) as sandbox:
        crm = connect_crm(base_url=sandbox.base_url, api_token=sandbox.token)
        run = start_sync(connection_id=crm.pk, full=True, by=None, enqueue=False)
        carry_out(claim(run.pk), open_crm=open_crm)
        yield


@pytest.mark.parametrize(
    ("width", "scheme", "language"), [(1440, "light", "en-gb"), (390, "dark", "fr")]
)
def test_the_lines_of_a_label_stand_together(page, live_site, mapped, width, scheme, language):
    boss = make_user(role=User.Role.ADMINISTRATOR, language=language)
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    sign_in(page, live_site, boss, "/integrations/pipedrive/mapping/")
    settled(page)
    labels = page.locator(".rule-row > b")
    assert labels.count() > 5
    assert all(apart < 1.7 for apart in labels.evaluate_all(APART))
    wide = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0
    axe(page)


def test_on_a_telephone_each_choice_is_read_whole(page, live_site, mapped):
    boss = make_user(role=User.Role.ADMINISTRATOR, language="en-gb")
    page.set_viewport_size({"width": 390, "height": 900})
    sign_in(page, live_site, boss, "/integrations/pipedrive/mapping/")
    for path in ("/integrations/pipedrive/mapping/", "/settings/invoicing/", "/clients/new/"):
        page.goto(live_site.url + path)
        settled(page)
        assert page.evaluate(CUT_OFF) == []


def test_a_source_that_was_changed_is_not_dropped_without_a_question(page, live_site, mapped):
    sign_in(page, live_site, make_user(role="administrator"), reverse("integrations:mapping"))
    settled(page)
    field = page.locator("#mapping-form select").first
    before = field.input_value()
    field.press("ArrowDown")
    page.wait_for_timeout(800)
    expect(page.locator("#mapping-form select").first).not_to_have_value(before)
    away = page.locator(f"nav a[href='{reverse('reports:alerts')}']").first
    assert asked_on_leaving(page, away.click) == ["beforeunload"]
