"""Every link that a page shows opens for whoever was shown it: two levels from the navigation.

A role that may not open something is shown no link to it. Each kind of page (its address without
numbers and query) is opened a few times, so that the walk stays short.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from html import unescape
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from django.test import Client as Browser
from django.utils import timezone

from invoices.deals.drafting import draft_from_deal
from reports.alerts import running
from tests.accounts.test_roles import ROLES
from tests.factories import (
    make_client,
    make_company,
    make_deal,
    make_invoice,
    make_issued,
    make_rule,
    make_user,
    settle,
)

# So many pages of one kind are opened, and so many levels below the start.
OF_A_KIND, LEVELS = 2, 3
# What a page may lead to: links, and what htmx fetches by itself or by a click.
_LINKS = re.compile(r"""(?:href|hx-get|src)="(/[^"]*)\"""")
# Signing out ends the walk; static files are no pages; the CRM lies outside.
_LEFT_OUT = re.compile(r"^/(static|accounts/logout|admin)/|/integrations/deals/")

# What a form asks for with its fields; without them there is nothing to try.
_WANTS_FIELDS = ("/alerts/rules/try/", 404)


@pytest.fixture
def books(db):
    """A little of everything, half of it of the salesperson who walks."""
    # Without its bank account: what the company lacks is told on each draft.
    make_company(iban="")
    today = timezone.localdate()
    clerk, seller = make_user(), make_user(role="sales")
    for owner in (seller, make_user(role="sales"), None):
        client = make_client(owner=owner)
        for days in (5, 45, 90):
            due = today - timedelta(days=days)
            invoice = make_invoice(
                client=client, owner=owner, issue_date=due - timedelta(days=30), due_date=due
            )
        settle(invoice, today)
        make_deal(client=client, owner=owner, won_on=today - timedelta(days=20))
        make_deal(client=None, owner=owner, won_on=today - timedelta(days=20))
        drafted = make_deal(client=client, owner=owner, won_on=today)
        draft_from_deal(deal_id=drafted.pk, by=clerk, on=today)
    make_issued()
    make_rule(recipients={"owner": True})
    make_rule(kind="not_invoiced", days=10, recipients={"owner": True})
    running.run(on=today)
    return seller


def kind_of(url: str) -> str:
    return re.sub(r"\d+", "0", urlsplit(url).path)


def links_of(page: str, at: str) -> list[str]:
    found = (urldefrag(urljoin(at, unescape(link)))[0] for link in _LINKS.findall(page))
    return [link for link in dict.fromkeys(found) if not _LEFT_OUT.search(urlsplit(link).path)]


def walk(browser: Browser) -> dict[str, str]:
    """What did not open: the address, and the page that showed it."""
    wrong: dict[str, str] = {}
    seen: set[str] = set()
    opened: Counter[str] = Counter()
    level = [("/", "the start")]
    for _level in range(LEVELS + 1):
        below: list[tuple[str, str]] = []
        for url, shown_on in level:
            if url in seen or opened[kind_of(url)] >= OF_A_KIND:
                continue
            seen.add(url)
            opened[kind_of(url)] += 1
            answer = browser.get(url, follow=True)
            if answer.status_code >= 400 and (kind_of(url), answer.status_code) != _WANTS_FIELDS:
                wrong[url] = f"{answer.status_code}, shown on {shown_on}"
            elif answer.streaming:
                list(answer.streaming_content)
            elif answer["Content-Type"].startswith("text/html"):
                here = answer.request["PATH_INFO"]
                below += [(link, url) for link in links_of(answer.text, here)]
        level = below
    assert len(seen) > 12
    return wrong


@pytest.mark.parametrize("role", ROLES)
def test_every_link_that_is_shown_opens(books, role):
    person = books if role == "sales" else make_user(role=role)
    browser = Browser(raise_request_exception=False)
    browser.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")

    assert walk(browser) == {}
