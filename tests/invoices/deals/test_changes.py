"""A deal that changes after its draft was made, or after its invoice was issued."""

from __future__ import annotations

import threading
from datetime import date
from decimal import Decimal
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone, translation
from moneyed import Money

from billing_portal.money import formatted_minor
from invoices.deals import changes
from invoices.deals.changes import ChangeRefused, changing, confirm_change, take_over
from invoices.deals.drafting import draft_from_deal
from invoices.invoicing import deal_basis
from invoices.invoicing.crediting import issue_credit_note
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.issuing import issue
from invoices.models import DealBasis, Invoice
from tests.confirm import confirm, token_on
from tests.factories import make_client, make_company, make_deal
from tests.race import at_once

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


def drafted(clerk, **deal):
    make_company()
    deal = make_deal(**deal)
    return deal, draft_from_deal(deal_id=deal.pk, by=clerk, on=ON)


def change(deal, **fields):
    with transaction.atomic(), changing([deal.pk], ON):
        type(deal).objects.filter(pk=deal.pk).update(**fields)


def change_price(deal, price):
    with transaction.atomic(), changing([deal.pk], ON):
        deal.lines.update(unit_price=Decimal(price))


def waiting(invoice):
    return DealBasis.objects.waiting().filter(invoice=invoice).exists()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads the plan as SQLite writes it")
def test_what_waits_is_found_without_reading_every_invoice(clerk):
    asked = DealBasis.objects.waiting().visible_to(clerk)
    for found in (asked, asked.filter(invoice_id=1)):
        plan = found.explain()
        assert "LIST SUBQUERY" not in plan, plan
        assert "SEARCH U0 USING INTEGER PRIMARY KEY" in plan, plan


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "lost"}, "Status: Won, now Lost."),
        ({"status": "open"}, "Status: Won, now Open."),
        ({"status": "deleted"}, "Status: Won, now Deleted in the CRM."),
        ({"outdated": {"code": "crm.no_number"}}, "it can no longer be read"),
        ({"hidden_at": timezone.now()}, "no longer visible to us"),
        ({"service_until": date(2026, 12, 31)}, "Service until: –, now 31"),
        ({"purchase_order": "PO-9"}, "Purchase order: –, now PO-9."),
    ],
)
def test_a_draft_whose_deal_changed_is_not_issued_until_somebody_confirms(clerk, fields, words):
    deal, draft = drafted(clerk)
    change(deal, **fields)
    with pytest.raises(IssueRefused) as refusal:
        issue(invoice_id=draft.pk, by=clerk, on=ON)
    assert words in str(refusal.value)
    confirm_change(invoice_id=draft.pk, by=clerk, on=ON)
    basis = DealBasis.objects.get(invoice=draft)
    assert (basis.confirmed_by, basis.differs) == (clerk, False)
    assert issue(invoice_id=draft.pk, by=clerk, on=ON).number


def test_the_value_of_a_deal_without_lines_is_told(clerk):
    deal, draft = drafted(clerk, lines=(), value_minor=5_000_00)
    change(deal, value_minor=9_000_00)
    with pytest.raises(IssueRefused, match=r"Amount: €5,000\.00, now €9,000\.00\."):
        issue(invoice_id=draft.pk, by=clerk, on=ON)


def test_what_no_draft_would_say_is_no_change(clerk):
    deal, draft = drafted(clerk)
    change(deal, value_minor=1, archived=True, won_on=date(2026, 1, 1))
    type(deal.client).objects.update(vat_id="", name="Renamed")
    change(deal, value_minor=2)
    assert not waiting(draft)
    assert not draft.events.filter(data__has_key="deal_changed").exists()


def test_twice_the_same_is_one_change_and_back_again_is_none(clerk):
    deal, draft = drafted(clerk)
    change(deal, status="lost")
    change(deal, status="lost")
    assert DealBasis.objects.waiting().count() == 1
    assert draft.events.filter(data__has_key="deal_changed").count() == 1
    change(deal, status="won")
    assert not waiting(draft)
    assert issue(invoice_id=draft.pk, by=clerk, on=ON).number


