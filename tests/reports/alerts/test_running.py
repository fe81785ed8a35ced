"""What the rules find, when they speak, and that they never say a thing twice."""

from __future__ import annotations

import json
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connections
from django.utils import timezone, translation
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_portal.accounts.models import User
from invoices.models import ExchangeRate, Message
from invoices.outbox import kinds
from invoices.selections.filters import InvoiceFilter, filter_invoices
from reports.alerts import inbox, rules, running
from reports.alerts.evaluating import evaluate
from reports.alerts.kinds import type_delay
from reports.alerts.kinds.measures import measured
from reports.delays.tally import Tally
from reports.models import Alert, AlertRule
from tests.factories import (
    make_client,
    make_client_type,
    make_company,
    make_deal,
    make_invoice,
    make_rule,
    make_user,
    settle,
)
from tests.reports.alerts.doing import DAY, ON, due, paid_late, pay_part, subjects, words
from tests.reports.test_past_days import bounce


@pytest.fixture(autouse=True)
def company(db):
    return make_company(currency="EUR", language="en")


# ─ Overdue ──────────────────────────────────────────────────────────────────────────────────────


def test_an_invoice_is_told_of_the_day_after_the_given_days():
    rule = make_rule(days=30)
    invoice = due(30)
    assert subjects(rule) == []
    assert subjects(rule, ON + DAY) == [invoice.pk]
    assert evaluate(rule, ON + DAY)[0].data["days"] == 31


def test_only_what_is_above_the_amount_is_told_of_the_largest_first():
    rule = make_rule(amount_minor=100_00)
    due(40, total_minor=100_00)
    small = due(90, total_minor=100_01)
    large = due(40, total_minor=900_00)
    assert subjects(rule) == [large.pk, small.pk]


def test_the_amount_is_what_is_still_owed_on_that_day():
    rule = make_rule(amount_minor=100_00)
    invoice = due(60, total_minor=300_00)
    pay_part(invoice, 250_00, ON - 2 * DAY)
    assert subjects(rule) == []
    assert subjects(rule, ON - 3 * DAY) == [invoice.pk]


def test_foreign_amounts_are_compared_at_the_rate_of_the_invoice_date():
    rule = make_rule(amount_minor=100_00)
    enough = due(40, currency="USD", total_minor=112_00, exchange_rate=Decimal("0.9"))
    due(40, currency="USD", total_minor=110_00, exchange_rate=Decimal("0.9"))
    yen = due(40, currency="JPY", total_minor=20_000, exchange_rate=Decimal("0.006"))
    assert set(subjects(rule)) == {enough.pk, yen.pk}
    assert {f.subject: f.weight for f in evaluate(rule, ON)}[yen.pk] == 120_00


def test_without_a_rate_on_the_invoice_the_last_known_rate_serves():
    rule = make_rule(amount_minor=100_00)
    ExchangeRate.objects.create(currency="GBP", on=ON - 100 * DAY, rate=Decimal("1.2"), source="x")
    invoice = due(40, currency="GBP", total_minor=90_00)
    assert subjects(rule) == [invoice.pk]


def test_without_any_rate_a_large_debt_is_not_hidden_and_the_alert_says_so():
    make_rule(amount_minor=100_00)
    due(40, currency="CHF", total_minor=500_00)
    (alert,) = running.run(on=ON)[0].alerts
    with translation.override("en-gb"):
        assert "No exchange rate is known" in words(inbox.inbox().get()).detail
    assert alert.data["no_rate"] is True


def test_drafts_credit_notes_and_settled_invoices_are_left_alone():
    rule = make_rule()
    make_invoice(status="draft", due_date=date(2026, 10, 10), total_minor=0)
    due(90, kind="credit_note")
    settle(due(90), ON - DAY)
    assert subjects(rule) == []


# ─ Delay of a client type ───────────────────────────────────────────────────────────────────────


def test_a_client_type_is_told_of_when_its_median_passes_the_threshold():
    sme, large = make_client_type("SME"), make_client_type("Large account")
    paid_late(make_client(client_type=sme), 5, 11, 12, 13, 20)
    paid_late(make_client(client_type=large), 0, 1, 2, 3, 4)
    rule = make_rule(kind="type_delay", days=11, measure="p50", min_payments=5)
    (found,) = evaluate(rule, ON)
    assert found.subject == sme.pk
    assert (found.data["value"], found.data["paid"], found.data["open"]) == ("12", 5, 0)
    rule.days = 12
    assert subjects(rule) == []


