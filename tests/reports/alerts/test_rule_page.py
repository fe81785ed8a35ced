"""What the page of a rule says to who may change it, and to who may not."""

from __future__ import annotations

from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from billing_portal.idempotency import new_key
from reports.alerts import running
from reports.alerts.previews import _numbers
from reports.models import Alert
from tests.factories import make_company, make_invoice, make_rule, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def company(db):
    return make_company(language="en")


def test_what_is_wrong_stands_below_the_sentence_and_not_in_it(clerk_client):
    typed = {"kind": "overdue", "days": "abc", "cooldown_days": "30", "once": new_key()}
    page = clerk_client.post(reverse("reports:rule-new"), typed).text
    sentence = page.split("Tell when</b>")[1].split("</div>")[0]
    before, wrong = sentence.split('id="id_days-e"')
    assert "of it is open" in before
    assert "<b>Days</b>" in wrong


def test_who_may_not_change_a_rule_reads_it_in_words_and_who_may(manager_client, clerk_client):
    url = reverse("reports:rule", args=[make_rule(days=30, amount_minor=10_000_00).pk])
    told = "the finance team and administrators change it"
    page = manager_client.get(url).text
    assert told in page
    assert "An invoice with over €10,000.00 open is overdue by more than 30 days." in page
    assert told not in clerk_client.get(url).text


def test_the_page_says_who_is_told_and_cannot_sign_in(clerk_client, admin_client):
    seller = make_user(name="Camille Riou")
    seller.set_unusable_password()
    seller.save()
    make_invoice(owner=seller)
    rule = make_rule(recipients={"owner": True})
    url = reverse("reports:rule", args=[rule.pk])
    told = "Camille Riou has no password yet"
    assert told in clerk_client.get(url).text
    assert reverse("accounts:people") in admin_client.get(url).text.split(told)[1]
    rule.recipients = {"users": []}
    rule.save()
    assert told not in clerk_client.get(url).text


def test_an_amount_of_an_address_is_written_as_the_reader_types_it(clerk_client, clerk):
    clerk.language = "fr"
    clerk.save()
    url = reverse("reports:rule-new")
    assert 'value="1500,50"' in clerk_client.get(f"{url}?kind=overdue&amount=1500.50").text


def test_numbers_of_close_alerts_are_written_once():
    fires = [(10.0, 40.0, 1), (12.0, 30.0, 2), (40.0, 20.0, 3)]
    assert _numbers(fires) == [("11.00%", "30.0", "1–2"), ("40.00%", "20.0", "3")]


def test_the_day_of_a_snooze_is_not_called_optional(clerk_client):
    make_rule(days=30)
    make_invoice(issue_date=date(2026, 1, 1), due_date=date(2026, 2, 1))
    running.run(on=timezone.localdate())
    url = reverse("reports:snooze", args=[Alert.objects.get().pk])
    assert "optional" not in clerk_client.get(url).text
