"""Every page over believable rows: nothing complains, nothing is out of reach, nothing too wide."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from moneyed import Money

from billing_portal.accounts.models import User
from integrations.models import Connection, SyncRefusal, SyncRun
from invoices.bulk.beginning import begin
from invoices.deals.changes import changing
from invoices.deals.drafting import draft_from_deal
from invoices.history.imports import keep
from invoices.models import Contact, Deal, ExemptionReason, Invoice, Payment, VatRate
from invoices.outbox import queueing
from invoices.payments.applying import write_off
from invoices.payments.refunding import refund_client
from reports.alerts import running
from reports.models import Alert, AlertRule
from tests.accounts.test_roles import PAGES as ROLES
from tests.browser.conftest import axe, settled, sign_in
from tests.factories import (
    make_client,
    make_client_type,
    make_company,
    make_deal,
    make_invoice,
    make_invoice_in_instalments,
    make_issued,
    make_item,
    make_terms,
    make_user,
    settle,
)
from tests.invoices.lifecycle.making import rejected
from tests.invoices.quotes.making import CHOICES, accept, send_quote, write_quote
from tests.invoices.subscriptions.making import asked_now, made_now, paused_now, written_now
from tests.test_confirming import exported_to_paris

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
    ("invoices:rebate", "client"), ("invoices:price-indexes", ""),
    ("invoices:subscription-index", "subscription"), ("invoices:note", "issued"),
    ("invoices:payment-allocate", "payment"),
    ("invoices:draft-deals", ""), ("invoices:set-deal-aside", "deal"), ("reports:rule-new", ""),
    ("company:invoicing", ""), ("company:client_types", ""), ("company:rates", ""),
    ("company:ecb", ""),
    ("accounts:invite", ""), ("account_change_password", ""), ("accounts:person", "person"),
    ("company:books", ""), ("company:numbers", ""), ("company:client_type", "type"),
    ("integrations:pipedrive", ""), ("integrations:mapping", ""), ("integrations:run", "run"),
    ("integrations:deal", "deal"),
    ("invoices:catalogue", ""), ("invoices:item", "item"), ("invoices:item-edit", "item"),
    ("invoices:item-new", ""),
    ("invoices:client-new", ""), ("invoices:contact-new", "client"),
    ("invoices:contact-edit", "contact"), ("invoices:deal-change", "changed"),
    ("invoices:detail", "changed"), ("invoices:history_preview", "history"),
    ("invoices:history_preview", "refused"), ("invoices:history_preview", "asked"),
    ("invoices:refund", "refund"),
    ("invoices:refund-back", "refund"), ("invoices:refund-new", ""),
    ("invoices:write-off-back", "write-off"), ("reports:snooze", "alert"), ("invoices:new", ""),
    ("invoices:deal-client", "orphan"), ("invoices:decide-vat", "exported"),
    ("invoices:quotes", ""), ("invoices:quote-figures", ""), ("invoices:quote-new", ""),
    ("invoices:quote", "quote"), ("invoices:quote", "accepted"), ("invoices:quote-edit", "written"),
    ("invoices:quote-send", "written"), ("invoices:quote-discard", "written"),
    ("invoices:quote-send-again", "quote"), ("invoices:quote-withdraw", "quote"),
    ("invoices:quote-record", "quote"), ("invoices:quote-bill", "accepted"),
    ("invoices:subscriptions", ""), ("invoices:subscription-new", ""),
    ("invoices:subscription", "subscription"), ("invoices:subscription", "waiting"),
    ("invoices:subscription-edit", "begun"), ("invoices:subscription-start", "begun"),
    ("invoices:subscription-resume", "paused"), ("invoices:subscription-end", "subscription"),
    ("invoices:subscription-rise", "subscription"), ("invoices:subscription-release", "waiting"),
    ("company:terms", ""), ("company:terms_new", ""), ("company:terms_edit", "terms"),
    ("invoices:detail", "instalments"),
    ("company:vat_rate", "rate"), ("company:exemption", "reason"), ("company:exemption_new", ""),
    ("invoices:integrity", ""), ("invoices:archives", ""),
    ("invoices:journal", ""), ("invoices:accounts", ""), ("invoices:account-new", ""),
    ("invoices:statement", "client"), ("invoices:statement-send", "client"),
    ("invoices:late-claim", "client"), ("invoices:receipt-send", "payment"),
    ("invoices:account", "?role=bank"), ("invoices:journal-account", "ledger"),
    ("invoices:einvoicing", ""), ("invoices:routing", ""), ("invoices:incoming", ""),
    ("integrations:platform", ""), ("invoices:put-right", "rejected"),
    ("invoices:batches", ""), ("invoices:batch", "batch"), ("invoices:attachments", "draft"),
    ("invoices:quote-attachments", "quote"), ("invoices:standing-files", ""),
    ("invoices:release", "retained"),
    ("company:documents", ""), ("company:sales-terms", ""),
    ("invoices:wordings", ""), ("invoices:wording", "wording"),
]  # fmt: skip
# Nobody looks at these: files, pieces of pages, and what only takes a post (checked by the table
# of roles, where all addresses stand).
UNSEEN = (
    "csv", "xlsx", "figures", "counts", "timeline", "totals", "document", "einvoice", "ubl",
    "preview", "logo",
    "health", "history_refused", "history_progress", "client-choices", "draft-client",
    "item-choices",
    "rule-tried", "rule-try", "accounts:settings", "payment-payers", "accounts-used", "quote-file",
    # Their story is test_deposits.py.
    "invoices:deposits", "invoices:deposit-on", "invoices:correct", "pro-forma",
    # A few words and a button each.
    "subscription-pause", "subscription-skip", "subscription-discard",
    "statement-pdf", "receipt", "account-letter", "history_export", "history_left_out",
    # A dialog of a reason, as those of quotes.
    "platform-answer", "late-claim-withdraw", "dispute", "dispute-close", "force-way", "transmit",
    "incoming-file", "lifecycle-message",
    # The client's side has a story of its own (test_quotes.py).
    "guest-quote", "guest-pdf", "guest-terms", "guest-file", "sales-terms-file",
    # Downloads, and the piece that the page of a batch asks for.
    "invoices:attachment", "batch-progress", "invoices:standing-file", "archive-progress",
    "archive-file",
)  # fmt: skip
# Opened over a page: name of the page, what it is about, the address that the dialog comes from.
DIALOGS = [
    ("invoices:edit", "draft", "invoices:void"), ("invoices:detail", "issued", "invoices:send"),
    ("invoices:detail", "issued", "invoices:write-off"),
    ("invoices:deal", "deal", "invoices:set-deal-aside"),
]  # fmt: skip


@pytest.fixture
def boss(transactional_db):
    return make_user(role=User.Role.ADMINISTRATOR)


@pytest.fixture
def rows(boss):
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
    orphan = make_deal(client=None, won_on=today)
    draft = draft_from_deal(deal_id=make_deal(client=client, won_on=today).pk, by=None, on=today)
    message = queueing.queue(
        reason_key="t", kind="alert", to=["a@b.example"], subject=LONG[:200], body_text="B",
        language="en",
    )  # fmt: skip
    make_user(name=LONG[:250], email="x" * 60 + "@" + "y" * 60 + ".example")
    rule = AlertRule.objects.create(name="SMEs pay later", kind="type_delay", days=2,
        client_type=make_client_type("SME"), window_days=365, recipients={})  # fmt: skip
    AlertRule.objects.create(name="Late", kind="overdue", days=1, recipients={})
    running.run(on=today)
    assert Alert.objects.exists()
    issued = make_issued()
    batch = begin(act="both", chosen=Invoice.objects.drafts(), by=boss, on=today)
    return {
        **_less_common(client, issued, boss),
        "orphan": orphan.pk, **_quotes(client, today), **_subscriptions(client),
        "client": client.pk, "deal": deal.pk, "draft": draft.pk, "issued": issued.pk,
        "batch": batch.pk,
        "payment": Payment.objects.first().pk, "mail": message.pk, "rule": rule.pk,
    }  # fmt: skip


def _quotes(client, today):
    long = {"client": client, "on": today, "lines": CHOICES}
    accepted = send_quote(**long)
    accept(accepted, at=timezone.now())
    return {
        "quote": send_quote(**long).pk,
        "accepted": accepted.pk,
        "written": write_quote(**long).pk,
    }


def _subscriptions(client):
    return {
        "subscription": made_now(client=client, title=LONG[:250]).pk,
        "waiting": asked_now().pk,
        "begun": written_now().pk,
        "paused": paused_now().pk,
    }


def _less_common(client, issued, clerk):
    """What most days do not bring: money given back, a changed deal, imports and their faults."""
    today = timezone.localdate()
    [given_up] = write_off(
        invoice_id=issued.pk, amount=Money(1, "EUR"), reason="Gone", by=clerk, on=today
    )
    settle(make_invoice(client=client, total_minor=100_00), today)
    Payment.objects.create(client=client, received_on=today, currency="EUR", amount_minor=20_00)
    refund = refund_client(
        client_id=client.pk, amount=Money(5, "EUR"), refunded_on=today, reference="R",
        method="transfer", reason="Too much", by=clerk, on=today,
    )  # fmt: skip
    deal = make_deal(client=client, won_on=today)
    changed = draft_from_deal(deal_id=deal.pk, by=clerk, on=today)
    with transaction.atomic(), changing([deal.pk], today):
        Deal.objects.filter(pk=deal.pk).update(title=LONG[:250])
    crm = Connection.objects.create(
        provider="pipedrive", base_url="https://127.0.0.1:9", api_token="t", state="active"
    )
    terms = make_terms(LONG[:80])
    in_parts = make_invoice_in_instalments(
        [(today - timedelta(days=3), 100_00), (today + timedelta(days=30), 200_00)],
        client=client, issue_date=today - timedelta(days=9),
    )  # fmt: skip
    run = SyncRun.objects.create(connection=crm, state="done", finished_at=timezone.now())
    for n in range(30):
        SyncRefusal.objects.create(run=run, kind="deal", external_id=n, label=LONG, reason=LONG)
    good = b"name,client_type\nDupont,SME\n"
    bad = b"name,client_type\n=1+1,\n" * 40
    history = [keep(sources={"clients": ("c.csv", f)}, by=clerk, on=today) for f in (good, bad)]
    head = b"invoice,received_on,amount,currency,reference,method\n"
    two_ways = (f"{LONG[:80]}.csv", head + b'A,03/04/2026,"1,500",EUR,,\n')
    asked = keep(sources={"payments": two_ways}, by=clerk, on=today)
    contact = Contact.objects.create(client=client, name=LONG[:200], email="compta@client.example")
    return {
        "write-off": given_up.pk, "refund": refund.pk, "changed": changed.pk, "run": run.pk,
        "history": history[0].pk, "refused": history[1].pk, "asked": asked.pk,
        "contact": (client.pk, contact.pk), "person": clerk.pk, "type": client.client_type_id,
        "alert": Alert.objects.first().pk, "exported": exported_to_paris().pk,
        "item": make_item(code="LONG", name=LONG[:250], prices={"EUR": "1"}, crm="7").pk,
        "terms": terms.pk, "instalments": in_parts.pk,
        "retained": make_issued(client=client, on=today, retention_percent=5).pk,
        "rate": VatRate.objects.first().pk, "reason": ExemptionReason.objects.first().pk,
        "ledger": ("411000",),
        "wording": ("invoice", "fr"), "rejected": rejected().pk,
    }  # fmt: skip


# What leaves its card without a bar to scroll it by.
_OUT_OF_THEIR_CARD = """() => [...document.querySelectorAll(".card table")].filter((table) => {
  const card = table.closest(".card");
  for (let box = table.parentElement; box !== card.parentElement; box = box.parentElement)
    if (["auto", "scroll"].includes(getComputedStyle(box).overflowX)) return false;
  return table.checkVisibility()
    && table.getBoundingClientRect().right > card.getBoundingClientRect().right + 1;
}).map((table) => table.className)"""


def _address(name, about, rows):
    if about.startswith("?"):
        return reverse(name) + about
    about = rows[about] if about else ()
    return reverse(name, args=about if isinstance(about, tuple) else [about])


def test_no_page_is_forgotten():
    seen = {name for name, _about in PAGES} | {opens for *_rest, opens in DIALOGS}
    seen |= {name for name, page in ROLES.items() if page.post or name.endswith(UNSEEN)}
    left = set(ROLES) - seen
    assert left == set(), "Open it in PAGES, or say in UNSEEN that nobody looks at it."


# Each page in two of these, so that it is seen at both widths, in both colours and both languages;
# what pages share is seen in all four. axe looks at each page in one of the two, by turns: it takes
# as long as all the rest.
VARIANTS = [
    (0, 1440, "light", "en-gb"), (0, 390, "dark", "fr"),
    (1, 1440, "dark", "fr"), (1, 390, "light", "en-gb"),
]  # fmt: skip


@pytest.mark.parametrize(("half", "width", "scheme", "language"), VARIANTS, ids=str)
def test_every_page_is_quiet_accessible_and_within_the_screen(
    page, live_site, rows, boss, half, width, scheme, language
):
    User.objects.filter(pk=boss.pk).update(language=language)
    sign_in(page, live_site, boss)
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    for turn, (name, about) in enumerate(PAGES[half::2]):
        page.goto(live_site.url + _address(name, about, rows))
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
        if turn % 2 == (width == 390):
            axe(page)
        if width == 1440:
            # A small laptop: the columns stand side by side with the least room.
            page.set_viewport_size({"width": 1280, "height": 900})
            assert page.evaluate(_OUT_OF_THEIR_CARD) == [], name
            page.set_viewport_size({"width": width, "height": 900})
        assert page.complaints.unexpected() == [], name


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "dark")], ids=str)
def test_every_dialog_is_accessible_closes_with_escape_and_gives_the_focus_back(
    page, live_site, rows, boss, width, scheme
):
    User.objects.filter(pk=boss.pk).update(language="fr")
    sign_in(page, live_site, boss)
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


def test_no_table_of_fields_leaves_its_card_on_a_small_laptop(page, live_site, rows, boss):
    """Where the column of figures stands beside it, and just below that."""
    User.objects.filter(pk=boss.pk).update(language="fr")
    sign_in(page, live_site, boss)
    open_invoice = reverse("invoices:payment-new") + f"?invoice={rows['issued']}"
    for address in (reverse("invoices:edit", args=[rows["draft"]]), open_invoice):
        page.goto(live_site.url + address)
        settled(page)
        for width in (1199, 1200, 1280, 1359, 1360, 1440):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(_OUT_OF_THEIR_CARD) == [], (address, width)
        page.set_viewport_size({"width": 1280, "height": 800})


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


@pytest.mark.parametrize(("half", "language"), [(0, "fr"), (1, "en-gb")], ids=str)
def test_an_empty_portal_says_what_to_do_first(page, live_site, half, language):
    sign_in(page, live_site, make_user(role=User.Role.ADMINISTRATOR, language=language))
    for name in [name for name, about in PAGES if not about][half::2]:
        page.goto(live_site.url + reverse(name))
        settled(page)
        assert page.locator("h1").count() == 1, name
        # Its colours are those of the full pages.
        axe(page, ignore=("color-contrast",))
