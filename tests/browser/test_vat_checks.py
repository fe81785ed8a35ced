"""Asking VIES from the client's page, in a browser."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from billing_portal.accounts.models import User
from invoices.clients import vat_checks
from invoices.models import VatCheck
from tests import clock
from tests.browser.conftest import axe, settled, sign_in
from tests.factories import make_client, make_company, make_draft, make_user

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
LONG = "Gesellschaft für Wattenmeerschifffahrt und Küstenlogistik mbH " * 5


@pytest.fixture
def german(live_site):
    make_company()
    client = make_client(name=LONG[:250], country="DE", vat_id="DE833179165", postal_code="10115")
    return client, reverse("invoices:client", args=[client.pk])


def test_a_double_click_asks_once_and_the_answer_takes_its_place(page, live_site, vies, german):
    client, path = german
    vies.inject("slow", delay=0.5)
    sign_in(page, live_site, make_user(role=User.Role.FINANCE), path)
    panel = page.locator("#vat-check")
    expect(panel).to_contain_text("VIES was never asked")
    page.locator("#ask-vat").dblclick()
    expect(panel).to_contain_text("Valid in VIES on 25 Nov 2026 · consultation WAPIAAAAZ0000001")
    expect(page.locator("#announce")).to_contain_text("Valid in VIES")
    settled(page)
    assert page.url.endswith(path)
    assert vies.count() == VatCheck.objects.count() == 1
    # Pressed again at once: it says that it does not ask again, and still shows the answer.
    page.locator("#ask-vat").click()
    expect(panel.get_by_role("alert")).to_contain_text("it is not asked twice")
    expect(panel).to_contain_text("Valid in VIES on 25 Nov 2026")
    page.get_by_text("What VIES answered").click()
    expect(panel.get_by_role("listitem")).to_have_count(1)
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        axe(page)


def test_what_goes_wrong_is_told_beside_the_id_and_asked_again(page, live_site, vies, german):
    _client, path = german
    vies.register.trouble("DE", "MS_UNAVAILABLE")
    sign_in(page, live_site, make_user(role=User.Role.FINANCE, language="fr"), path)
    page.locator("#ask-vat").click()
    panel = page.locator("#vat-check")
    # The state's name shows whose language is spoken, also before the catalogue is.
    expect(panel).to_contain_text("Allemagne")
    axe(page)
    clock.later(minutes=2)
    page.locator("#ask-vat").click()
    expect(panel).to_contain_text("WAPIAAAAZ0000001")
    assert list(VatCheck.objects.values_list("answer", flat=True)) == ["valid", "none"]


def test_a_colleague_sees_the_question_and_then_its_answer(page, live_site, vies, german):
    client, path = german
    check = vat_checks.begin(client_id=client.pk, by=None, on=clock.days_ago(0))
    sign_in(page, live_site, make_user(role=User.Role.MANAGER), path)
    panel = page.locator("#vat-check")
    expect(panel).to_contain_text("VIES is being asked")
    expect(page.locator("#ask-vat")).to_have_count(0)
    vat_checks.finish(check)
    expect(panel).to_contain_text("Valid in VIES on 25 Nov 2026")


def test_from_the_draft_to_the_question_and_back(page, live_site, vies, german):
    client, path = german
    draft = make_draft(client=client)
    draft.lines.update(vat_category="AE", vat_rate=0)
    edit = reverse("invoices:edit", args=[draft.pk])
    sign_in(page, live_site, make_user(role=User.Role.FINANCE), edit)
    page.get_by_role("link", name="VIES was never asked whether").click()
    page.wait_for_url(f"**{path}#vat-check")
    page.locator("#ask-vat").click()
    expect(page.locator("#vat-check")).to_contain_text("Valid in VIES")
    page.goto(f"{live_site.url}{edit}")
    expect(page.get_by_role("link", name="VIES was never asked whether")).to_have_count(0)
