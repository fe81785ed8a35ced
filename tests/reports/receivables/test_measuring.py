from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from reports.cells import rounded
from reports.receivables.measuring import positions
from tests.reports.golden import AS_OF, START, make_golden_set

pytestmark = pytest.mark.django_db


def test_the_golden_set_has_its_receivable_ratios_and_ageing():
    make_golden_set()
    found = positions(START, AS_OF)["EUR"]
    assert found.ageing.receivable_minor == 9_300_00
    assert (found.ageing.current_minor, found.ageing.overdue_minor) == (3_300_00, 6_000_00)
    assert found.beginning_minor == 2_000_00
    assert (found.sales_minor, found.days) == (15_000_00, 92)
    assert rounded(found.dso_simple) == 57.04
    assert rounded(found.dso_best_possible) == 20.24
    assert rounded(found.add) == 36.80
    assert rounded(found.dso_countback) == 68.44
    assert rounded(found.countback_best_possible) == 35.96
    assert rounded(found.cei) == 56.20
    assert list(found.ageing.due_minor.values()) == [3_300_00, 3_000_00, 3_000_00, 0, 0]
    assert list(found.ageing.issue_minor.values()) == [3_300_00, 3_000_00, 3_000_00, 0]


def test_the_command_prints_the_golden_set():
    make_golden_set()
    out = StringIO()
    call_command(
        "receivables",
        "--from",
        "2026-07-01",
        "--as-of",
        "2026-09-30",
        "--format",
        "json",
        stdout=out,
    )
    expected = {
        "EUR": {
            "receivable_minor": 930000,
            "current_minor": 330000,
            "overdue_minor": 600000,
            "ageing_due_minor": {
                "current": 330000,
                "1-30": 300000,
                "31-60": 300000,
                "61-90": 0,
                "90+": 0,
            },
            "ageing_issue_minor": {"0-30": 330000, "31-60": 300000, "61-90": 300000, "90+": 0},
            "dso_simple": 57.04,
            "dso_best_possible": 20.24,
            "add": 36.8,
            "dso_countback": 68.44,
            "cei": 56.2,
        }
    }
    assert out.getvalue().strip() == json.dumps(expected)


def test_the_command_refuses_a_period_that_ends_before_it_starts():
    with pytest.raises(CommandError, match="after its end on 2026-09-30"):
        call_command("receivables", "--from", "2026-10-01", "--as-of", "2026-09-30")