def test_a_later_change_is_asked_anew(clerk):
    deal, draft = drafted(clerk)
    change(deal, status="lost")
    confirm_change(invoice_id=draft.pk, by=clerk, on=ON)
    change(deal, status="lost")
    assert not waiting(draft)
    change_price(deal, "7")
    assert waiting(draft)
    with pytest.raises(IssueRefused, match="Line 1"):
        issue(invoice_id=draft.pk, by=clerk, on=ON)


def test_a_draft_of_an_older_version_is_compared_with_the_deal_before_the_change(clerk):
    deal, draft = drafted(clerk)
    DealBasis.objects.all().delete()
    change_price(deal, "7")
    assert waiting(draft)


def test_an_issued_invoice_waits_for_a_word_or_a_credit_note(clerk):
    deal, draft = drafted(clerk)
    issue(invoice_id=draft.pk, by=clerk, on=ON)
    change_price(deal, "400")
    assert waiting(draft)
    with pytest.raises(ChangeRefused, match="Say why"):
        confirm_change(invoice_id=draft.pk, by=clerk, on=ON)
    confirm_change(invoice_id=draft.pk, by=clerk, on=ON, word="Agreed by phone")
    assert not waiting(draft)
    event = draft.events.get(data__has_key="deal_confirmed")
    assert (event.by, event.data["text"]) == (clerk, "Agreed by phone")


WORDS = {
    "title": "Another title",
    "purchase_order": "PO-9",
    "service_from": date(2026, 12, 1),
    "service_until": date(2026, 12, 31),
}


@pytest.mark.parametrize("lines", [{}, {"lines": (), "value_minor": 5_000_00}], ids=["", "bare"])
def test_words_around_the_amounts_ask_nobody_once_they_are_printed(clerk, lines):
    deal, draft = drafted(clerk, **lines)
    issue(invoice_id=draft.pk, by=clerk, on=ON)
    change(deal, **WORDS)
    assert not waiting(draft)
    assert not draft.events.filter(data__has_key="deal_changed").exists()
    # What is owed does, and only that is told.
    if lines:
        change(deal, value_minor=9_000_00)
    else:
        change_price(deal, "400")
    basis = DealBasis.objects.waiting().get(invoice=draft)
    told = " ".join(map(str, deal_basis.told(basis.known, basis.now)))
    assert "Amount" in told
    assert "Another title" not in told
    assert "PO-9" not in told


def test_what_waited_for_its_words_alone_no_longer_waits_after_an_upgrade(clerk, monkeypatch):
    """Two invoices whose deals changed before the rule: one in its title, one in its price too."""
    (title, first), (price, second) = drafted(clerk), drafted(clerk)
    for draft in (first, second):
        issue(invoice_id=draft.pk, by=clerk, on=ON)
    with monkeypatch.context() as before:
        before.setattr(changes, "_as_printed", lambda content, _known: content)
        change(title, title="Another title")
        change(price, title="Another title")
        change_price(price, "400")
    assert [waiting(first), waiting(second)] == [True, True]
    import_module("invoices.migrations.0029_words_of_issued_invoices_do_not_wait").let_go(
        apps, None
    )
    assert [waiting(first), waiting(second)] == [False, True]
    basis = DealBasis.objects.get(invoice=second)
    assert basis.now["title"] == basis.known["title"]
    # An import that finds nothing new agrees with it.
    change(price, value_minor=1)
    assert second.events.filter(data__has_key="deal_changed").count() == 2


def test_a_draft_takes_what_changed_and_keeps_what_was_typed(clerk):
    deal, draft = drafted(clerk)
    Invoice.objects.filter(pk=draft.pk).update(title="Ours")
    other = make_client(name="Other")
    with transaction.atomic(), changing([deal.pk], ON):
        type(deal).objects.update(client=other)
        deal.lines.update(unit_price=Decimal("400"))
    take_over(invoice_id=draft.pk, by=clerk, on=ON)
    draft.refresh_from_db()
    assert (draft.title, draft.client, draft.net_minor) == ("Ours", other, 400_00)
    assert not waiting(draft)


