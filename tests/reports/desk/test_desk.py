"""The desk shows what needs somebody, and every figure is what its link opens."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db import transaction
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from billing_portal.accounts.models import User
from billing_portal.idempotency import new_key
from billing_portal.lists.totals import joined, totals_per_currency
from invoices.deals.changes import changing
from invoices.deals.drafting import draft_from_deal
from invoices.models import BooksCheck, Deal, Invoice, Payment
from invoices.selections.filters import InvoiceFilter, filter_invoices
from reports.alerts import running
from reports.desk import selections
from reports.desk.counts import counts
from reports.desk.desk import desk
from reports.desk.first_steps import first_steps
from reports.desk.owed import receivables
from tests.factories import (
    make_client,
    make_company,
    make_deal,
    make_invoice,
    make_rule,
    make_user,
    settle,
)

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def fresh(db):
    cache.clear()
    return make_company()


def today():
    return timezone.localdate()


def due(days_ago, **fields):
    day = today() - timedelta(days=days_ago)
    return make_invoice(issue_date=day - timedelta(days=30), due_date=day, **fields)


def full_books(owner=None):
    make_deal(owner=owner, value_minor=500_00, title="Audit 2027")
    make_deal(owner=owner, value_minor=900_00, currency="GBP")
    make_invoice(status="draft", total_minor=70_00, outstanding_minor=70_00, owner=owner)
    due(-5, total_minor=111_11, owner=owner)
    due(0, total_minor=5_00, owner=owner)
    for days in (1, 30, 31, 60, 61, 90, 91, 400):
        due(days, total_minor=1000_00 + days, owner=owner)
    due(10, total_minor=300_00, currency="USD", exchange_rate=Decimal("0.9"), owner=owner)
    settle(due(50, owner=owner), today())
    client = make_client(name="Banque Saint-Aubin")
    Payment.objects.create(
        client=client, received_on=today(), currency="EUR", amount_minor=55_00, reference="VIR 1"
    )


def opened(url, rows=None):
    """The rows that a link of the desk opens, by the list's own reading of the query string."""
    wanted, problems = InvoiceFilter.read(QueryDict(url.partition("?")[2]))
    assert not problems
    return filter_invoices(Invoice.objects.all() if rows is None else rows, wanted, today())


def test_every_tile_counts_and_adds_what_its_link_opens(clerk):
    full_books()
    tiles = {tile.key: tile for tile in desk(clerk, today())["tiles"]}
    for key, column in (("overdue", "outstanding_minor"), ("drafts", "total_minor")):
        rows = opened(tiles[key].url)
        assert tiles[key].count == rows.count() > 0
        told = " · ".join(tiles[key].amounts)
        assert told == joined(totals_per_currency(rows, column), column)
    assert tiles["bill"].count == Deal.objects.to_bill(None).count() == 2
    assert tiles["bill"].amounts == ["£900.00", "€500.00"]
    assert (tiles["unapplied"].count, tiles["unapplied"].amounts) == (1, ["€55.00"])


def test_every_piece_of_the_receivables_bar_is_what_its_link_opens(clerk):
    full_books()
    bars = receivables(clerk, today())
    assert [bar.currency for bar in bars] == ["EUR", "USD"]
    for bar in bars:
        whole = opened(bar.url)
        assert joined(totals_per_currency(whole, "outstanding_minor"), "outstanding_minor") == (
            bar.total
        )
        pieces = 0
        for part in bar.parts:
            rows = opened(part.url)
            pieces += rows.count()
            told = joined(totals_per_currency(rows, "outstanding_minor"), "outstanding_minor")
            assert told == part.amount
        assert pieces == whole.count()


def test_overdue_invoices_stand_by_their_worth_in_the_companys_currency(clerk):
    small = due(10, total_minor=100_00)
    yen = due(10, total_minor=20_000, currency="JPY", exchange_rate=Decimal("0.006"))
    unknown = due(10, total_minor=110_00, currency="CHF")
    rows = [row[0].pk for row in desk(clerk, today())["overdue"].rows]
    assert rows == [yen.pk, unknown.pk, small.pk]


def test_deals_that_lack_something_are_counted_apart(clerk, clerk_client):
    make_deal(title="Ready one", value_minor=500_00)
    bare = make_client(address_line1="", city="", billing_email="", name="Bare")
    for n in range(8):
        make_deal(title=f"Bare deal {n}", client=bare, value_minor=100_00)
    shown = desk(clerk, today())
    assert (shown["tiles"][0].count, shown["tiles"][0].amounts) == (1, ["€500.00"])
    assert shown["tiles"][0].url == reverse("invoices:deals") + "?state=ready"
    assert (shown["to_bill"].lacking, shown["to_bill"].lacking_amounts) == (3, "€300.00")
    page = clerk_client.get(reverse("reports:desk")).text
    assert page.count(">Draft<span") == 1
    assert "3 more lack something, €300.00" in page
    opened = clerk_client.get(shown["tiles"][0].url).text
    assert "Ready one" in opened
    assert "Bare deal" not in opened


