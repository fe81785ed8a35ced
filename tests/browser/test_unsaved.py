"""Leaving a form with changes asks first; leaving one without, or saving, does not."""

from __future__ import annotations

from django.urls import reverse

from reports.models import AlertRule
from tests.browser.conftest import settled, sign_in
from tests.factories import make_client, make_company, make_rule, make_user


def asked_on_leaving(page, press, *, stay=True):
    """What the browser asks while `press` is done; empty: nothing."""
    asked = []

    def answer(dialog):
        asked.append(dialog.type)
        dialog.dismiss() if stay else dialog.accept()

    # A browser asks only on a page that somebody has touched, and not by script.
    page.locator("main").first.focus()
    page.keyboard.press("End")
    page.wait_for_timeout(100)
    page.on("dialog", answer)
    press()
    page.wait_for_timeout(400)
    page.remove_listener("dialog", answer)
    return asked


def test_a_changed_threshold_is_not_dropped_without_a_question(page, live_site):
    make_company()
    rule = make_rule(days=30)
    url = reverse("reports:rule", args=[rule.pk])
    sign_in(page, live_site, make_user(role="administrator"), url)
    settled(page)
    alerts = page.locator(f"nav a[href='{reverse('reports:alerts')}']").first
    field = page.locator("[name=days]")
    field.fill("45")
    assert asked_on_leaving(page, alerts.click) == ["beforeunload"]
    assert page.url.endswith(url)
    assert field.input_value() == "45"
    # Put back as it was, there is nothing to lose.
    field.fill("30")
    assert asked_on_leaving(page, alerts.click) == []
    page.wait_for_url("**" + reverse("reports:alerts"))
    page.goto(f"{live_site.url}{url}")
    settled(page)
    page.locator("[name=days]").fill("45")
    assert asked_on_leaving(page, lambda: page.locator("[data-primary]").first.click()) == []
    page.wait_for_load_state()
    assert AlertRule.objects.get().days == 45


def test_a_refused_form_is_not_left_without_a_question_and_may_be_left(page, live_site):
    make_company()
    client = make_client()
    url = reverse("invoices:client-edit", args=[client.pk])
    sign_in(page, live_site, make_user(role="finance"), url)
    settled(page)
    assert asked_on_leaving(page, page.reload) == []
    page.locator("[name=vat_id]").fill("FR1")
    page.locator("#main form [data-primary]").first.click()
    page.locator("[name=vat_id].is-invalid").wait_for()
    home = page.locator(f"nav a[href='{reverse('invoices:clients')}']").first
    assert asked_on_leaving(page, home.click) == ["beforeunload"]
    page.locator("[name=vat_id].is-invalid").wait_for()
    assert asked_on_leaving(page, home.click, stay=False) == ["beforeunload"]
    page.wait_for_url("**" + reverse("invoices:clients"))


def test_who_cancels_is_not_asked(page, live_site):
    make_company()
    client = make_client()
    url = reverse("invoices:client-edit", args=[client.pk])
    sign_in(page, live_site, make_user(role="finance"), url)
    settled(page)
    page.locator("[name=name]").fill("Another")
    assert asked_on_leaving(page, page.locator("[data-cancel]").click) == []
    page.wait_for_url("**" + reverse("invoices:client", args=[client.pk]))


def test_another_threshold_is_taken_by_a_press(page, live_site):
    make_company()
    rule = make_rule(days=30)
    url = reverse("reports:rule", args=[rule.pk])
    sign_in(page, live_site, make_user(role="finance"), url)
    settled(page)
    other = page.locator("button.step-th").first
    days = other.get_attribute("data-types").split('"')[3]
    other.click()
    assert page.locator("[name=days]").input_value() == days
    page.locator(".step-th[aria-current]", has_text=f"{days} day").wait_for()
    # It is a change like any other: leaving asks.
    away = page.locator(f"nav a[href='{reverse('reports:alerts')}']").first
    assert asked_on_leaving(page, away.click) == ["beforeunload"]
