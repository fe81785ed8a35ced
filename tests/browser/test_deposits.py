"""From an accepted quote to its deposit, its final invoice, their credit notes and the refund."""

from __future__ import annotations

import os
import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from billing_portal.accounts.models import User
from invoices.models import DepositDeduction, Invoice, Refund
from invoices.payments.recording import record_payment
from tests.browser.conftest import axe, settled, sign_in
from tests.factories import make_client, make_company, make_user
from tests.invoices.quotes.making import accept, line, send_quote

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def look(page, name):
    """A picture for whoever asks for them."""
    settled(page)
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def issue(page):
    page.get_by_role("button", name="Issue…").click()
    look(page, "issue")
    page.get_by_role("button", name=re.compile(r"^Issue F-")).click()
    page.wait_for_url(re.compile(r"/invoices/\d+/$"))


def credit(page, words):
    page.get_by_role("link", name="Make a credit note…").click()
    page.get_by_label("Reason").select_option("cancelled")
    page.get_by_label("In words").fill(words)
    look(page, "credit")
    page.get_by_role("button", name=re.compile(r"^Issue A-")).click()
    page.wait_for_url(re.compile(r"/invoices/\d+/$"))


def billed_by_a_deposit(page, of_quote):
    page.goto(of_quote)
    look(page, "quote-accepted")
    page.get_by_role("link", name="Bill the deposit").click()
    page.get_by_role("button", name="Draft the deposit").click()
    expect(page.locator(".kind-tag")).to_have_text("Deposit invoice")
    look(page, "deposit-draft")
    issue(page)
    look(page, "deposit")
    return Invoice.objects.get()


def test_deposit_final_invoice_credit_and_refund(page, live_site):
    make_company()
    today, boss = timezone.localdate(), make_user(role=User.Role.FINANCE)
    client = make_client(name="Menuiserie Guérin", language="en")
    quote = send_quote(
        on=today,
        lines=[line("1000"), line("200", rate=10)],
        client=client,
        deposit_percent=Decimal(30),
    )
    accept(quote, at=timezone.now())
    of_quote = live_site.url + reverse("invoices:quote", args=[quote.pk])
    sign_in(page, live_site, boss)
    deposit = billed_by_a_deposit(page, of_quote)
    record_payment(
        client_id=client.pk, amount=deposit.total, received_on=today, reference="", by=boss,
        method="transfer", allocations=[(deposit.pk, deposit.total)],
    )  # fmt: skip
    page.goto(of_quote)
    page.get_by_role("link", name="Make the final invoice").click()
    look(page, "bill-final")
    axe(page)
    page.get_by_role("button", name="Draft the final invoice").click()
    expect(page.locator("#deposits").get_by_role("link", name=deposit.number)).to_be_visible()
    look(page, "final-draft")
    axe(page)
    page.get_by_role("link", name="Choose deposits…").click()
    expect(page.get_by_label(deposit.number)).to_be_checked()
    look(page, "choose-deposits")
    page.keyboard.press("Escape")
    issue(page)
    final = Invoice.objects.exclude(pk=deposit.pk).get()
    # 1,420 accepted, 426 of it billed before.
    expect(page.locator(".owed")).to_have_text("€994.00")
    look(page, "final")
    axe(page)
    page.get_by_role("link", name="Correct it…").click()
    expect(page.get_by_role("button", name="Draft the corrected invoice")).to_be_visible()
    page.keyboard.press("Escape")
    # A deposit that is deducted is not credited alone: the page says what to do.
    page.goto(live_site.url + reverse("invoices:detail", args=[deposit.pk]))
    look(page, "deposit-deducted")
    page.get_by_role("link", name="Make a credit note…").click()
    expect(page.get_by_text(f"Credit {final.number} whole first")).to_be_visible()
    look(page, "deposit-refused")
    page.goto(live_site.url + reverse("invoices:detail", args=[final.pk]))
    credit(page, "Order cancelled")
    assert not DepositDeduction.objects.filter(released=False).exists()
    page.goto(live_site.url + reverse("invoices:detail", args=[deposit.pk]))
    credit(page, "Order cancelled")
    look(page, "note")
    page.get_by_role("link", name="Pay it back…").click()
    page.get_by_label("Reason").fill("Order cancelled")
    page.get_by_role("button", name="Record the refund").click()
    page.wait_for_url(re.compile(r"/refunds/\d+/$"))
    assert Refund.objects.get().amount_minor == deposit.total_minor
    look(page, "refund")