def test_reversed_payments_hold_no_unapplied_cash(clerk):
    client = make_client()
    paid = Payment.objects.create(
        client=client, received_on=today(), currency="EUR", amount_minor=55_00
    )
    Payment.objects.create(
        client=client, received_on=today(), currency="EUR", amount_minor=-55_00, reverses=paid
    )
    assert not selections.unapplied().exists()


def test_the_desk_shows_its_worklists_with_their_buttons(clerk_client):
    full_books()
    make_rule(days=30, name="Large and late")
    running.run(on=today())
    page = clerk_client.get(reverse("reports:desk")).text
    for text in ("Audit 2027", "To bill", "Overdue to chase", "400 days late", "Unapplied cash"):
        assert text in page
    assert "Banque Saint-Aubin" in page
    assert "Acknowledge" in page
    assert "All alerts" in page


def test_an_alert_is_acknowledged_on_the_desk(clerk_client):
    make_rule()
    due(40)
    running.run(on=today())
    pk = running.Alert.objects.get().pk
    answer = clerk_client.post(
        reverse("reports:acknowledge", args=[pk]), {"from": "desk"}, headers={"HX-Request": "true"}
    )
    assert 'id="desk-alerts"' in answer.text
    assert "No new alert." in answer.text


def test_the_list_of_deals_to_bill_counts_those_of_the_sidebar_and_its_tile_the_ready_ones(clerk):
    make_company()
    deals = [make_deal(client=make_client(), title=f"Ready {n}") for n in range(8)]
    deals += [make_deal(client=make_client(city=""), title="No address", currency="EUR")]
    shown = desk(clerk, today())
    tile = next(tile for tile in shown["tiles"] if tile.key == "bill")
    listed = shown["to_bill"]
    assert (tile.label, tile.count) == ("Ready to bill", 8)
    side = {each.key: each.n for each in counts(clerk, today())}
    assert listed.count == side["deals"] == len(listed.rows) + listed.more == len(deals)
    assert (listed.more, listed.lacking, listed.lacking_amounts) == (3, 1, "€1,000.00")


def test_sales_see_their_own_and_no_button_that_they_may_not_use(sales_client):
    seller = User.objects.get(role="sales")
    full_books()
    mine = make_deal(owner=seller, title="My own deal")
    due(20, owner=seller, client=make_client(name="My own client"))
    page = sales_client.get(reverse("reports:desk")).text
    assert "My own deal" in page
    assert "My own client" in page
    assert "Audit 2027" not in page
    assert "Banque Saint-Aubin" not in page
    assert "Unapplied cash" not in page
    for word in ("Draft<", "New invoice", "Record a payment", "Acknowledge", "Finish"):
        assert word not in page
    shown = desk(seller, today())
    assert shown["to_bill"].count == 1
    assert [each.deal for each in shown["to_bill"].rows] == [mine]


def test_managers_see_everything_and_change_nothing(manager_client):
    full_books()
    page = manager_client.get(reverse("reports:desk")).text
    assert "Audit 2027" in page
    for word in ("Draft<", "New invoice", "Record a payment", "Finish", "Apply<"):
        assert word not in page


def test_the_number_of_queries_does_not_depend_on_the_rows(
    clerk, django_assert_num_queries, clerk_client
):
    full_books()
    make_rule()
    running.run(on=today())
    clerk_client.get(reverse("reports:desk"))
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(
        connection,
    ) as few:
        clerk_client.get(reverse("reports:desk"))
    for _ in range(3):
        full_books()
    running.run(on=today())
    with CaptureQueriesContext(connection) as many:
        clerk_client.get(reverse("reports:desk"))
    assert len(many) == len(few) <= 39


# ─ First use ────────────────────────────────────────────────────────────────────────────────────


def test_an_empty_portal_says_what_to_do_first(admin_client):
    from invoices.models import Company

    Company.objects.all().delete()
    page = admin_client.get(reverse("reports:desk"))
    assert page.status_code == 200
    for text in ("Describe your company", "Connect Pipedrive", "Bill a deal"):
        assert text in page.text


def test_a_step_is_ticked_off_and_the_list_goes_away_at_the_end(clerk, clerk_client):
    steps = first_steps(clerk, make_company())
    assert [step.done for step in steps] == [True, False, False, False]
    make_deal()
    make_invoice(imported=False)
    assert first_steps(clerk, make_company()) == []
    assert "The first steps" not in clerk_client.get(reverse("reports:desk")).text


