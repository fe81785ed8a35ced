"""Salespeople and alerts: what concerns their own, told by mail and shown, and nothing else."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from billing_portal.accounts.models import User
from invoices.models import Client, Message
from invoices.outbox import kinds
from reports.alerts import digests, running
from reports.desk.counts import counts
from reports.desk.desk import desk
from reports.models import Alert, AlertRule
from tests.factories import make_client, make_company, make_deal, make_invoice, make_rule, make_user


@pytest.fixture(autouse=True)
def company(db):
    return make_company(language="en")


def today():
    return timezone.localdate()


def late(days=45, **fields):
    due = today() - timedelta(days=days)
    return make_invoice(issue_date=due - timedelta(days=30), due_date=due, **fields)


@pytest.fixture
def seller(sales_client):
    return User.objects.get(role="sales")


def fire_for(owner, title="Mine", **client):
    """An overdue invoice of a client that nobody owns, told of once."""
    invoice = late(owner=owner, client=make_client(name=f"{title} & Co", **client))
    rule = AlertRule.objects.first() or make_rule(recipients={"owner": True})
    running.run_rule(rule_id=rule.pk, on=today())
    return Alert.objects.get(invoice=invoice)


def test_sales_read_the_alerts_about_their_own_and_of_no_other(sales_client, seller):
    mine, theirs = fire_for(seller), fire_for(make_user(role="sales"), "Theirs")
    nobodys = fire_for(None, "Nobody")
    for path in (reverse("reports:alerts"), reverse("reports:desk")):
        page = sales_client.get(path).text
        assert "Mine &amp; Co owes" in page
        assert reverse("invoices:detail", args=[mine.invoice_id]) in page
        assert "Theirs" not in page
        assert "Nobody" not in page
        assert "/alerts/rules/" not in page
        assert "Acknowledge</" not in page.replace("Acknowledged", "")
    assert desk(seller, today())["alerts"].count == 1
    assert {c.key: c.n for c in counts(seller, today())}["alerts"] == 1
    of_rule = sales_client.get(reverse("reports:alerts"), {"rule": mine.rule_id}).text
    assert "Mine &amp; Co owes" in of_rule
    assert "Theirs" not in of_rule
    for name, args in (("rules", ()), ("rule", (mine.rule_id,)), ("rule-new", ())):
        assert sales_client.get(reverse(f"reports:{name}", args=args)).status_code == 403
    for alert in (mine, theirs, nobodys):
        for name in ("acknowledge", "snooze", "reopen"):
            url = reverse(f"reports:{name}", args=[alert.pk])
            assert sales_client.post(url).status_code == 403
    url = reverse("reports:acknowledge-all", args=[mine.rule_id])
    assert sales_client.post(url, {"up_to": 10**9}).status_code == 403
    assert set(Alert.objects.values_list("state", flat=True)) == {"new"}


def test_the_owner_of_a_deal_or_a_client_sees_what_is_told_of_it(sales_client, seller):
    other = make_user(role="sales")
    rule = make_rule(kind="not_invoiced", days=5, recipients={"owner": True})
    won = today() - timedelta(days=30)
    deal = make_deal(owner=seller, title="My deal", won_on=won, client=make_client(owner=other))
    make_deal(owner=other, title="Their deal", won_on=won, client=make_client(owner=seller))
    running.run_rule(rule_id=rule.pk, on=today())
    page = sales_client.get(reverse("reports:alerts")).text
    assert "My deal" in page
    assert reverse("invoices:deal", args=[deal.pk]) in page
    assert "Their deal" not in page


def test_an_alert_that_its_reader_may_not_open_is_told_without_a_link(sales_client, seller):
    """The owner of the client is told of an invoice that nobody owns, by mail and on the page."""
    alert = fire_for(None)
    Client.objects.update(owner=seller)
    make_rule(days=20, recipients={"owner": True})
    running.run(on=today())
    url = reverse("invoices:detail", args=[alert.invoice_id])
    assert sales_client.get(url).status_code == 404
    page = sales_client.get(reverse("reports:alerts")).text
    assert "Mine &amp; Co owes" in page
    assert url not in page
    told = kinds.words_of(Message.objects.get(to=[seller.email]))
    assert "Mine & Co owes" in told.text
    assert url not in told.text + told.html


def test_every_link_of_an_alert_mail_opens_for_its_reader(sales_client, seller, settings):
    fire_for(seller)
    text = kinds.words_of(Message.objects.get(to=[seller.email])).text
    links = re.findall(rf"{re.escape(settings.BASE_URL)}(/\S*)", text)
    assert "/alerts/" in links
    assert "Acknowledge" not in text
    assert len(links) == 2
    for link in links:
        assert sales_client.get(link).status_code == 200, link


def test_whoever_is_told_as_owner_sees_it_on_the_page_and_nobody_else():
    """The mail and the page read ownership in two ways: unsaved rows, and one condition in SQL."""
    people = [make_user(role="sales") for _n in range(3)]
    rule = make_rule()
    for n, owner in enumerate([*people, None]):
        for other in [*people, None]:
            late(40 + n, owner=owner, client=make_client(owner=other))
    running.run_rule(rule_id=rule.pk, on=today())
    told = {(alert.pk, owner.pk) for alert, owner in digests._owned(list(Alert.objects.all()))}
    seen = {(a.pk, p.pk) for p in people for a in Alert.objects.visible_to(p)}
    assert told == seen
    assert len(seen) == 15


def test_the_help_names_the_keys_that_its_reader_has(sales_client, manager_client, clerk_client):
    url = reverse("reports:alerts")
    mine, managers, clerks = (
        browser.get(url).text for browser in (sales_client, manager_client, clerk_client)
    )
    assert "Go to: Alerts" in mine and "Go to: Reports" not in mine
    assert "Go to: Reports" in managers and "Go to: Integrations" not in managers
    assert "Go to: Reports" in clerks and "Go to: Integrations" in clerks
    for words in ("Record a payment;", "Invoice lines:"):
        assert words in clerks
        assert words not in mine + managers
