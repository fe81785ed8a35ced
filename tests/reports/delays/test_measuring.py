from __future__ import annotations

import json
from datetime import date
from fractions import Fraction
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from reports.cells import rounded
from reports.delays.estimator import Curve
from reports.delays.measuring import Scope
from reports.delays.plain import measure
from reports.delays.slices import slices
from tests.reports.golden import AS_OF, make_golden_set

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
    figures = {
        "n": 9,
        "paid": 5,
        "open": 4,
        "days_late": {
            "mean_paid": 7.6,
            "weighted_mean_paid": 8.31,
            "p50": 10,
            "p75": 20,
            "p90": None,
        },
        "days_to_pay": {
            "mean_paid": 37.6,
            "weighted_mean_paid": 38.31,
            "p50": 40,
            "p75": 50,
            "p90": None,
        },
    }
    expected = {
        "as_of": "2026-09-30",
        "by": "client_type",
        "groups": [{"group": "SME", **figures}],
        "total": figures,
    }
    assert out.getvalue().strip() == json.dumps(expected)


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