def test_those_who_can_do_none_of_the_first_steps_are_not_asked_to(sales_client, manager_client):
    for browser in (sales_client, manager_client):
        page = browser.get(reverse("reports:desk")).text
        assert "The first steps" not in page
        assert "Nothing is here yet" in page


# ─ The sidebar ──────────────────────────────────────────────────────────────────────────────────


def test_the_sidebar_counts_what_waits(clerk_client, clerk):
    full_books()
    make_rule()
    running.run(on=today())
    answer = clerk_client.get(reverse("reports:counts"))
    numbers = {each.key: each.n for each in counts(clerk, today())}
    assert numbers == {"deals": 2, "invoices": 9, "payments": 1, "mails": 0, "alerts": 6}
    assert 'id="count-invoices"' in answer.text
    assert "overdue" in answer.text


def test_counts_are_kept_for_some_seconds_and_not_shared_across_sales(
    django_assert_num_queries, clerk
):
    full_books()
    one, two = make_user(role="sales"), make_user(role="sales")
    make_deal(owner=one)
    counts(clerk, today())
    with django_assert_num_queries(0):
        counts(clerk, today())
    assert {c.key: c.n for c in counts(one, today())}["deals"] == 1
    assert {c.key: c.n for c in counts(two, today())}["deals"] == 0
    assert {c.key for c in counts(two, today())} == {"deals", "invoices", "alerts"}


def test_who_has_just_acted_sees_what_that_changed(clerk_client, clerk, manager_client):
    full_books()
    url = reverse("reports:counts")
    assert "2<" in clerk_client.get(url).text
    waiting = Deal.objects.to_bill().order_by("pk").first()
    # As if another process had kept the counts: its cache does not hear of the act.
    before = cache.get(f"desk-counts:all:{clerk.role}:{today()}")
    clerk_client.post(
        reverse("invoices:draft-deal", args=[waiting.pk]), {"once": new_key()}, headers=HTMX
    )
    assert before
    cache.set(f"desk-counts:all:{clerk.role}:{today()}", before, 20)
    assert clerk_client.cookies["acted"]["max-age"] == 60
    page = clerk_client.get(url).text
    assert re.search(r'id="count-deals"[^>]*>1<', page), page
    assert "acted" not in manager_client.cookies


def changed_deal(owner, by):
    """A draft of the owner whose deal was lost since."""
    client = make_client(owner=owner)
    deal = make_deal(client=client, owner=owner)
    draft = draft_from_deal(deal_id=deal.pk, by=by, on=today())
    with transaction.atomic(), changing([deal.pk], today()):
        Deal.objects.filter(pk=deal.pk).update(status="lost")
    return draft


def test_changed_deals_wait_on_the_desk_of_whom_they_concern(client):
    """One tile, its rows, and the list that it opens; a salesperson's own alone."""
    clerk, seller = make_user(), make_user(role=User.Role.SALES)
    assert "changed" not in desk(clerk, today())
    mine, other = changed_deal(seller, clerk), changed_deal(None, clerk)
    for person, expected in ((clerk, {mine.pk, other.pk}), (seller, {mine.pk})):
        found = desk(person, today())
        (tile,) = [each for each in found["tiles"] if each.key == "changed"]
        assert {invoice.pk for invoice, _told in found["changed"].rows} == expected
        assert tile.count == len(expected)
        wanted, problems = InvoiceFilter.read(QueryDict(tile.url.partition("?")[2]))
        rows = filter_invoices(Invoice.objects.visible_to(person), wanted, today())
        assert ({row.pk for row in rows}, problems) == (expected, [])
        client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
        shown = client.get(reverse("reports:desk")).text
        assert "Status: Won, now Lost." in shown
        decide = reverse("invoices:deal-change", args=[mine.pk])
        assert (decide in shown) == (person == clerk)
        assert "Deal changed" in client.get(tile.url).text


def test_books_that_do_not_hold_are_first_until_a_check_passes(
    admin_client, clerk_client, manager_client
):
    def check(*named):
        now = timezone.now()
        BooksCheck.objects.create(
            started_at=now, ended_at=now, broken=len(named), named=[list(each) for each in named]
        )

    check(*((f"F-2026-000{n}", "its lines are not those of the page.") for n in range(5)))
    text = admin_client.get(reverse("reports:desk")).text
    assert "found 5 things" in text
    assert "F-2026-0002" in text and "2 more" in text
    assert reverse("invoices:integrity") in text
    assert "An administrator sees all of it" in clerk_client.get(reverse("reports:desk")).text
    assert "desk-books" not in manager_client.get(reverse("reports:desk")).text
    check()
    assert "desk-books" not in admin_client.get(reverse("reports:desk")).text
