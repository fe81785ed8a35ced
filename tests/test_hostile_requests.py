"""Nothing that a person or a script may send makes a page fall over: never a 500.

Every named page, over real rows, with nasty values in its query parameters, and every form that the
pages show, sent back with nasty values in its fields.
"""

from __future__ import annotations

from datetime import date
from html.parser import HTMLParser

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from integrations.models import Connection
from invoices.models import Invoice, Payment
from invoices.outbox import queueing
from reports.alerts import running
from reports.models import Alert, AlertRule
from tests.accounts.test_roles import PAGES, named_urls
from tests.factories import (
    make_client,
    make_company,
    make_deal,
    make_draft,
    make_invoice,
    make_issued,
    make_user,
)

pytestmark = pytest.mark.django_db

NASTY = [
    "\0",
    "\ud800",
    "' OR 1=1 --",
    "{{ 7*7 }}{% now 'Y' %}<script>alert(1)</script>",
    "9" * 400,
    "-1",
    "99999999999999999999",
    "1e309",
    "NaN",
    "2026-02-31",
    "0000-00-00",
    "\u202e\u200b🧾" * 300,
    "../../etc/passwd",
    "%00",
]
PARAMETERS = (  # noqa: SIM905 - reads better than a column of quotes
    "q state kind client type owner currency issued_from issued_to due_from due_to paid_from "
    "paid_to late_min late_max to_pay_min amount_min amount_max as_of bucket ageing sort after "
    "before at size by measure from to month pipeline won_since invoice rule kind days amount "
    "window_days next then quarter unapplied received_from method tab format"
).split()


class Forms(HTMLParser):
    """The forms of a page: (action, method, {name: value})."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, dict[str, str]]] = []
        self.open = False

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form":
            self.found.append((given.get("action") or "", (given.get("method") or "get"), {}))
            self.open = True
        elif self.open and tag in ("input", "select", "textarea", "button") and given.get("name"):
            self.found[-1][2].setdefault(given["name"], given.get("value") or "")

    def handle_endtag(self, tag):
        if tag == "form":
            self.open = False


@pytest.fixture
def rows(db):
    """One of each thing that a page may be about: its key by the name of the page."""
    make_company()
    seller = make_user(role="sales")
    client = make_client(name="<b>{{ 7*7 }}</b> 🧾")
    deal = make_deal(client=client, owner=seller, title="{% now 'Y' %}<img src=x>")
    issued = make_issued()
    draft = make_draft(client=client)
    open_invoice = make_invoice(client=client, issue_date=date(2026, 1, 5), owner=seller)
    payment = Payment.objects.create(
        client=client, received_on=date(2026, 2, 1), currency="EUR", amount_minor=10_00
    )
    contact = client.contacts.create(name="Mme <i>Prigent</i>", email="p@c.example")
    message = queueing.queue(
        reason_key="t:1",
        kind="alert",
        to=["a@b.example"],
        subject="S",
        body_text="B",
        language="en",
    )
    rule = AlertRule.objects.create(name="Late", kind="overdue", days=1, recipients={})
    running.run(on=date(2026, 11, 24))
    alert = Alert.objects.filter(rule=rule).first()
    connection = Connection.objects.create(
        provider="pipedrive", base_url="http://127.0.0.1:9", api_token="t", state="paused"
    )
    run = connection.runs.create(state="done", finished_at=timezone.now())
    return {
        "deal": deal.pk, "draft": draft.pk, "issued": issued.pk, "open": open_invoice.pk,
        "client": client.pk, "contact": contact.pk, "payment": payment.pk, "mail": message.pk,
        "rule": rule.pk, "alert": alert.pk, "run": run.pk, "person": seller.pk,
        "type": client.client_type_id,
    }  # fmt: skip


DRAFTS = {"edit", "totals", "preview", "issue", "void", "draft-client", "line"}


def keys_for(name: str, count: int, rows: dict[str, int]) -> list[int]:
    short = name.split(":")[1]
    if short.startswith("contact"):
        return [rows["client"], rows["contact"]][:count]
    for word, key in (
        ("payment", "payment"), ("client_type", "type"), ("client", "client"), ("mail", "mail"),
        ("rule", "rule"), ("acknowledge", "alert"), ("snooze", "alert"), ("reopen", "alert"),
        ("run", "run"), ("refused", "run"), ("person", "person"), ("invite", "person"),
        ("deal", "deal"), ("aside", "deal"),
    ):  # fmt: skip
        if word in short and short != "draft-client":
            return [rows[key]] * count
    return [rows["draft" if short in DRAFTS else "issued"]] * count


def address(name: str, rows: dict[str, int]) -> str:
    args = PAGES[name].args
    return reverse(name, args=keys_for(name, len(args), rows) if args else ())


def signed_in(role: str) -> Browser:
    browser = Browser(raise_request_exception=False)
    browser.force_login(
        make_user(role=role), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    return browser


def ask(browser: Browser, method: str, url: str, data=None) -> int:
    try:
        answer = getattr(browser, method)(url, data)
    except UnicodeEncodeError:
        # The test client itself cannot write a lone surrogate down; a browser never sends one.
        return 0
    if answer.streaming:
        list(answer.streaming_content)
    return answer.status_code


@pytest.mark.parametrize("role", ["administrator", "sales"])
def test_no_query_string_makes_a_page_fall_over(role, rows):
    browser, fallen = signed_in(role), []
    for name in sorted(named_urls()):
        if PAGES[name].post:
            continue
        url = address(name, rows)
        for value in NASTY:
            given = dict.fromkeys(PARAMETERS, value)
            if ask(browser, "get", url, given) >= 500:
                fallen.append((name, value[:20]))
    assert fallen == []


def test_no_form_that_is_sent_back_makes_a_page_fall_over(rows, settings):
    settings.DEMO = True
    browser, fallen = signed_in("administrator"), []
    for name in sorted(named_urls()):
        url = address(name, rows)
        forms = [(url, "post", {})] if PAGES[name].post else []
        if not PAGES[name].post:
            answer = browser.get(url)
            if answer.streaming:
                list(answer.streaming_content)
                continue
            if "html" not in answer.headers.get("Content-Type", ""):
                continue
            page = Forms()
            page.feed(answer.content.decode())
            forms = page.found
        for action, method, fields in forms:
            target = action.split("?")[0] or url
            if method.lower() != "post" or "logout" in target or "language" in target:
                continue
            for value in NASTY:
                data = {key: value for key in fields if key not in ("once",)} | {"extra": value}
                if ask(browser, "post", target, data) >= 500:
                    fallen.append((name, target, value[:20]))
    assert fallen == []


def test_every_page_with_a_hostile_name_shows_it_as_text(rows):
    browser = signed_in("finance")
    for name in ("invoices:deals", "invoices:list", "invoices:clients", "reports:desk"):
        page = browser.get(reverse(name)).content.decode()
        assert "<img src=x>" not in page
        assert "<b>{{ 7*7 }}</b>" not in page
        assert "<b>49</b>" not in page
    assert Invoice.objects.exists()