def test_a_draft_takes_nothing_of_a_lost_deal(clerk):
    deal, draft = drafted(clerk)
    change(deal, status="lost", title="New")
    with pytest.raises(ChangeRefused):
        take_over(invoice_id=draft.pk, by=clerk, on=ON)
    assert waiting(draft)


def test_the_pages_tell_it_and_decide_on_what_was_shown(clerk_client, clerk):
    deal, draft = drafted(clerk)
    change(deal, status="lost")
    url = reverse("invoices:deal-change", args=[draft.pk])
    page = clerk_client.get(reverse("invoices:edit", args=[draft.pk])).content.decode()
    assert "Status: Won, now Lost." in page
    assert url in page
    dialog = clerk_client.get(reverse("invoices:issue", args=[draft.pk])).content.decode()
    assert "Status: Won, now Lost." in dialog
    assert "Issue and send" not in dialog
    token = token_on(clerk_client.get(url))
    change(deal, status="open")
    answer = clerk_client.post(url, {"confirmed": token, "once": "a" * 32, "act": "confirm"})
    assert answer.status_code == 422
    assert waiting(draft)
    assert confirm(clerk_client, url, {"act": "confirm"}).status_code == 303
    assert not waiting(draft)


def test_an_issued_invoice_tells_it_and_leads_to_a_credit_note(clerk_client, manager_client, clerk):
    deal, draft = drafted(clerk)
    issue(invoice_id=draft.pk, by=clerk, on=ON)
    change(deal, status="lost")
    detail, url = (reverse(f"invoices:{n}", args=[draft.pk]) for n in ("detail", "deal-change"))
    assert url in clerk_client.get(detail).content.decode()
    dialog = clerk_client.get(url).content.decode()
    assert reverse("invoices:credit", args=[draft.pk]) in dialog
    read_only = manager_client.get(detail).content.decode()
    assert "The deal changed after this invoice was issued." in read_only
    assert url not in read_only
    assert manager_client.get(url).status_code == 403
    assert confirm(clerk_client, url, {"act": "confirm", "word": ""}).status_code == 422
    assert confirm(clerk_client, url, {"act": "confirm", "word": "Agreed"}).status_code == 303
    assert "Agreed" in clerk_client.get(detail).content.decode()


def test_the_deal_and_the_dialog_say_what_stands(clerk_client, clerk):
    deal, draft = drafted(clerk)
    issue(invoice_id=draft.pk, by=clerk, on=ON)
    page = reverse("invoices:deal", args=[deal.pk])
    url = reverse("invoices:deal-change", args=[draft.pk])
    assert url not in clerk_client.get(page).text
    change_price(deal, "400")
    assert url in clerk_client.get(page).text
    assert "credited already" not in clerk_client.get(url).text
    part = Money(200, "EUR")
    issue_credit_note(invoice_id=draft.pk, amount=part, reason="A part", by=clerk, on=ON)
    draft.refresh_from_db()
    left = formatted_minor(draft.total_minor - 200_00, "EUR")
    assert f"€200.00 of it is credited already; {left} stands." in clerk_client.get(url).text


def test_a_credit_note_of_a_part_leaves_it_waiting_and_is_looked_at_first(clerk_client, clerk):
    deal, draft = drafted(clerk)
    issue(invoice_id=draft.pk, by=clerk, on=ON)
    change(deal, status="lost")
    url = reverse("invoices:deal-change", args=[draft.pk])
    token = token_on(clerk_client.get(url))
    part = Money(100, "EUR")
    issue_credit_note(invoice_id=draft.pk, amount=part, reason="A part", by=clerk, on=ON)
    assert waiting(draft)
    given = {"confirmed": token, "once": "a" * 32, "act": "confirm", "word": "Agreed"}
    assert clerk_client.post(url, given).status_code == 422
    assert waiting(draft)
    issue_credit_note(invoice_id=draft.pk, reason="The rest", by=clerk, on=ON)
    assert not waiting(draft)


