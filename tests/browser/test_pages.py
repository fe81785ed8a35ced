"""Every page over believable rows: nothing complains, nothing is out of reach, nothing too wide."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from billing_portal.accounts.models import User
from invoices.deals.drafting import draft_from_deal
from invoices.models import Payment
from invoices.outbox import queueing
from reports.alerts import running
from reports.models import Alert, AlertRule
from tests.browser.conftest import axe, settled, sign_in
from tests.factories import (
    make_client,
    make_client_type,
    make_company,
    make_deal,
    make_invoice,
    make_issued,
    make_user,
    settle,
)

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
LONG = "Communauté d’agglomération du Pays de Trégonan-sur-Vègre " * 4
TYPES = [("SME", "sme"), ("Public sector", "public"), ("Chosen by staff", "none")]
# Name of the page, then what its address is about.
PAGES = [
    ("reports:desk", ""), ("reports:delays", ""), ("reports:receivables", ""),
    ("reports:alerts", ""), ("reports:rules", ""), ("reports:rule", "rule"),
    ("reports:search", ""), ("invoices:deals", ""), ("invoices:deal", "deal"),
    ("invoices:list", ""), ("invoices:detail", "issued"), ("invoices:edit", "draft"),
    ("invoices:clients", ""), ("invoices:client", "client"), ("invoices:client-edit", "client"),
    ("invoices:payments", ""), ("invoices:payment", "payment"), ("invoices:payment-new", ""),
    ("invoices:payment-reverse", "payment"), ("invoices:mail", ""),
    ("invoices:mail-message", "mail"), ("invoices:import_history", ""), ("integrations:index", ""),
    ("accounts:people", ""), ("accounts:profile", ""), ("company:details", ""),
    ("invoices:issue", "draft"), ("invoices:void", "draft"), ("invoices:send", "issued"),
    ("invoices:credit", "issued"), ("invoices:write-off", "issued"), ("invoices:apply", "issued"),
    ("invoices:note", "issued"), ("invoices:payment-allocate", "payment"),
    ("invoices:draft-deals", ""), ("invoices:set-deal-aside", "deal"), ("reports:rule-new", ""),
    ("company:invoicing", ""), ("company:client_types", ""), ("company:rates", ""),
]  # fmt: skip
# Opened over a page: name of the page, what it is about, the address that the dialog comes from.
DIALOGS = [
    ("invoices:edit", "draft", "invoices:void"), ("invoices:detail", "issued", "invoices:send"),
    ("invoices:detail", "issued", "invoices:write-off"),
    ("invoices:deal", "deal", "invoices:set-deal-aside"),
]  # fmt: skip


@pytest.fixture
def rows():
    make_company()
    today = timezone.localdate()
    for number, (name, mark) in enumerate(TYPES):
        client = make_client(
            name=LONG[:250] if not number else f"Client of {name}",
            client_type=make_client_type(name, mark=mark),
        )
        for n in range(9):
            invoice = make_invoice(
                client=client,
                issue_date=today - timedelta(days=200 - 20 * n),
                total_minor=(n + 1) * 1234_56,
            )
            if n < 6:
                settle(invoice, invoice.due_date + timedelta(days=n * 3 + number * 5))
    deal = make_deal(client=client, won_on=today, title=LONG[:250])
    make_deal(client=None, won_on=today)
    draft = draft_from_deal(deal_id=make_deal(client=client, won_on=today).pk, by=None, on=today)
    message = queueing.queue(
        reason_key="t", kind="alert", to=["a@b.example"], subject=LONG[:200], body_text="B",
        language="en",
    )  # fmt: skip
    rule = AlertRule.objects.create(name="SMEs pay later", kind="type_delay", days=2,
        client_type=make_client_type("SME"), window_days=365, recipients={})  # fmt: skip
    AlertRule.objects.create(name="Late", kind="overdue", days=1, recipients={})
    running.run(on=today)
    assert Alert.objects.exists()
    return {
        "client": client.pk, "deal": deal.pk, "draft": draft.pk, "issued": make_issued().pk,
        "payment": Payment.objects.first().pk, "mail": message.pk, "rule": rule.pk,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("width", "scheme", "language"),
    [(1440, "light", "en-gb"), (1440, "dark", "fr"), (390, "light", "en-gb"), (390, "dark", "fr")],
    ids=str,
)
def test_every_page_is_quiet_accessible_and_within_the_screen(
    page, live_site, rows, width, scheme, language
):
    sign_in(page, live_site, make_user(role=User.Role.ADMINISTRATOR, language=language))
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    for name, about in PAGES:
        url = reverse(name, args=[rows[about]] if about else [])
        page.goto(live_site.url + url)
        settled(page)
        # Every figure is drawn: a chart that could not be would be an empty box.
        charts = page.locator("[data-figure]")
        for n in range(charts.count()):
            charts.nth(n).locator(".main-svg").first.wait_for(timeout=15_000, state="attached")
        assert page.locator("h1").count() == 1, name
        wide = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide <= 0, f"{name} is {wide} px too wide"
        axe(page)
        assert page.complaints.unexpected() == [], name


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "dark")], ids=str)
def test_every_dialog_is_accessible_closes_with_escape_and_gives_the_focus_back(
    page, live_site, rows, width, scheme
):
    sign_in(page, live_site, make_user(role=User.Role.ADMINISTRATOR, language="fr"))
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)
    for name, about, opens in DIALOGS:
        page.goto(live_site.url + reverse(name, args=[rows[about]]))
        settled(page)
        address = reverse(opens, args=[rows[about]])
        opener = page.locator(f"[hx-get='{address}']").first
        if not opener.is_visible():
            page.locator("[data-bs-toggle=dropdown]:visible").last.click()
        opener.click()
        page.locator("#dialog.show .modal-title").wait_for()
        settled(page)
        axe(page)
        page.keyboard.press("Escape")
        page.locator("#dialog.show").wait_for(state="detached")
        assert page.complaints.unexpected() == [], opens


def test_the_issue_dialog_gives_the_focus_back_to_its_button(page, live_site, rows):
    sign_in(page, live_site, make_user(role=User.Role.ADMINISTRATOR))
    page.goto(live_site.url + reverse("invoices:edit", args=[rows["draft"]]))
    settled(page)
    button = page.get_by_role("button", name="Issue…")
    button.click()
    page.locator("#dialog.show .modal-title").wait_for()
    settled(page)
    axe(page)
    page.keyboard.press("Escape")
    page.locator("#dialog.show").wait_for(state="detached")
    page.wait_for_function("() => document.activeElement.value === 'issue'")


@pytest.mark.parametrize("language", ["fr", "en-gb"])
def test_an_empty_portal_says_what_to_do_first(page, live_site, language):
    sign_in(page, live_site, make_user(role=User.Role.ADMINISTRATOR, language=language))
    for name, _about in PAGES:
        if _about:
            continue
        page.goto(live_site.url + reverse(name))
        settled(page)
        assert page.locator("h1").count() == 1, name
        axe(page)
