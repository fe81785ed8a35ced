"""Rates: late penalties, exchange, VAT."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from billing_portal.editing import sent_of
from billing_portal.idempotency import new_key
from invoices.company.forms.details import ExchangeRateForm, LatePenaltyRateForm
from invoices.company.forms.vat_rates import VatRateForm
from invoices.models import ExchangeRate, LatePenaltyRate
from tests.confirm import confirm
from tests.factories import make_client, make_company

pytestmark = pytest.mark.django_db


def test_rates_are_added_and_removed(admin_client):
    url = reverse("company:rates")
    admin_client.post(
        url,
        {
            "form": "penalty",
            "penalty-basis": "ecb",
            "penalty-starts_on": "1/7/2026",
            "penalty-percent": "12,15",
            "penalty-source": "ECB",
        },
    )
    rate = LatePenaltyRate.objects.get()
    assert str(rate.percent) == "12.150"
    admin_client.post(
        url,
        {
            "form": "exchange",
            "exchange-currency": "USD",
            "exchange-on": "2026-11-23",
            "exchange-rate": "0,8671",
            "exchange-source": "ECB",
        },
    )
    assert ExchangeRate.objects.get().on == date(2026, 11, 23)
    exchange = ExchangeRate.objects.get()
    for name, row in (("penalty_delete", rate), ("exchange_delete", exchange)):
        confirm(admin_client, reverse(f"company:{name}", args=[row.pk]), at=url)
    assert not LatePenaltyRate.objects.exists() and not ExchangeRate.objects.exists()


def test_a_second_rate_for_the_same_day_gets_a_sentence(admin_client):
    LatePenaltyRate.objects.create(starts_on=date(2026, 7, 1), percent=12, source="ECB")
    answer = admin_client.post(
        reverse("company:rates"),
        {
            "form": "penalty",
            "penalty-basis": "ecb",
            "penalty-starts_on": "1/7/2026",
            "penalty-percent": "200",
            "penalty-source": "",
        },
    )
    assert answer.status_code == 422
    assert "There is a rate from that day already" in answer.text
    assert "At most 100" in answer.text


def test_only_currencies_in_force_are_offered_and_those_in_use(admin_client):
    make_company()
    make_client(currency="HRK")
    page = admin_client.get(reverse("company:rates"))
    offered = {code for code, _name in page.context["exchange_form"].fields["currency"].choices}
    assert {"USD", "CHF", "XOF", "XPF", "HRK"} <= offered
    assert not {"FRF", "DEM", "BGN", "EUR", "XAU"} & offered


@pytest.mark.parametrize(
    ("percent", "sentence", "kept"),
    [("0", "cannot do without late penalties", 0), ("3", "is lower than the law’s", 1)],
)
def test_a_late_rate_under_the_law_is_refused_or_warned_about(
    admin_client, percent, sentence, kept
):
    make_company()
    entry = {"starts_on": "1/7/2026", "percent": percent, "source": "Ours", "basis": "contract"}
    data = {"form": "penalty", **{f"penalty-{name}": value for name, value in entry.items()}}
    page = admin_client.post(reverse("company:rates"), data, follow=True)
    assert sentence in page.text
    assert LatePenaltyRate.objects.count() == kept


PENALTY = {"basis": "ecb", "starts_on": "1/7/2026", "percent": "12.15", "source": "ECB"}
EXCHANGE = {"currency": "USD", "on": "1/7/2026", "rate": "0.9", "source": "ECB"}
VAT = {"territory": "metropole", "percent": "21", "starts_on": "1/1/2030", "source": "Law"}


@pytest.mark.parametrize(
    ("name", "form", "entry", "sentence"),
    [
        ("penalty", LatePenaltyRateForm, PENALTY, "There is a rate from that day already"),
        ("exchange", ExchangeRateForm, EXCHANGE, "There is a rate of this currency for that day"),
        ("vat", VatRateForm, VAT, "This rate is there from that day already"),
    ],
)
def test_a_rate_that_a_colleague_adds_in_that_very_moment_is_told(
    admin_client, monkeypatch, name, form, entry, sentence
):
    is_valid = form.is_valid

    def before_the_colleague(self):
        free = is_valid(self)
        if free:
            self._meta.model.objects.create(**{key: self.cleaned_data[key] for key in entry})
        return free

    monkeypatch.setattr(form, "is_valid", before_the_colleague)
    data = {"form": name, **{f"{name}-{key}": value for key, value in entry.items()}}
    answer = admin_client.post(reverse("company:rates"), data)
    assert answer.status_code == 422
    assert sentence in answer.text


def test_a_rate_of_a_day_to_come_is_refused_and_one_far_from_the_last_is_asked_about(admin_client):
    make_company()
    url = reverse("company:rates")
    given = {"form": "exchange", "exchange-currency": "USD", "exchange-source": "ECB"}
    tomorrow = timezone.localdate() + timedelta(days=1)
    page = admin_client.post(
        url, given | {"exchange-on": tomorrow.isoformat(), "exchange-rate": "0.9"}
    )
    assert page.status_code == 422 and "No rate is published for a day to come." in page.text
    for day, rate, warned in [(9, "0.9", False), (5, "90", True)]:
        on = (timezone.localdate() - timedelta(days=day)).isoformat()
        page = admin_client.post(
            url, given | {"exchange-on": on, "exchange-rate": rate}, follow=True
        )
        assert ("is far from the rate before it" in page.text) is warned
    late = {"starts_on": "2099-01-01", "percent": "12", "source": "ECB", "basis": "ecb"}
    given = {"form": "penalty", **{f"penalty-{name}": value for name, value in late.items()}}
    page = admin_client.post(url, given)
    assert page.status_code == 422 and "is the year right?" in page.text


def test_share_capital_is_an_amount(admin_client):
    make_company()
    url = reverse("company:details")
    for text in ("-5", "abc"):
        form = admin_client.get(url)
        sent = {name: sent_of(form.context["form"][name]) for name in form.context["form"].fields}
        sent |= {"shown": re.search(r'name="shown" value="([^"]*)"', form.text)[1]}
        page = admin_client.post(url, sent | {"capital": text, "once": new_key()})
        assert page.status_code == 422 and "Write an amount" in page.text
