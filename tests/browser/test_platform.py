"""From an invoice through the platform, a dispute and its correction, to the client's approval.

Over HTTP to the stand-in of the norm, with the worker's own tasks in between.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from billing_portal.accounts.models import User
from integrations import tasks
from integrations.connecting import connect_platform
from integrations.sandbox.platform.stand_in import PlatformSandbox
from invoices.models import Dispute, Invoice, Transmission
from tests.browser.conftest import axe, settled, sign_in
from tests.factories import make_client, make_company, make_draft, make_issued, make_user

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
BUYER = "552100554"
SEEN = ("200", "202", "203")


@pytest.fixture
def platform(settings):
    settings.DEMO = True
    with PlatformSandbox({BUYER: [BUYER]}) as sandbox:
        yield sandbox


def look(page, name):
    """Pictures for whoever asks for them: wide, dark, and of a telephone."""
    settled(page)
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
        page.set_viewport_size({"width": 390, "height": 844})
        page.emulate_media(color_scheme="dark")
        page.screenshot(path=str(Path(folder) / f"{name}-390.png"), full_page=True)
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 1440, "height": 900})


def work(platform):
    """What the worker does each minute, and every five."""
    tasks.send_to_platform()
    tasks.poll_platform()


def issue(page):
    page.get_by_role("button", name="Issue…").click()
    look(page, "platform-issue")
    page.get_by_role("button", name=re.compile(r"^Issue F-")).click()
    page.wait_for_url(re.compile(r"/invoices/\d+/$"))


def life(page, live_site, invoice, name):
    """The tab of its life, as it stands now: its marks, each with its look."""
    page.goto(live_site.url + reverse("invoices:detail", args=[invoice.pk]) + "?tab=einvoice")
    look(page, name)
    marks = page.locator(".track li")
    looks = [mark.get_attribute("class") for mark in marks.all()]
    return dict(zip(page.locator(".track li b").all_inner_texts(), looks, strict=True))


def test_invoice_platform_dispute_corrective_received(page, live_site, platform):
    today = timezone.localdate()
    make_company(einvoicing_from=today)
    connect_platform(base_url=platform.base_url, api_token=platform.token, account_name="Armor")
    client = make_client(name="Menuiserie Guérin", language="en")
    draft = make_draft(client=client, lines=[(2, "500")], on=today)
    boss = make_user(role=User.Role.FINANCE)
    sign_in(page, live_site, boss, reverse("invoices:edit", args=[draft.pk]))
    issue(page)
    old = Invoice.objects.get()
    # It is on its way by itself: the law asks for it.
    assert life(page, live_site, old, "platform-waits")["Sent"] == "now"
    work(platform)
    marks = life(page, live_site, old, "platform-with-client")
    assert [marks[each] for each in ("Deposited", "Received", "Made available")] == ["done"] * 3

    platform.world.say(
        old.number, "207", reason_code="QTE_ERR", reason="Deux jours facturés, un seul effectué"
    )
    work(platform)
    assert life(page, live_site, old, "platform-dispute")["In dispute"] == "bad"
    axe(page)
    expect(page.get_by_text("Deux jours facturés").first).to_be_visible()

    # Words and a file could answer; here the invoice is wrong.
    page.get_by_role("link", name="Answer with words and a file…").click()
    expect(page.get_by_label("What you answer")).to_be_focused()
    look(page, "platform-answer")
    axe(page)
    page.keyboard.press("Escape")

    # From what to do next to the corrected draft, and its issue.
    page.get_by_role("link", name="Correct it…").first.click()
    look(page, "platform-correct")
    page.get_by_role("button", name=re.compile("^Draft")).click()
    page.wait_for_url(re.compile(r"/edit/$"))
    page.locator("[name='lines-0-quantity']").fill("1")
    page.get_by_role("button", name="Save", exact=True).last.click()
    settled(page)
    issue(page)
    new = Invoice.objects.get(replaces=old)
    assert not Dispute.objects.filter(closed_at=None).exists()
    work(platform)

    # The credit note and the new one are with the client; the old one needs nobody any more.
    note = old.credit_notes.get()
    for each in (note, new):
        found = Transmission.objects.get(invoice=each)
        assert (found.group, found.status_code) == ("client", "203")
    assert life(page, live_site, new, "platform-corrective")["Received"] == "done"
    axe(page)
    assert life(page, live_site, old, "platform-corrected")["In dispute"] == "bad"
    expect(page.get_by_role("link", name=new.number).first).to_be_visible()
    page.goto(live_site.url + reverse("invoices:einvoicing"))
    look(page, "platform-list")
    axe(page)
    platform.world.say(new.number, "205")
    work(platform)
    assert life(page, live_site, new, "platform-approved")["Approved"] == "done"


def test_a_rejected_invoice_goes_out_again_under_a_new_number(page, live_site, platform):
    today = timezone.localdate()
    make_company(einvoicing_from=today)
    connect_platform(base_url=platform.base_url, api_token=platform.token, account_name="Armor")
    platform.world.tell_story(BUYER, ["200", ("213", "REJ_ADR", "Adresse inconnue")])
    old = make_issued(client=make_client(name="Menuiserie Guérin"), on=today)
    work(platform)
    sign_in(page, live_site, make_user(role=User.Role.ADMINISTRATOR))
    page.goto(live_site.url + reverse("invoices:einvoicing"))
    look(page, "platform-rejected")
    platform.world.tell_story(BUYER, SEEN)
    page.get_by_role("link", name="Put it right…").click()
    look(page, "platform-put-right")
    page.get_by_role("button", name="Cancel and send again").click()
    page.wait_for_url(re.compile(r"/invoices/\d+/\?tab=einvoice$"))
    new = Transmission.objects.get(invoice=old).replaced_by
    # The client never saw the old one: its credit note stays here, and nobody paid anything.
    assert not Transmission.objects.filter(invoice__kind=Invoice.Kind.CREDIT_NOTE).exists()
    work(platform)
    assert life(page, live_site, new, "platform-again")["Received"] == "done"
    for name, path in (("connection", "/integrations/platform/"), ("delays", "/reports/delays/")):
        if os.environ.get("PICTURES"):
            page.goto(live_site.url + path)
            look(page, name)