def test_open_invoices_count_as_unfinished_observations():
    client = make_client()
    paid_late(client, 1, 2, 3, 4, 5)
    rule = make_rule(kind="type_delay", days=10, measure="p75", min_payments=5)
    assert subjects(rule) == []
    for _ in range(5):
        make_invoice(client=client, issue_date=date(2026, 8, 1))
    (found,) = evaluate(rule, ON)
    assert found.data["value"] is None
    assert found.data["longest"] == (ON - date(2026, 8, 31)).days
    running.run(on=ON)
    with translation.override("en-gb"):
        said = words(inbox.inbox().get())
    assert "not even three invoices in four are paid" in said.title


def test_the_mean_is_of_paid_invoices_and_says_a_decimal():
    paid_late(make_client(), 5, 6, 6, 6, 6)
    rule = make_rule(kind="type_delay", days=5, measure="mean", min_payments=5)
    assert evaluate(rule, ON)[0].data["value"] == "5.8"


def test_too_few_payments_say_nothing():
    paid_late(make_client(), 50, 50, 50, 50)
    rule = make_rule(kind="type_delay", days=5, min_payments=5)
    assert subjects(rule) == []


def test_what_lies_before_the_window_is_not_counted():
    client = make_client()
    paid_late(client, 50, 50, 50, 50, 50, issued=ON - 91 * DAY)
    rule = make_rule(kind="type_delay", days=5, min_payments=5, window_days=90)
    assert subjects(rule) == []
    rule.window_days = 91
    assert len(subjects(rule)) == 1


def test_an_alert_on_a_type_opens_the_invoices_that_it_counts():
    client = make_client()
    paid_late(client, 15, 16, 17, 18, 19)
    make_invoice(client=client, issue_date=date(2026, 9, 1))
    settle(make_invoice(client=client, issue_date=date(2026, 8, 2)), date(2026, 8, 20), by="credit")
    make_invoice(client=make_client(client_type=make_client_type("Other")))
    rule = make_rule(kind="type_delay", days=10, min_payments=5)
    (found,) = evaluate(rule, ON)
    opened = filter_invoices(
        client.invoices.all(),
        InvoiceFilter(
            state="issued",
            type=(client.client_type_id,),
            issued_from=date.fromisoformat(found.data["from"]),
            as_of=ON,
        ),
        ON,
    )
    assert opened.count() == found.data["paid"] + found.data["open"] == 7


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 300), st.integers(0, 60), st.none() | st.integers(0, 150), st.booleans()
        ),
        max_size=30,
    ),
    window=st.integers(7, 120),
    measure=st.sampled_from(["p50", "p75", "mean"]),
)
def test_the_moving_window_agrees_with_counting_every_day_anew(rows, window, measure):
    since, until = date(2026, 1, 1), date(2026, 6, 30)
    made = []
    for start, terms, lasted, by_money in rows:
        issued = date(2025, 10, 1) + timedelta(days=start)
        settled = None if lasted is None else issued + timedelta(days=lasted)
        made.append(
            type_delay.DelayRow(
                issued, issued + timedelta(days=terms), settled, settled if by_money else None, 1
            )
        )
    rule = AlertRule(kind="type_delay", window_days=window, measure=measure)
    inside = [r for r in made if since - timedelta(days=window) <= r.issued <= until]
    for day, found in type_delay.measured_by_day(rule, inside, since, until):
        paid, unfinished = {}, {}
        for row in made:
            if not day - timedelta(days=window) <= row.issued <= day:
                continue
            settled = row.settled if row.settled and row.settled <= day else None
            where = paid if settled and row.paid else unfinished
            key = ((settled or day) - row.due).days
            where[key] = where.get(key, 0) + 1
        assert found == measured(measure, Tally(paid, unfinished))


# ─ Won and not invoiced ─────────────────────────────────────────────────────────────────────────


def test_a_won_deal_is_told_of_until_it_is_drafted():
    rule = make_rule(kind="not_invoiced", days=7)
    deal = make_deal(won_on=ON - 8 * DAY)
    make_deal(won_on=ON - 7 * DAY)
    make_deal(won_on=ON - 90 * DAY, status="lost")
    set_aside = make_deal(won_on=ON - 90 * DAY)
    set_aside.set_aside_at = datetime(2026, 1, 1, tzinfo=UTC)
    set_aside.save()
    assert subjects(rule) == [deal.pk]
    draft = make_invoice(status="draft", deal=deal, total_minor=0, client=deal.client)
    type(draft).objects.filter(pk=draft.pk).update(created_at=timezone.now() - timedelta(days=999))
    assert subjects(rule) == []