def test_the_reason_is_told_in_french(clerk):
    deal, draft = drafted(clerk)
    change(deal, status="lost")
    with translation.override("fr"), pytest.raises(IssueRefused, match=r"L’affaire a changé"):
        issue(invoice_id=draft.pk, by=clerk, on=ON)


@pytest.mark.django_db(transaction=True)
def test_an_import_that_changes_the_deal_and_an_issue_wait_for_each_other(clerk):
    """Issued while the import has not committed: refused, for it sees what the import wrote."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    deal, draft = drafted(clerk)
    written, go = threading.Event(), threading.Event()

    def importing():
        with transaction.atomic():
            with changing([deal.pk], ON):
                type(deal).objects.filter(pk=deal.pk).update(status="lost")
            written.set()
            # Long enough for the other to reach the lock; it must wait there.
            go.wait(1.5)

    def issuing():
        written.wait(10)
        return issue(invoice_id=draft.pk, by=clerk, on=ON)

    _none, answer = at_once(importing, issuing)
    assert isinstance(answer, IssueRefused)
    assert "Status: Won, now Lost." in str(answer)


@pytest.mark.django_db(transaction=True)
def test_an_import_that_comes_second_finds_the_invoice_issued(clerk):
    """It waits for the lock of the invoice, and keeps the change beside what is issued."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    deal, draft = drafted(clerk)
    issued, go = threading.Event(), threading.Event()

    def issuing():
        with transaction.atomic():
            issue(invoice_id=draft.pk, by=clerk, on=ON)
            issued.set()
            go.wait(1.5)

    def importing():
        issued.wait(10)
        change(deal, title="Another title", status="lost")

    assert at_once(issuing, importing) == [None, None]
    basis = DealBasis.objects.waiting().get(invoice=draft)
    assert basis.now["status"] == "lost"
    assert basis.now["title"] == basis.known["title"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", ["issue", "take"])
def test_taking_a_change_over_and_issuing_wait_for_each_other(clerk, first):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    deal, draft = drafted(clerk)
    change_price(deal, "400")
    began, go = threading.Event(), threading.Event()

    def act(name):
        if name == "take":
            take_over(invoice_id=draft.pk, by=clerk, on=ON)
        else:
            issue(invoice_id=draft.pk, by=clerk, on=ON)

    def one():
        try:
            with transaction.atomic():
                act(first)
                began.set()
                go.wait(1.5)
        finally:
            began.set()

    def other():
        began.wait(10)
        act("take" if first == "issue" else "issue")

    answers = at_once(one, other)
    draft.refresh_from_db()
    if first == "take":
        # The issue waited, and issued what was taken.
        assert answers == [None, None]
        assert draft.status == "issued"
    else:
        assert isinstance(answers[0], IssueRefused)
        assert answers[1] is None
        assert draft.is_draft
    assert draft.lines.get().unit_price == Decimal("400")


def test_a_draft_given_to_another_client_takes_the_same_by_either_way(clerk_client, clerk):
    """By a change of the deal and by hand: language, terms and recipients of the new client."""
    other = make_client(
        name="Other", language="en-GB", terms_days=45, billing_email="bills@other.example"
    )
    taken = []
    for by_hand in (False, True):
        make_company()
        deal = make_deal(client=make_client(name=f"First {by_hand}", language="fr", terms_days=10))
        draft = draft_from_deal(deal_id=deal.pk, by=clerk, on=ON)
        if by_hand:
            url = reverse("invoices:draft-client", args=[draft.pk])
            assert clerk_client.post(url, {"client": other.pk}).status_code in (302, 303)
        else:
            change(deal, client=other)
            take_over(invoice_id=draft.pk, by=clerk, on=ON)
        draft.refresh_from_db()
        taken.append((draft.client, draft.language, draft.terms_days, draft.recipients))
    assert taken == [(other, "en", 45, ["bills@other.example"])] * 2
