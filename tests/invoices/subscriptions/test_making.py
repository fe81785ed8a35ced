"""What is due is made once, whatever happens; what cannot be issued waits and says why."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from invoices.invoicing.correcting import draft_correction
from invoices.invoicing.crediting import issue_credit_note
from invoices.invoicing.drafting import save_draft, void_draft
from invoices.invoicing.issuing import issue
from invoices.models import (
    Client,
    Company,
    Invoice,
    Message,
    SubscriptionBilling,
    SubscriptionPeriod,
)
from invoices.models.instalments import Instalment
from invoices.subscriptions import making, running
from invoices.subscriptions.standing import SubscriptionRefused
from invoices.subscriptions.warning import Subscriptions
from tests import crash
from tests.factories import make_client
from tests.invoices.invoicing.test_correcting import pay
from tests.invoices.subscriptions.making import line, save, started
from tests.race import at_once

pytestmark = pytest.mark.django_db
State = SubscriptionPeriod.State


def invoices_of(subscription):
    made = Invoice.objects.filter(subscription_billing__period__subscription=subscription)
    return list(made.exclude(status="void").order_by("service_from"))


def states_of(subscription):
    return list(subscription.periods.order_by("number").values_list("state", flat=True))


# ─ Once ─────────────────────────────────────────────────────────────────────────────────────────
def test_each_period_that_is_due_gets_its_draft_with_its_days():
    found = started(starts_on=date(2026, 1, 31), on=date(2026, 1, 1), purchase_order="PO 7")
    made = making.make_due(date(2026, 4, 1))
    assert (made.drafted, made.issued, made.failed) == (3, 0, [])
    drafts = invoices_of(found)
    assert [(d.service_from, d.service_until) for d in drafts] == [
        (date(2026, 1, 31), date(2026, 2, 27)),
        (date(2026, 2, 28), date(2026, 3, 30)),
        (date(2026, 3, 31), date(2026, 4, 29)),
    ]
    assert {(d.total_minor, d.purchase_order, d.owner_id) for d in drafts} == {
        (120_00, "PO 7", found.owner_id)
    }
    # Dated on the day of their issue, never back.
    assert {d.issue_date for d in drafts} == {None}
    found.refresh_from_db()
    assert (found.next_number, found.next_first_day) == (4, date(2026, 4, 30))
    assert (found.next_total_minor, found.yearly_minor) == (120_00, 1200_00)


def test_in_arrears_a_period_is_billed_on_its_last_day():
    found = started(on=date(2026, 1, 1), in_arrears=True)
    assert making.make_due(date(2026, 1, 30)).drafted == 0
    assert making.make_due(date(2026, 1, 31)).drafted == 1
    assert invoices_of(found)[0].service_until == date(2026, 1, 31)


def test_run_again_and_with_the_clock_set_back_nothing_new_is_made():
    found = started(on=date(2026, 1, 1))
    making.make_due(date(2026, 3, 5))
    assert making.make_due(date(2026, 3, 5)).drafted == 0
    assert making.make_due(date(2026, 1, 5)).drafted == 0
    assert making.make_due(date(2026, 4, 1)).drafted == 1
    assert found.periods.count() == 4


def test_what_the_row_says_of_the_next_period_is_not_believed():
    """A stale row leads the task there; the rows of periods say what is due."""
    found = started(on=date(2026, 1, 1))
    making.make_due(date(2026, 2, 5))
    type(found).objects.filter(pk=found.pk).update(next_due_on=date(2026, 1, 1), next_number=1)
    assert making.make_due(date(2026, 2, 5)).drafted == 0
    found.refresh_from_db()
    assert (found.next_number, found.next_due_on) == (3, date(2026, 3, 1))


def test_the_database_refuses_a_period_twice_and_a_day_in_two_periods():
    found = started(on=date(2026, 1, 1))
    making.make_due(date(2026, 1, 1))
    [period] = found.periods.all()
    days = {"due_on": period.due_on, "made_on": period.made_on, "state": State.DRAFTED}
    for number, first in ((1, date(2027, 1, 1)), (2, date(2026, 1, 31)), (2, date(2026, 1, 1))):
        with pytest.raises(IntegrityError), transaction.atomic():
            SubscriptionPeriod.objects.create(
                subscription=found, number=number, first_day=first, last_day=first, **days
            )
    with pytest.raises(IntegrityError), transaction.atomic():
        found.periods.update(first_day=date(2026, 1, 2))
    with pytest.raises(IntegrityError), transaction.atomic():
        found.periods.all().delete()


def test_the_database_refuses_a_second_invoice_of_a_period_that_stands():
    found = started(on=date(2026, 1, 1))
    making.make_due(date(2026, 1, 1))
    [period], [draft] = found.periods.all(), invoices_of(found)
    other = Invoice.objects.create(client=found.client, currency="EUR")
    with pytest.raises(IntegrityError), transaction.atomic():
        SubscriptionBilling.objects.create(period=period, invoice=other)
    void_draft(invoice_id=draft.pk, by=None, on=date(2026, 1, 1))
    SubscriptionBilling.objects.create(period=period, invoice=other)


def test_a_corrected_invoice_bills_the_period_though_payments_stay_with_the_old_one():
    found = started(on=date(2026, 1, 1))
    making.make_due(date(2026, 1, 1))
    told = {"by": None, "on": date(2026, 1, 2)}
    [old] = invoices_of(found)
    issue(invoice_id=old.pk, **told)
    pay(Invoice.objects.get(pk=old.pk), 120_00)
    for _again in range(2):
        draft = draft_correction(invoice_id=old.pk, move_payments=False, **told)
        issue(invoice_id=draft.pk, **told)
        old = draft
    [period] = found.periods.all()
    billed = list(period.billings.values_list("invoice", flat=True))
    assert len(billed) == 3
    assert billed[-1] == draft.pk


@pytest.mark.django_db(transaction=True)
def test_killed_at_any_statement_it_makes_each_period_once():
    """Three periods are due. Each child makes what is left and dies a statement later."""
    found = started(starts_on=date(2026, 12, 1))
    ends = crash.run("subscription", found.pk)
    looks = [look for _n, _end, look in ends]
    # A period and its invoice are there together, or neither is.
    assert all(look.split("/")[0] == look.split("/")[1] for look in looks)
    assert looks[0] == "0/0"
    assert looks[-1] == "3/3"
    assert looks == sorted(looks)
    assert [d.service_from for d in invoices_of(found)] == [
        date(2026, 12, 1),
        date(2027, 1, 1),
        date(2027, 2, 1),
    ]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_make_each_period_once():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    found = started(on=date(2026, 1, 1))
    day = date(2026, 6, 1)
    both = at_once(*[lambda: making.make_due(day)] * 3)
    assert sorted(made.drafted for made in both)[-1] >= 2
    assert sum(made.drafted for made in both) == 6
    assert found.periods.count() == len(invoices_of(found)) == 6


@pytest.mark.django_db(transaction=True)
def test_a_change_of_lines_and_the_task_wait_for_each_other():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    found = started(on=date(2026, 1, 1))

    def change():
        save(found, [line("300")], on=date(2026, 1, 1))

    at_once(change, lambda: making.make_due(date(2026, 2, 1)))
    totals = [draft.total_minor for draft in invoices_of(found)]
    # Whole periods at one price or the other, and never back to the old one.
    assert totals in ([120_00, 120_00], [120_00, 360_00], [360_00, 360_00])


def test_a_fault_in_one_subscription_leaves_the_others_alone(monkeypatch):
    broken, good = started(on=date(2026, 1, 1)), started(on=date(2026, 1, 1))
    plain = making.bill

    def bill(subscription, *args, **named):
        if subscription.pk == broken.pk:
            raise RuntimeError("a fault of ours")
        return plain(subscription, *args, **named)

    monkeypatch.setattr(making, "bill", bill)
    with pytest.raises(making.MakingFailed):
        making.make_due(date(2026, 2, 1))
    assert (broken.periods.count(), good.periods.count()) == (0, 2)
    monkeypatch.undo()
    assert making.make_due(date(2026, 2, 1)).drafted == 2


# ─ Issued by itself ─────────────────────────────────────────────────────────────────────────────
def test_it_is_issued_and_sent_by_itself_dated_on_the_day_of_the_run():
    found = started(way="send", on=date(2026, 11, 1), starts_on=date(2026, 11, 1))
    made = making.make_due(date(2026, 11, 24))
    assert (made.drafted, made.issued, made.refused) == (1, 1, 0)
    [invoice] = invoices_of(found)
    assert (invoice.status, invoice.issue_date) == ("issued", date(2026, 11, 24))
    assert invoice.paper["service_from"] == "2026-11-01"
    assert Message.objects.get(invoice=invoice).to == invoice.recipients
    assert states_of(found) == [State.ISSUED]
    assert making.make_due(date(2026, 11, 24)).issued == 0
    assert Message.objects.filter(invoice=invoice).count() == 1


def test_a_worker_that_died_after_the_issue_leaves_nothing_to_do_twice():
    found = started(way="issue", on=date(2026, 11, 24), starts_on=date(2026, 11, 24))
    making.make_next(found.pk, date(2026, 11, 24))
    [invoice] = invoices_of(found)
    issue(invoice_id=invoice.pk, by=None, on=date(2026, 11, 24))
    # … and was killed here, before the period was marked.
    assert states_of(found) == [State.TO_ISSUE]
    number = Invoice.objects.get().number
    assert making.make_due(date(2026, 11, 25)).issued == 1
    assert states_of(found) == [State.ISSUED]
    assert Invoice.objects.get().number == number


def test_what_cannot_be_issued_waits_as_a_draft_that_says_why_and_the_others_go_on(mailoutbox):
    client = make_client(address_line1="")
    found = started(client=client, way="send", on=date(2026, 9, 1), starts_on=date(2026, 10, 1))
    made = making.make_due(date(2026, 11, 2))
    assert (made.drafted, made.issued, made.refused) == (2, 0, 2)
    assert states_of(found) == [State.REFUSED, State.REFUSED]
    assert {invoice.status for invoice in invoices_of(found)} == {"draft"}
    refused = found.events.filter(kind="refused").first()
    assert "adresse" in " ".join(refused.data["reasons"]).lower()
    # Somebody hears of it, once a day however many there are.
    [mail] = Message.objects.filter(kind="subscription_waits")
    assert mail.to == [Company.ours().email]
    assert "2" in mail.subject
    # Again the same run tells nothing new; one that comes to wait later that day is told too.
    making.make_due(date(2026, 11, 2))
    Message.objects.update(state=Message.State.SENT, sent_at=timezone.now())
    started(client=client, way="send", on=date(2026, 11, 2), starts_on=date(2026, 11, 1))
    for _twice in range(2):
        making.make_due(date(2026, 11, 2))
    assert Message.objects.filter(kind="subscription_waits").count() == 2
    [warning] = Subscriptions().warnings(invoices_of(found)[0])
    assert "could not be issued by itself" in warning.text
    # The address is there: the next period is issued, and a person releases the others.
    Client.objects.filter(pk=client.pk).update(address_line1="1, rue Neuve")
    assert making.make_due(date(2026, 12, 1)).issued == 2
    with pytest.raises(SubscriptionRefused):
        running.start(subscription_id=found.pk, by=None, on=date(2026, 12, 1))
    assert making.release(subscription_id=found.pk, by=None, on=date(2026, 12, 1)) == 2
    assert making.make_due(date(2026, 12, 2)).issued == 2
    numbers = [invoice.number for invoice in invoices_of(found)]
    assert all(numbers)
    assert len(set(numbers)) == 3


def test_after_a_long_standstill_a_person_is_asked_before_a_heap_is_issued():
    found = started(way="issue", on=date(2026, 1, 1), starts_on=date(2026, 7, 1))
    made = making.make_due(date(2026, 11, 24))
    assert (made.drafted, made.issued, made.asked) == (5, 0, 5)
    assert states_of(found) == [State.ASKED] * 5
    assert Message.objects.filter(kind="subscription_waits").count() == 1
    # The month after comes as usual.
    assert making.make_due(date(2026, 12, 1)).issued == 1
    assert states_of(found) == [*[State.ASKED] * 5, State.ISSUED]


def test_a_heap_that_was_cut_in_two_by_a_crash_waits_whole():
    found = started(way="issue", on=date(2026, 1, 1), starts_on=date(2026, 8, 1))
    making.make_next(found.pk, date(2026, 11, 24))
    making.make_next(found.pk, date(2026, 11, 24))
    # The next day two are left, which alone would be issued.
    assert making.make_due(date(2026, 11, 25)).asked == 2
    assert states_of(found) == [State.ASKED] * 4


def test_two_that_are_due_after_a_weekend_are_issued_by_themselves():
    found = started(
        way="issue", on=date(2026, 11, 1), starts_on=date(2026, 11, 13), unit="week", every=1
    )
    assert making.make_due(date(2026, 11, 20)).issued == 2
    assert states_of(found) == [State.ISSUED] * 2


def test_a_draft_that_a_person_discarded_is_not_issued_and_can_be_drafted_again():
    found = started(way="issue", on=date(2026, 11, 24), starts_on=date(2026, 11, 24))
    period = making.make_next(found.pk, date(2026, 11, 24))
    [draft] = invoices_of(found)
    void_draft(invoice_id=draft.pk, by=None, on=date(2026, 11, 24))
    assert making.make_due(date(2026, 11, 24)).issued == 0
    assert states_of(found) == [State.DRAFTED]
    again = making.draft_again(period_id=period.pk, by=None, on=date(2026, 11, 25))
    assert (again.service_from, again.total_minor) == (date(2026, 11, 24), 120_00)
    with pytest.raises(SubscriptionRefused, match="exists already"):
        making.draft_again(period_id=period.pk, by=None, on=date(2026, 11, 25))


def test_a_period_whose_invoice_was_credited_whole_can_be_billed_again():
    found = started(way="issue", on=date(2026, 11, 24), starts_on=date(2026, 11, 24))
    making.make_due(date(2026, 11, 24))
    [invoice], [period] = invoices_of(found), found.periods.all()
    with pytest.raises(SubscriptionRefused, match=invoice.number):
        making.draft_again(period_id=period.pk, by=None, on=date(2026, 11, 24))
    issue_credit_note(
        invoice_id=invoice.pk, lines=None, reason="Wrong", by=None, on=date(2026, 11, 24)
    )
    making.draft_again(period_id=period.pk, by=None, on=date(2026, 11, 24))
    assert period.billings.count() == 2


def test_what_a_person_changed_in_a_draft_is_issued_as_it_is():
    found = started(way="issue", on=date(2026, 11, 24), starts_on=date(2026, 11, 24))
    making.make_next(found.pk, date(2026, 11, 24))
    [draft] = invoices_of(found)
    assert not save_draft(
        invoice_id=draft.pk, header={"title": "Mine"}, lines=[line("50")], by=None
    )
    making.make_due(date(2026, 11, 24))
    draft.refresh_from_db()
    assert (draft.title, draft.total_minor, draft.is_issued) == ("Mine", 60_00, True)
    assert not Instalment.objects.exists()


# ─ The end ──────────────────────────────────────────────────────────────────────────────────────
def test_after_its_last_period_it_has_ended():
    found = started(on=date(2026, 1, 1), most_periods=2)
    making.make_due(date(2026, 6, 1))
    found.refresh_from_db()
    assert (found.status, found.next_due_on, found.yearly_minor) == ("ended", None, 0)
    assert found.periods.count() == 2
    assert found.events.filter(kind="ended").count() == 1


def test_the_last_period_is_cut_on_its_last_day_and_costs_its_share():
    found = started(on=date(2026, 1, 1), ends_on=date(2026, 2, 14))
    making.make_due(date(2026, 6, 1))
    assert [draft.net_minor for draft in invoices_of(found)] == [100_00, 50_00]
    assert invoices_of(found)[1].service_until == date(2026, 2, 14)


def test_a_client_that_was_merged_is_billed_as_what_it_became():
    found = started(on=date(2026, 1, 1))
    winner = make_client()
    Client.objects.filter(pk=found.client_id).update(merged_into=winner)
    making.make_due(date(2026, 1, 1) + timedelta(days=1))
    assert invoices_of(found)[0].client == winner