def test_deals_of_the_old_system_and_small_ones_are_left_out(company):
    make_company(billing_starts_on=ON - 60 * DAY)
    rule = make_rule(kind="not_invoiced", days=7, amount_minor=1000_00)
    make_deal(won_on=ON - 61 * DAY, value_minor=5000_00)
    make_deal(won_on=ON - 20 * DAY, value_minor=1000_00)
    large = make_deal(won_on=ON - 60 * DAY, value_minor=1000_01)
    assert subjects(rule) == [large.pk]


# ─ When it speaks ───────────────────────────────────────────────────────────────────────────────


def test_a_second_run_of_the_day_says_nothing_twice():
    make_rule(recipients={"emails": ["boss@kerlann.example"]})
    due(40)
    assert [len(fired.alerts) for fired in running.run(on=ON)] == [1]
    assert [len(fired.alerts) for fired in running.run(on=ON)] == [0]
    assert Alert.objects.count() == 1
    assert Message.objects.count() == 1


def test_it_is_quiet_for_the_cool_down_and_then_speaks_again_if_it_still_holds():
    make_rule(cooldown_days=30)
    due(40)
    days = [ON + n * DAY for n in range(61) if running.run(on=ON + n * DAY)[0].alerts]
    assert days == [ON, ON + 30 * DAY, ON + 60 * DAY]
    assert sorted(Alert.objects.values_list("state", flat=True)) == [
        "acknowledged", "acknowledged", "new",
    ]  # fmt: skip


def test_without_a_cool_down_it_speaks_once_an_episode():
    make_rule(cooldown_days=0)
    due(40)
    running.run(on=ON)
    assert not running.run(on=ON + 300 * DAY)[0].alerts


@pytest.mark.parametrize("cooldown", [0, 60])
def test_a_type_that_recovers_and_slips_again_is_told_of_again_at_once(cooldown):
    client = make_client()
    make_rule(
        kind="type_delay", days=10, measure="p50", min_payments=5, window_days=60,
        cooldown_days=cooldown,
    )  # fmt: skip
    paid_late(client, 20, 20, 20, 20, 20, issued=date(2026, 1, 5))
    paid_late(client, *[0] * 12, issued=date(2026, 2, 1))
    paid_late(client, *[30] * 20, issued=date(2026, 3, 10))
    days = []
    day = date(2026, 1, 1)
    while day < date(2026, 6, 1):
        (fired,) = running.run(on=day)
        days += [alert.fired_on for alert in fired.alerts]
        day += DAY
    assert len(days) == 2
    told = Alert.objects.order_by("fired_on")
    assert [alert.episode_started_on for alert in told] == days
    assert len({alert.reason_key for alert in told}) == 2


@pytest.mark.parametrize(("kind", "fields"), [
    ("overdue", {"days": 10}),
    ("habit", {"days": 10, "measure": "p75", "window_days": 730, "min_payments": 5}),
])  # fmt: skip
def test_what_was_paid_bounced_and_is_late_again_is_told_of_again(kind, fields):
    client = make_client()
    paid_late(client, 0, 0, 0, 0, 0, issued=date(2026, 1, 10))
    make_rule(kind=kind, cooldown_days=0, **fields)
    invoice = due(100, client=client)
    running.run(on=ON - 80 * DAY)
    bounce(pay_part(invoice, invoice.total_minor, ON - 70 * DAY), ON - 20 * DAY)
    running.run(on=ON - 60 * DAY)
    running.run(on=ON)
    running.run(on=ON + DAY)
    told = Alert.objects.order_by("fired_on")
    assert [alert.fired_on for alert in told] == [ON - 80 * DAY, ON]
    assert told[1].episode_started_on == ON - 20 * DAY


def test_an_alert_of_before_episodes_were_kept_is_carried_on():
    rule = make_rule(cooldown_days=7)
    invoice = due(40)
    running.run(on=ON)
    Alert.objects.update(reason_key=f"overdue:{rule.pk}:{invoice.pk}:1")
    assert not running.run(on=ON + 6 * DAY)[0].alerts
    (alert,) = running.run(on=ON + 7 * DAY)[0].alerts
    assert alert.episode_started_on == Alert.objects.get(fired_on=ON).episode_started_on


def test_a_week_without_a_worker_is_caught_up_with_one_alert():
    make_rule(days=30, cooldown_days=2)
    due(31)
    assert len(running.run(on=ON + 9 * DAY)[0].alerts) == 1
    assert Alert.objects.get().fired_on == ON + 9 * DAY


