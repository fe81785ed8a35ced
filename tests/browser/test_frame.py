"""The frame of every page, the settings and the sign-in pages in a real browser."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.urls import reverse

from invoices.models import ClientType, Company
from tests.browser.conftest import axe, settled, sign_in
from tests.factories import (
    make_client,
    make_client_type,
    make_company,
    make_invoice,
    make_user,
)

LONG = "Communauté d’agglomération du Pays de Trégonan-sur-Vègre — " * 4


@pytest.fixture
def boss(transactional_db):
    make_company()
    return make_user(role="administrator", name="Maëlle Kervadec")


# A small telephone; at 390 and 1440 px test_pages.py opens these and every other page.
PAGES = [
    "company:details",
    "company:invoicing",
    "company:client_types",
    "company:rates",
    "accounts:people",
    "accounts:invite",
    "accounts:profile",
    "account_change_password",
]


def test_settings_never_scroll_sideways_on_the_smallest_screen(page, live_site, boss):
    make_client(client_type=make_client_type(LONG[:80]), name=LONG[:250])
    make_user(name=LONG[:250], email="x" * 60 + "@" + "y" * 60 + ".example")
    page.set_viewport_size({"width": 360, "height": 900})
    sign_in(page, live_site, boss)
    for name in PAGES:
        page.goto(live_site.url + reverse(name))
        settled(page)
        wide = page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide <= 0, f"{name} is {wide} px too wide"
        axe(page)


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/password/reset/", "/nowhere/"])
def test_pages_before_the_login_are_accessible(page, live_site, boss, path, settings):
    settings.DEMO = True
    page.complaints.expected.append("status of 404")
    page.goto(live_site.url + path)
    settled(page)
    axe(page)


def test_an_example_login_fills_the_form_and_signs_in(page, live_site, boss, settings):
    settings.DEMO = True
    # Only the people whom the demo makes are shown.
    make_user(email="finance@kerlann.example", name="Maëlle Kervadec")
    settings.DEMO_PASSWORD = "correct horse"
    page.goto(live_site.url + "/accounts/login/")
    page.get_by_role("button", name="Maëlle Kervadec").click()
    page.keyboard.press("Enter")
    page.wait_for_url(live_site.url + "/")
    assert "Maëlle Kervadec" in page.locator(".person").inner_text()


def test_keys_go_places_and_rest_in_fields(page, live_site, boss):
    sign_in(page, live_site, boss, reverse("accounts:profile"))
    page.keyboard.press("?")
    page.locator("#keys.show").wait_for()
    page.keyboard.press("Escape")
    page.locator("#keys").wait_for(state="hidden")
    page.locator("#id_name").fill("gd/?")
    assert page.locator("#id_name").input_value() == "gd/?"
    page.locator("h1").click()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "global-search"
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_url(live_site.url + "/")
    # Alone it begins an invoice there.
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_url(live_site.url + reverse("invoices:clients"))


def test_single_keys_can_be_switched_off(page, live_site, boss):
    boss.shortcuts = False
    boss.save()
    sign_in(page, live_site, boss, reverse("accounts:profile"))
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") != "global-search"


def test_the_theme_is_kept(page, live_site, boss):
    sign_in(page, live_site, boss, reverse("accounts:profile"))
    page.get_by_role("button", name="Switch between light and dark").click()
    page.reload()
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"


def test_the_language_changes_from_the_menu(page, live_site, boss):
    sign_in(page, live_site, boss, reverse("accounts:profile"))
    page.locator(".person").click()
    page.get_by_role("button", name="Passer en français").click()
    page.locator("html[lang=fr]").wait_for()
    assert page.url == live_site.url + reverse("accounts:profile")


def test_a_refused_form_takes_the_focus_to_its_summary_and_leads_to_the_field(
    page, live_site, boss
):
    sign_in(page, live_site, boss, reverse("company:details"))
    page.locator("#id_siren").fill("123456789")
    page.locator("#id_iban").fill("FR00")
    page.get_by_role("button", name="Save the company").click()
    summary = page.get_by_role("alert")
    summary.wait_for()
    assert "2 fields to put right" in summary.inner_text()
    page.locator("[role=alert]:focus").wait_for()
    summary.get_by_role("link", name="IBAN").click()
    assert page.evaluate("document.activeElement.id") == "id_iban"
    axe(page)
    assert Company.objects.get(pk=1).siren == "732829320"


def test_the_script_runs_from_the_files_of_production(page, live_site, boss, settings, tmp_path):
    """Hashed modules under the strict policy: they find each other, and they do something."""
    settings.STATIC_ROOT = str(tmp_path)
    backend = {"BACKEND": "billing_portal.static_files.HashedModules"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": backend}
    call_command("collectstatic", interactive=False, verbosity=0)
    asked = []

    def serve(route):
        name = urlsplit(route.request.url).path.removeprefix("/static/")
        asked.append(name)
        route.fulfill(path=tmp_path / name)

    page.route("**/static/**", serve)
    sign_in(page, live_site, boss, reverse("accounts:profile"))
    settled(page)
    modules = [name for name in asked if name.startswith("portal/")]
    assert len(modules) == len(list((settings.BASE_DIR / "static" / "portal").glob("*.js")))
    assert all(re.fullmatch(r"portal/\w+\.[0-9a-f]{12}\.js", name) for name in modules)
    page.keyboard.press("?")
    page.locator("#keys.show").wait_for()


def test_a_double_click_sends_a_form_once(page, live_site, boss):
    sign_in(page, live_site, boss, reverse("company:client_types"))
    sent = []
    page.on("request", lambda request: request.method == "POST" and sent.append(request.url))
    page.locator("#id_name").fill("Twice")
    page.get_by_role("button", name="Add the client type").dblclick()
    page.locator(".toast").wait_for()
    assert len(sent) == 1
    assert ClientType.objects.filter(name="Twice").count() == 1


def test_everything_works_without_script(chromium, live_site, boss):
    from tests.browser.conftest import new_context

    context = new_context(chromium, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live_site, boss, reverse("company:client_types"))
    page.locator("#id_name").fill("No script")
    page.get_by_role("button", name="Add the client type").click()
    assert "The client type No script is added." in page.content()
    context.close()


def test_the_columns_of_the_desk_begin_on_one_line_when_no_connection_needs_anybody(
    page, live_site, boss
):
    make_invoice(client=make_client())
    sign_in(page, live_site, boss, "/")
    settled(page)
    begins = page.locator(".cols-2 > .stack > section").evaluate_all(
        "cards => [...new Set(cards.map((card) => card.parentElement))].map((column) => "
        "column.querySelector(':scope > section').getBoundingClientRect().top)"
    )
    assert len(begins) == 2 and begins[0] == begins[1]
