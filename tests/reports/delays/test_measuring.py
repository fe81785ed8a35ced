from __future__ import annotations

import json
from datetime import date, timedelta
from fractions import Fraction
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from invoices.models import ClientType
from reports.cells import rounded
from reports.delays.estimator import Curve
from reports.delays.measuring import Scope
from reports.delays.plain import measure
from reports.delays.slices import slices
from tests.factories import make_client, make_client_type, make_company, make_invoice, make_user
from tests.reports.golden import AS_OF, make_golden_set, pay

pytestmark = pytest.mark.django_db


def shares(curve: Curve) -> dict[int, Fraction]:
    return {step.day: step.share for step in curve.steps}


def test_the_golden_set_has_its_percentiles_and_means():
    make_golden_set()
    group = measure(Scope(AS_OF), "client_type").total
    seven_eighths = [Fraction(7, 8), Fraction(7, 12), Fraction(7, 16), Fraction(7, 32)]
    assert shares(group.to_pay.curve) == dict(zip([28, 35, 40, 50], seven_eighths, strict=True))
    assert shares(group.late.curve) == dict(zip([-2, 5, 10, 20], seven_eighths, strict=True))
    late, to_pay = group.late, group.to_pay
    assert (late.curve.p50, late.curve.p75, late.curve.p90) == (10, 20, None)
    assert (to_pay.curve.p50, to_pay.curve.p75, to_pay.curve.p90) == (40, 50, None)
    assert (rounded(late.mean), rounded(to_pay.mean)) == (7.6, 37.6)
    assert rounded(late.weighted_mean) == 8.31
    assert (late.n, late.n_paid, late.open, late.overdue) == (9, 5, 4, 2)


def test_the_golden_set_by_payment_slices():
    make_golden_set()
    found = slices(Scope(AS_OF))
    assert rounded(found.days_late) == 7.01
    assert rounded(found.days_to_pay) == 37.01
    assert rounded(found.signed) == 16.64
    assert rounded(found.beyond_terms) == 16.79


def test_the_command_prints_the_golden_set():
    make_golden_set()
    out = StringIO()
    call_command(
        "payment_delays",
        "--by",
        "client_type",
        "--as-of",
        "2026-09-30",
        "--format",
        "json",
        stdout=out,
    )
    behind = {"n": 9, "events": 5, "note": "few"}
    reached = {"p50_state": "reached", "p50_beyond": None, "p75_state": "reached"}
    figures = {
        "n": 9,
        "paid": 5,
        "open": 4,
        "closed_unpaid": 0,
        "days_late": {
            **behind,
            "mean_paid": 7.6,
            "weighted_mean_paid": 8.31,
            "paid_without_rate": 0,
            "p50": 10,
            **reached,
            "p75": 20,
            "p75_beyond": None,
            "p90": None,
            "p90_state": "not_reached",
            "p90_beyond": 5,
        },
        "days_to_pay": {
            **behind,
            "mean_paid": 37.6,
            "weighted_mean_paid": 38.31,
            "paid_without_rate": 0,
            "p50": 40,
            **reached,
            "p75": 50,
            "p75_beyond": None,
            "p90": None,
            "p90_state": "not_reached",
            "p90_beyond": 35,
        },
    }
    client_type = ClientType.objects.get().pk
    expected = {
        "as_of": "2026-09-30",
        "issued_from": "2026-06-15",
        "issued_to": "2026-09-30",
        "by": "client_type",
        "client_types": "at_issue",
        "groups": [{"id": client_type, "group": "SME", **figures}],
        "total": figures,
    }
    assert json.loads(out.getvalue()) == expected


@pytest.mark.parametrize(
    ("given", "span"),
    [
        ([], "from 2026-06-15 to 2026-09-30"),
        (["--from", "2026-07-01"], "from 2026-07-01 to 2026-09-30"),
        (["--to", "2026-08-31"], "from 2026-06-15 to 2026-08-31"),
    ],
)
def test_the_command_says_from_which_day_to_which_its_invoices_are(given, span):
    make_golden_set()
    out = StringIO()
    call_command("payment_delays", "--as-of", "2026-09-30", *given, stdout=out)
    assert f"Days late, invoices issued {span}, as of 2026-09-30." in out.getvalue()


@pytest.mark.parametrize("command", ["payment_delays", "receivables"])
def test_a_day_to_come_is_refused(command):
    make_company()
    with pytest.raises(CommandError, match="2199-01-01 has not come yet"):
        call_command(command, "--as-of", "2199-01-01")


def test_a_percentile_with_four_payments_is_no_number_in_any_output(capsys):
    client = make_client(client_type=make_client_type("Few"))
    for days in (1, 2, 3, 4):
        pay(
            invoice := make_invoice(client=client, issue_date=date(2026, 6, 1)),
            invoice.total_minor,
            date(2026, 7, 1) + timedelta(days=days),
        )
    call_command("payment_delays", "--as-of", "2026-09-30", "--format", "json")
    late = json.loads(capsys.readouterr().out)["groups"][0]["days_late"]
    assert (late["p50"], late["p50_state"], late["note"]) == (None, "too_few", "too_few")
    call_command("payment_delays", "--as-of", "2026-09-30")
    assert "too few payments" in capsys.readouterr().out


def test_paid_invoices_without_a_rate_are_counted_beside_the_weighted_mean(capsys):
    make_company()
    for _n in range(6):
        invoice = make_invoice(currency="CHF", issue_date=date(2026, 6, 1))
        pay(invoice, invoice.total_minor, date(2026, 7, 5))
    call_command("payment_delays", "--as-of", "2026-09-30", "--format", "json")
    assert json.loads(capsys.readouterr().out)["total"]["days_late"]["paid_without_rate"] == 6
    call_command("payment_delays", "--as-of", "2026-09-30")
    assert "without 6 that have no exchange rate" in capsys.readouterr().out


def test_two_sellers_of_one_name_are_told_apart():
    make_company()
    for _n in range(2):
        make_invoice(owner=make_user(name="A"), issue_date=date(2026, 6, 1))
    found = measure(Scope(date(2026, 9, 30)), "owner")
    assert len({group.label for group in found.groups}) == 2
    assert all(group.label.startswith("A (") for group in found.groups)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--by", "colour"], "not by “colour”"),
        (["--as-of", "30/09/2026"], "“30/09/2026” is not a day"),
        (["--from", "2026-10-01", "--to", "2026-09-01"], "starts on 2026-10-01, after its end"),
        (["--format", "xml"], "not “xml”"),
    ],
)
def test_the_command_refuses_bad_input_with_a_sentence(given, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command("payment_delays", *given)


def test_a_past_day_sees_later_payments_as_open():
    make_golden_set()
    group = measure(Scope(date(2026, 8, 20)), "client_type").total
    # Z, A, B are paid; C waits for its rest, D to F are open; G and H are not issued yet.
    assert (group.late.n, group.late.n_paid, group.late.open) == (7, 3, 4)