def test_a_rule_that_is_off_says_nothing():
    make_rule(active=False)
    due(40)
    assert running.run(on=ON) == []


def test_a_rule_that_fails_does_not_keep_the_others_from_speaking():
    broken = make_rule(name="broken")
    AlertRule.objects.filter(pk=broken.pk).update(kind="gone")
    make_rule(name="sound")
    due(40)
    with pytest.raises(running.SomeRulesFailed, match="1 of 2"):
        running.run(on=ON)
    assert Alert.objects.count() == 1


def test_the_rule_that_was_changed_meanwhile_is_evaluated_as_it_is_now():
    rule = make_rule(days=30)
    due(40)
    rules.switch_rule(rule_id=rule.pk, active=False)
    assert not running.run_rule(rule_id=rule.pk, on=ON).alerts


# ─ Who is told ──────────────────────────────────────────────────────────────────────────────────


def test_each_recipient_gets_one_mail_in_their_language_and_owners_only_what_is_theirs():
    seller, other = make_user(role="sales"), make_user(role="sales", language="fr")
    boss = make_user(role="manager", language="fr")
    due(40, owner=seller, total_minor=100_00)
    due(41, owner=other)
    due(42)
    make_rule(
        name="Late ones",
        recipients={"emails": ["a@b.example", boss.email.upper()], "users": [boss.pk], "owner": 1},
    )
    (fired,) = running.run(on=ON)
    assert fired.mails == Message.objects.count() == 4
    mails = {message.to[0].lower(): message for message in Message.objects.all()}
    assert set(mails) == {"a@b.example", boss.email, seller.email, other.email}
    assert "3" in mails["a@b.example"].subject
    assert "owes €100.00" in mails[seller.email].subject
    assert mails[seller.email].language == "en"
    assert mails[other.email].language == "fr"
    assert "/alerts/" in kinds.words_of(mails[boss.email]).text


def test_the_finance_team_is_told_and_those_who_left_are_not(clerk):
    make_user(role=User.Role.FINANCE, is_active=False)
    due(40)
    make_rule(recipients={"roles": ["finance"]})
    running.run(on=ON)
    assert Message.objects.get().to == [clerk.email]


def test_something_new_on_the_same_day_is_told_in_a_mail_of_its_own():
    make_rule(recipients={"emails": ["a@b.example"]})
    due(40)
    running.run(on=ON)
    due(50)
    running.run(on=ON)
    assert Message.objects.count() == 2
    assert len(set(Message.objects.values_list("reason_key", flat=True))) == 2


def test_a_long_list_is_told_in_part_with_a_number_for_the_rest():
    make_rule(recipients={"emails": ["a@b.example"]})
    client = make_client(name="N" * 250)
    for n in range(30):
        due(40 + n, client=client)
    running.run(on=ON)
    message = Message.objects.get()
    assert "And 5 more." in kinds.words_of(message).text
    assert len(message.subject) <= 250


def test_markup_in_a_name_stays_text_in_the_mail():
    make_rule(recipients={"emails": ["a@b.example"]})
    due(40, client=make_client(name="<script>alert(1)</script> {{ 7 }} & Co"))
    running.run(on=ON)
    message = Message.objects.get()
    assert "<script>" not in kinds.words_of(message).html
    assert "{{ 7 }} & Co" in kinds.words_of(message).text


def test_a_wrong_address_keeps_neither_alert_nor_other_mails_back():
    make_rule(recipients={"emails": ["not an address", "a@b.example"]})
    due(40)
    running.run(on=ON)
    assert Alert.objects.count() == Message.objects.count() == 1


# ─ Handling ─────────────────────────────────────────────────────────────────────────────────────


def test_a_snoozed_alert_comes_back_on_its_day_and_the_rule_is_silent_until_then(clerk):
    make_rule(cooldown_days=5)
    due(40)
    running.run(on=ON)
    alert = Alert.objects.get()
    inbox.snooze(alert_id=alert.pk, until=ON + 20 * DAY, by=clerk, on=ON)
    assert not Alert.objects.filter(inbox.waiting(ON)).exists()
    assert not running.run(on=ON + 10 * DAY)[0].alerts
    assert Alert.objects.filter(inbox.waiting(ON + 20 * DAY)).exists()
    assert running.run(on=ON + 20 * DAY)[0].alerts
    alert.refresh_from_db()
    assert (alert.state, alert.snoozed_until) == ("acknowledged", None)


