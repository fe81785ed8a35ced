"""The inbox and the rules, as people use them: with htmx, without script, in each role."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from billing_portal.idempotency import new_key
from reports.alerts import inbox, running
from reports.alerts.kinds.registry import KINDS
from reports.alerts.words import name_of
from reports.models import Alert, AlertRule
from tests.confirm import confirm
from tests.factories import (
    make_client,
    make_client_type,
    make_company,
    make_invoice,
    make_rule,
    make_user,
    settle,
)

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def company(db):
    return make_company(language="en")


def today():
    return timezone.localdate()


def late(days=45, **fields):
    due = today() - timedelta(days=days)
    return make_invoice(issue_date=due - timedelta(days=30), due_date=due, **fields)


def fire(number=1, **client):
    rule = make_rule(name="Large and late")
    for n in range(number):
        late(45 + n, client=make_client(**client))
    running.run(on=today())
    return rule


def rule_fields(**fields):
    return {
        "kind": "overdue", "name": "Late", "days": "30", "amount": "1.000,50",
        "cooldown_days": "30", "finance": "on", "emails": "a@b.example; c@d.example",
        "once": new_key(), **fields,
    }  # fmt: skip


def test_the_inbox_tells_each_alert_in_a_sentence_that_opens_its_rows(clerk_client):
    fire(name="Verreries & Fils")
    page = clerk_client.get(reverse("reports:alerts")).text
    assert "Verreries &amp; Fils owes €120.00, 45 days late" in page
    assert "Acknowledge" in page


def test_acknowledging_takes_it_out_of_the_inbox_with_and_without_script(clerk_client, clerk):
    fire(2)
    first, second = Alert.objects.order_by("pk")
    plain = clerk_client.post(reverse("reports:acknowledge", args=[first.pk]))
    assert plain.status_code == 302
    answer = clerk_client.post(reverse("reports:acknowledge", args=[second.pk]), headers=HTMX)
    assert "Nothing new" in answer.text
    assert "<html" not in answer.text
    assert "counts-changed" in answer.headers["HX-Trigger"]
    assert set(Alert.objects.values_list("state", "handled_by")) == {("acknowledged", clerk.pk)}
    done = clerk_client.get(reverse("reports:alerts") + "?state=done").text
    assert "acknowledged by Maëlle Kervadec" in done


def test_all_of_a_rule_are_acknowledged_at_once_but_none_that_came_later(
    clerk_client, manager_client
):
    rule = fire(3)
    shown = clerk_client.get(reverse("reports:alerts"), {"rule": rule.pk}).text
    assert "Acknowledge all 3" in shown
    newest = Alert.objects.order_by("pk").last().pk
    assert f'name="up_to" value="{newest}"' in shown
    late(80)
    running.run(on=today())
    url = reverse("reports:acknowledge-all", args=[rule.pk])
    assert manager_client.post(url, {"up_to": newest}).status_code == 403
    clerk_client.post(url, {"up_to": "x"})
    assert Alert.objects.filter(state="new").count() == 4
    clerk_client.post(url, {"up_to": newest})
    assert Alert.objects.filter(state="new").count() == 1


def test_an_acknowledged_alert_can_go_back_to_new(clerk_client, clerk):
    fire()
    alert = Alert.objects.get()
    inbox.acknowledge(alert_id=alert.pk, by=clerk)
    clerk_client.post(reverse("reports:reopen", args=[alert.pk]))
    assert Alert.objects.get().state == "new"


def test_snoozing_by_a_preset_and_by_a_day(clerk_client):
    fire(2)
    first, second = Alert.objects.order_by("pk")
    url = reverse("reports:snooze", args=[first.pk])
    assert "In a week" in clerk_client.get(url, headers=HTMX).text
    assert "<html" in clerk_client.get(url).text
    assert clerk_client.post(url, {"days": "7"}).status_code == 303
    day = today() + timedelta(days=3)
    answer = clerk_client.post(
        reverse("reports:snooze", args=[second.pk]),
        {"until": day.strftime("%d/%m/%Y")},
        headers=HTMX,
    )
    assert answer.headers["HX-Redirect"] == reverse("reports:alerts")
    assert sorted(Alert.objects.values_list("snoozed_until", flat=True)) == [
        day, today() + timedelta(days=7),
    ]  # fmt: skip
    assert "snoozed until" in clerk_client.get(reverse("reports:alerts") + "?state=snoozed").text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"until": "yesterday"}, "a day after today"),
        ({"until": "31/02/2027"}, "There is no day 31"),
        ({"until": "soon"}, "is not a date"),
        ({}, "Say until when."),
    ],
)
def test_a_snooze_that_cannot_be_is_refused_with_a_sentence(clerk_client, given, said):
    fire()
    alert = Alert.objects.get()
    answer = clerk_client.post(reverse("reports:snooze", args=[alert.pk]), given, headers=HTMX)
    assert answer.status_code == 422
    assert said in answer.text
    assert Alert.objects.get().state == "new"


def test_managers_read_alerts_and_rules_and_change_neither(manager_client):
    rule = fire()
    alert = Alert.objects.get()
    page = manager_client.get(reverse("reports:alerts")).text
    assert "Acknowledge</" not in page.replace("Acknowledged", "")
    assert manager_client.get(reverse("reports:rule", args=[rule.pk])).status_code == 200
    for name in ("acknowledge", "snooze", "reopen"):
        url = reverse(f"reports:{name}", args=[alert.pk])
        assert manager_client.post(url).status_code == 403
    assert manager_client.get(reverse("reports:rule-new")).status_code == 403
    assert manager_client.post(reverse("reports:rule-switch", args=[rule.pk])).status_code == 403


def test_an_invoice_that_was_paid_since_says_so(clerk_client):
    fire()
    settle(Alert.objects.get().invoice, today())
    page = clerk_client.get(reverse("reports:alerts") + "?state=ended").text
    assert "Settled since" in page


def test_the_inbox_pages_and_its_queries_do_not_depend_on_the_rows(
    clerk_client, django_assert_max_num_queries
):
    fire(30)
    clerk_client.get(reverse("reports:alerts"))
    with django_assert_max_num_queries(10):
        page = clerk_client.get(reverse("reports:alerts")).text
    assert "1–25 of 30" in page


def test_rules_that_are_named_by_their_client_type_cost_no_query_each(
    clerk_client, django_assert_max_num_queries
):
    data = {"measure": "p50", "value": "20", "longest": 90, "paid": 30, "open": 2, "threshold": 5,
            "from": "2026-01-01", "on": str(today())}  # fmt: skip
    for n in range(8):
        kind = make_client_type(f"Type {n}")
        rule = make_rule(name="", kind="type_delay", client_type=kind, window_days=180)
        Alert.objects.create(
            rule=rule, client_type=kind, data=data, fired_on=today(), episode_started_on=today(),
            reason_key=f"type_delay:{n}",
        )  # fmt: skip
    clerk_client.get(reverse("reports:alerts"))
    with django_assert_max_num_queries(10):
        page = clerk_client.get(reverse("reports:alerts")).text
    assert "Type 7: paid more than 30 days late" in page


# ─ Rules ────────────────────────────────────────────────────────────────────────────────────────


def test_a_rule_is_made_as_it_is_typed_and_switched_on(clerk_client, clerk):
    url = reverse("reports:rule-new")
    assert "What should be watched?" in clerk_client.get(url).text
    assert "Tell when" in clerk_client.get(url + "?kind=overdue").text
    answer = clerk_client.post(url, rule_fields(users=[clerk.pk], switch="on"))
    rule = AlertRule.objects.get()
    assert answer.status_code == 303
    assert answer["Location"] == reverse("reports:rule", args=[rule.pk])
    assert (rule.active, rule.days, rule.amount_minor) == (True, 30, 1000_50)
    assert rule.recipients == {
        "emails": ["a@b.example", "c@d.example"],
        "users": [clerk.pk],
        "owner": False,
        "roles": ["finance"],
    }
    assert rule.created_by == clerk


def test_a_new_rule_is_off_until_it_is_switched_on(clerk_client):
    clerk_client.post(reverse("reports:rule-new"), rule_fields(switch="off"))
    rule = AlertRule.objects.get()
    assert not rule.active
    clerk_client.post(reverse("reports:rule-switch", args=[rule.pk]), {"active": "1"})
    rule.refresh_from_db()
    assert rule.active
    assert "Late" in clerk_client.get(reverse("reports:rules")).text


def test_the_same_form_sent_twice_makes_one_rule(clerk_client):
    for _ in range(2):
        clerk_client.post(reverse("reports:rule-new"), rule_fields(once="k" * 20))
    assert AlertRule.objects.count() == 1


def test_saving_a_rule_that_is_on_leaves_it_on(clerk_client):
    rule = make_rule(kind="habit", measure="p75", days=3)
    fields = {
        "name": "Habit", "measure": "p50", "window_days": "365", "min_payments": "8", "days": "12",
        "cooldown_days": "20", "once": new_key(),
    }  # fmt: skip
    page = clerk_client.get(reverse("reports:rule", args=[rule.pk])).text
    assert 'value="3"' in page
    clerk_client.post(reverse("reports:rule", args=[rule.pk]), fields)
    rule.refresh_from_db()
    assert (rule.active, rule.measure, rule.days, rule.min_payments) == (True, "p50", 12, 8)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"days": "-1"}, "At least 0"),
        ({"days": "many"}, "is not a number"),
        ({"days": "99999999999999999999"}, "more than 18 digits"),
        ({"amount": "-5"}, "At least 0"),
        ({"amount": "1.234.567.890.123,00"}, "that large"),
        ({"amount": "a lot"}, "is not a number"),
        ({"emails": "nobody"}, "is not an email address"),
        ({"emails": " ".join(f"a{n}@b.example" for n in range(21))}, "mailing list"),
        ({"users": ["999999"]}, "999999"),
    ],
)
def test_a_rule_that_cannot_be_comes_back_with_a_sentence(clerk_client, fields, said):
    answer = clerk_client.post(reverse("reports:rule-new"), rule_fields(**fields))
    assert answer.status_code == 422
    assert said in answer.text
    assert not AlertRule.objects.exists()


def test_the_preview_answers_what_is_typed_and_saves_nothing(clerk_client):
    late(45, client=make_client(name="Métallurgie du Rhône"), total_minor=2000_00)
    settle(late(200, total_minor=5000_00), today() - timedelta(days=100))
    url = reverse("reports:rule-try")
    answer = clerk_client.get(url, rule_fields(name=""), headers=HTMX).text
    assert "Would have fired 6 times in 12 months" in answer or "Would have fired" in answer
    assert "Métallurgie du Rhône owes €2,000.00" in answer
    assert "Today it holds for one." in answer
    none = clerk_client.get(url, rule_fields(days="1000"), headers=HTMX).text
    assert "Would not have fired in 12 months" in none
    wrong = clerk_client.get(url, rule_fields(days="x"), headers=HTMX)
    assert wrong.status_code == 200
    assert "cannot be tried yet" in wrong.text
    assert not AlertRule.objects.exists()
    assert clerk_client.get(url, {"kind": "nonsense"}).status_code == 404


def test_a_rule_without_a_name_of_its_own_is_called_by_what_it_watches(clerk_client, clerk):
    url = reverse("reports:rule-new")
    # Nothing stands in the field that would keep the figures with which the page began.
    page = clerk_client.get(url, {"kind": "overdue"}).text
    (field,) = re.findall(r'<input[^>]*name="name"[^>]*>', page)
    assert 'placeholder="Named after what it watches"' in field
    assert "value=" not in field
    habit = make_rule(name="", kind="habit", days=7)
    assert name_of(habit, "EUR") == "More than 7 days later than its own habit"
    habit.delete()
    clerk_client.post(url, rule_fields(name="", switch="on"))
    proposed = rule_fields(name="More than 31 days late and above €1,000.50", days="31")
    clerk_client.post(url, proposed)
    assert set(AlertRule.objects.values_list("name", flat=True)) == {""}
    page = clerk_client.get(reverse("reports:rules")).text
    assert "More than 30 days late and above €1,000.50" in page
    clerk.language = "fr"
    clerk.save()
    assert (
        "Plus de 30 jours de retard et plus de" in clerk_client.get(reverse("reports:rules")).text
    )


def test_what_it_would_say_at_once_leaves_out_what_it_said(clerk_client):
    rule = fire(2)
    url = reverse("reports:rule", args=[rule.pk])
    assert "all of which were told of already" in clerk_client.get(url).text
    late(60, client=make_client(name="Menuiserie Kerleroux"))
    page = clerk_client.get(url).text
    assert "It has one thing to say now" in page
    assert "Menuiserie Kerleroux owes" in page
    fields = {**rule_fields(), "rule": rule.pk, "amount": ""}
    tried = clerk_client.get(reverse("reports:rule-try"), fields, headers=HTMX).text
    assert "It has one thing to say now" in tried
    fresh = clerk_client.get(reverse("reports:rule-try"), {**fields, "rule": ""}).text
    assert "It has 3 things to say now" in fresh


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_can_be_made_from_its_first_page(clerk_client, kind):
    page = clerk_client.get(reverse("reports:rule-new"), {"kind": kind})
    assert page.status_code == 200
    assert "in 12 months" in page.text


def test_the_report_may_prefill_a_rule(clerk_client):
    client = make_client()
    page = clerk_client.get(
        reverse("reports:rule-new"),
        {"kind": "type_delay", "client_type": client.client_type_id, "measure": "p75",
         "days": "17", "window_days": "90"},
    )  # fmt: skip
    assert f'<option value="{client.client_type_id}" selected>' in page.text
    assert '<option value="p75" selected>' in page.text
    assert 'value="17"' in page.text
    odd = {"kind": "type_delay", "client_type": "x", "measure": "?", "days": "y" * 300}
    assert clerk_client.get(reverse("reports:rule-new"), odd).status_code == 200


def test_the_list_of_rules_says_how_often_each_would_have_fired(clerk_client, manager_client):
    rule = make_rule(days=30, cooldown_days=0)
    late(45)
    assert clerk_client.get(reverse("reports:rule-tried", args=[rule.pk])).text == "1 time"
    assert manager_client.get(reverse("reports:rules")).status_code == 200


def test_a_rule_that_never_fired_can_be_deleted_and_one_that_did_is_kept(clerk_client):
    rule = fire()
    shown = reverse("reports:rule", args=[rule.pk])
    confirm(clerk_client, reverse("reports:rule-delete", args=[rule.pk]), at=shown)
    assert AlertRule.objects.filter(pk=rule.pk).exists()
    fresh = make_rule(name="Fresh")
    shown = reverse("reports:rule", args=[fresh.pk])
    confirm(clerk_client, reverse("reports:rule-delete", args=[fresh.pk]), at=shown)
    assert not AlertRule.objects.filter(pk=fresh.pk).exists()


def test_markup_and_braces_in_names_stay_text(clerk_client):
    fire(name='<img src=x onerror="alert(1)">{% now "Y" %}')
    make_rule(name="<b>bold</b>")
    assert "<img" not in clerk_client.get(reverse("reports:alerts")).text
    assert "<b>bold" not in clerk_client.get(reverse("reports:rules")).text


def test_pages_speak_french(clerk, clerk_client):
    fire()
    clerk.language = "fr"
    clerk.save()
    for name in ("alerts", "rules", "desk", "rule-new"):
        assert clerk_client.get(reverse(f"reports:{name}")).status_code == 200


def test_a_rule_of_long_ago_is_tried_without_an_error(clerk_client):
    make_invoice(issue_date=date(2001, 1, 1))
    rule = make_rule(days=3000, cooldown_days=1)
    make_user()
    assert clerk_client.get(reverse("reports:rule", args=[rule.pk])).status_code == 200


def test_the_day_of_a_rule_stays_on_one_line(clerk_client):
    day = date(2026, 11, 24)
    Alert.objects.create(
        rule=make_rule(),
        invoice=make_invoice(),
        fired_on=day,
        episode_started_on=day,
        reason_key="x",
        data={},
    )
    text = clerk_client.get(reverse("reports:rules")).text
    assert re.search(r'<td class="[^"]*text-nowrap"><?[^>]*>?24\s', text)
