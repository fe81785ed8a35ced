"""The whole story in a real browser, with a real worker, stand-in and mail server beside it.

Sign in, connect, sync with progress, bill a deal, issue and send, pay, see the chart change,
receive the alert.
"""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone
from django_q.tasks import async_task
from playwright.sync_api import expect
from pypdf import PdfReader

from billing_portal.accounts.models import User
from integrations.models import SyncRun
from integrations.sandbox import Sandbox, build_world
from invoices.models import Deal, Invoice, Message
from reports.models import Alert
from tests import crash
from tests.browser.conftest import axe, settled
from tests.factories import make_client, make_company, make_invoice, make_user
from tests.postbox import smtp_environment


@pytest.fixture
def worker(postbox, transactional_db):
    """qcluster as a process of its own, on the database of the test."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "qcluster"],
        cwd=crash.ROOT,
        env=crash.environment(**smtp_environment(postbox), WORKERS="1", DEMO="true"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    yield process
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def until(true, seconds=90):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.2)
    raise AssertionError("it never became true")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_from_a_won_deal_to_a_paid_invoice_a_changed_chart_and_an_alert_mail(
    page, live_site, settings, postbox, worker
):
    settings.DEMO = True
    make_company()
    password = "correct horse battery"
    boss = make_user(email="admin@kerlann.example", password=password, role=User.Role.ADMINISTRATOR)
    # Some history, so that the report has something to say.
    old = make_client(name="Verreries de Haute-Lorraine")
    for n in range(6):
        paid = make_invoice(client=old, issue_date=date(2026, 6, 1 + n), total_minor=50_00)
        Invoice.objects.filter(pk=paid.pk).update(
            status="settled",
            paid_minor=50_00,
            outstanding_minor=0,
            settled_on=date(2026, 7, 20),
            paid_on=date(2026, 7, 20),
            days_late=(date(2026, 7, 20) - paid.due_date).days,
            days_to_pay=(date(2026, 7, 20) - paid.issue_date).days,
        )

    # Sign in.
    page.goto(live_site.url)
    page.get_by_label("Email").fill(boss.email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Desk")

    # Connect, and watch the first import.
    today = timezone.localdate()
    with Sandbox(build_world(today=today, deals=120)) as sandbox:
        page.goto(live_site.url + reverse("integrations:pipedrive"))
        page.get_by_label("address", exact=False).first.fill(sandbox.base_url)
        page.get_by_label("API token").fill(sandbox.token)
        page.get_by_role("button", name="Try the token and connect").click()
        page.get_by_role("button", name="Start the first import").click()
        expect(page.locator("#run")).to_contain_text("created")
        until(lambda: SyncRun.objects.filter(state="done").exists())
        expect(page.locator("#run .state").first).to_contain_text("Done", timeout=30_000)
    assert Deal.objects.count() > 100
    settled(page)
    axe(page)

    # Bill a deal that is complete, and needs no more than that.
    page.goto(live_site.url + reverse("invoices:deals"))
    titles = page.locator("#deal-list tbody th .row-link").all_inner_texts()
    taxed = Deal.objects.filter(title__in=titles).exclude(lines=None)
    plain = set(taxed.exclude(lines__tax_percent=0).values_list("pk", flat=True))
    offered = page.get_by_role("button", name=re.compile("^Draft invoice"))
    ready = {f"draft-{pk}" for pk in plain}
    ids = [button.get_attribute("id") for button in offered.all()]
    page.locator(f"#{next(each for each in ids if each in ready)}").click()
    draft = until(lambda: Invoice.objects.drafts().first())
    page.goto(live_site.url + reverse("invoices:edit", args=[draft.pk]))
    settled(page)
    axe(page)

    # Change a line: the totals answer.
    before = page.locator("#totals").inner_text()
    page.locator("[name='lines-0-quantity']").fill("77")
    expect(page.locator("#totals")).not_to_have_text(before)
    page.get_by_role("button", name="Save", exact=True).last.click()
    settled(page)
    draft.refresh_from_db()
    assert draft.lines.first().quantity == 77

    # Issue and send: the client's mail arrives with the PDF that we keep.
    page.get_by_role("button", name="Issue…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"F-{today.year}-0001")
    dialog.get_by_role("button", name="Issue and send").click()
    page.wait_for_url(re.compile(rf"/invoices/{draft.pk}/"))
    invoice = until(lambda: Invoice.objects.issued().filter(pk=draft.pk).first())
    assert invoice.number == f"F-{today.year}-0001"
    until(lambda: postbox.mails)
    (attached,) = list(postbox.mails[0].iter_attachments())
    content = attached.get_payload(decode=True)
    assert content == bytes(invoice.documents.get(kind="pdf").content)
    assert invoice.number in PdfReader(io.BytesIO(content)).pages[0].extract_text()
    until(lambda: Message.objects.filter(state="sent").exists())
    page.reload()
    expect(page.locator(".page-head")).to_contain_text("Sent")
    settled(page)
    axe(page)

    # The report knows it as open; then it is paid in two parts.
    figures = live_site.url + reverse("reports:delays")
    page.goto(figures)
    settled(page)
    page.wait_for_selector(".js-plotly-plot")
    axe(page)
    shown = page.locator(".chart").first.inner_html()
    page.goto(live_site.url + reverse("invoices:detail", args=[invoice.pk]))
    page.get_by_role("link", name="Record a payment").first.click()
    page.wait_for_url(re.compile("/payments/new/"))
    settled(page)
    half = invoice.total_minor // 200
    page.get_by_label("Amount received").fill(str(half))
    expect(page.locator(f"[name='part-{invoice.pk}']")).to_have_value(re.compile(rf"^{half}"))
    record = page.get_by_role("button", name=re.compile("^Record €"))
    record.click()
    expect(page.locator(".page-head")).to_contain_text("Part settled")
    page.get_by_role("link", name="Record a payment").first.click()
    record.click()
    expect(page.locator(".page-head")).to_contain_text("Settled")
    invoice.refresh_from_db()
    assert (invoice.outstanding_minor, invoice.paid_on) == (0, today)

    page.goto(figures)
    settled(page)
    page.wait_for_selector(".js-plotly-plot")
    assert page.locator(".chart").first.inner_html() != shown

    # A rule, tried on the past before it is switched on; then its mail.
    page.goto(live_site.url + reverse("reports:rule-new") + "?kind=not_invoiced")
    settled(page)
    page.locator("[name='name']").fill("Won and forgotten")
    page.locator("[name='days']").fill("1")
    page.locator("[name='emails']").fill("finance@kerlann.example")
    settled(page)
    axe(page)
    page.get_by_role("button", name="Save and switch on").click()
    async_task("reports.tasks.run_alerts")
    until(lambda: Alert.objects.exists())
    until(
        lambda: [m for m in postbox.mails if "finance@kerlann.example" in str(m["To"])], seconds=60
    )
    page.goto(live_site.url + reverse("reports:alerts"))
    settled(page)
    expect(page.get_by_role("main")).to_contain_text("not invoiced")
    axe(page)
    page.get_by_role("button", name=re.compile("^Acknowledge")).first.click()
    until(lambda: Alert.objects.filter(state="acknowledged").exists())