def test_a_snooze_must_end_after_today_and_within_a_year(clerk):
    make_rule()
    due(40)
    running.run(on=ON)
    alert = Alert.objects.get()
    for until in (ON, ON + 400 * DAY):
        with pytest.raises(inbox.AlertRefused):
            inbox.snooze(alert_id=alert.pk, until=until, by=clerk, on=ON)
    inbox.acknowledge(alert_id=alert.pk, by=clerk)
    with pytest.raises(inbox.AlertRefused, match="acknowledged before"):
        inbox.snooze(alert_id=alert.pk, until=ON + DAY, by=clerk, on=ON)


def test_the_first_who_acknowledges_stands(clerk):
    make_rule()
    due(40)
    running.run(on=ON)
    alert = Alert.objects.get()
    inbox.acknowledge(alert_id=alert.pk, by=clerk)
    inbox.acknowledge(alert_id=alert.pk, by=make_user())
    alert.refresh_from_db()
    assert alert.handled_by == clerk


def test_a_rule_that_spoke_is_kept():
    rule = make_rule()
    due(40)
    running.run(on=ON)
    with pytest.raises(inbox.AlertRefused, match="switch it off"):
        rules.delete_rule(rule_id=rule.pk)
    rules.delete_rule(rule_id=make_rule().pk)


# ─ The command ──────────────────────────────────────────────────────────────────────────────────


def test_the_command_writes_or_only_says_what_it_would(capsys):
    make_rule(recipients={"emails": ["a@b.example"]})
    due(40, client=make_client(name="Métallurgie du Rhône"))
    call_command("run_alerts", "--on", str(ON), "--dry-run", "--format", "json")
    told = json.loads(capsys.readouterr().out)
    assert (told["alerts"], told["mails"], told["dry_run"]) == (1, 0, True)
    assert "Métallurgie du Rhône" in told["rules"][0]["alerts"][0]["says"]
    assert not Alert.objects.exists()
    call_command("run_alerts", "--on", str(ON))
    assert "1 rules on 2026-11-24: 1 alerts written, 1 mails queued." in capsys.readouterr().out
    assert Alert.objects.count() == 1


# ─ Two at once ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_write_each_alert_and_each_mail_once():
    make_company()
    make_rule(recipients={"emails": ["a@b.example"]})
    for n in range(5):
        due(40 + n)
    start, errors = threading.Barrier(3), []

    def work():
        try:
            start.wait()
            running.run(on=ON)
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert Alert.objects.count() == 5
    assert Message.objects.count() == 1


def test_the_number_of_queries_does_not_depend_on_the_rows(django_assert_max_num_queries):
    make_rule(recipients={"emails": ["a@b.example"], "owner": True})
    owner = make_user()
    for n in range(3):
        due(40 + n, owner=owner)
    with django_assert_max_num_queries(45):
        running.run(on=ON)
    for n in range(40):
        due(40 + n, owner=owner)
    with django_assert_max_num_queries(45):
        running.run(on=ON)


@pytest.mark.parametrize("measure", ["p50", "p75", "mean"])
def test_a_rule_measures_what_the_delay_report_says_on_that_day(measure):
    import random

    from reports.delays.measuring import Scope
    from reports.delays.plain import measure as report

    chance = random.Random(7)
    clients = [make_client(client_type=make_client_type(name)) for name in ("SME", "Start-up")]
    for _ in range(60):
        issued = date(2026, 1, 1) + chance.randrange(250) * DAY
        invoice = make_invoice(
            client=chance.choice(clients), issue_date=issued, due_date=issued + 30 * DAY
        )
        if chance.random() < 0.7:
            settle(
                invoice,
                issued + chance.randrange(1, 120) * DAY,
                by="payment" if chance.random() < 0.9 else "credit",
            )
    rule = AlertRule(kind="type_delay", measure=measure, window_days=120)
    by_type = type_delay.delays_by_day(rule, date(2026, 6, 1), date(2026, 8, 31))
    for on in (date(2026, 6, 1), date(2026, 7, 15), date(2026, 8, 31)):
        told = report(Scope(as_of=on, issued_from=on - 120 * DAY), "client_type")
        assert len(told.groups) == 2
        for group in told.groups:
            found = dict(by_type[group.key])[on]
            assert (found.paid, found.paid + found.open) == (group.late.n_paid, group.late.n)
            if measure == "mean":
                assert abs(found.value - Decimal(float(group.late.mean))) < Decimal("0.06")
            else:
                assert found.value == getattr(group.late.curve, measure)
