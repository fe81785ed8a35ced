"""Many issue at once, in series of a month, of a year and without end: no gap, no number twice."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest

from invoices.accounting import books
from invoices.company import changing_numbers, dating, numbering
from invoices.company.changing_numbers import EndsSeries
from invoices.documents.numbers import MONTH, NEVER, YEAR, Pattern
from invoices.invoicing import crediting, issuing
from invoices.invoicing.freezing import IssueRefused
from invoices.models import Invoice, NumberSeries
from tests import crash, issuers
from tests.factories import make_client, make_draft, make_issued, number_by
from tests.race import at_once

pytestmark = pytest.mark.django_db(transaction=True)
ON = date(2026, 11, 24)
DAYS = [date(2026, 9, 30), date(2026, 10, 1), date(2026, 10, 31), date(2026, 11, 2), ON]


def grant(earliest):
    """So that threads may come in any order: nothing but the numbers is tried here."""
    dating.grant_exception(
        kind="invoice", earliest=earliest, until=ON, reason="Race", by=None, on=ON
    )


def issue(draft):
    return lambda: issuing.issue(invoice_id=draft.pk, by=None, on=ON)


def without_gaps():
    assert books.verify() == []
    for series in NumberSeries.objects.all():
        given = series.invoices.order_by("sequence").values_list("sequence", flat=True)
        assert list(given) == list(range(series.first_value, series.next_value))
    numbers = list(Invoice.objects.exclude(number="").values_list("number", flat=True))
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize(
    ("prefix", "restart", "series"),
    [("F-{year}-{month}-", MONTH, 3), ("{yy}{month}-", YEAR, 1), ("FA", NEVER, 1)],
)
def test_twenty_people_issue_over_three_months(prefix, restart, series):
    number_by(prefix, restart)
    grant(DAYS[0])
    drafts = [make_draft(issue_date=DAYS[n % len(DAYS)]) for n in range(20)]
    found = at_once(*map(issue, drafts))
    assert all(isinstance(one, Invoice) for one in found), found
    assert NumberSeries.objects.count() == series
    without_gaps()


def test_twenty_people_issue_over_a_new_year_and_credit_in_months():
    number_by("N{yy}{month}-", MONTH, kind="credit_note")
    old, new = date(2025, 12, 31), date(2026, 1, 2)
    paid = [make_issued(on=old) for _each in range(5)]
    grant(old)
    drafts = [make_draft(issue_date=(old, new)[n % 2]) for n in range(15)]

    def credit(invoice):
        return lambda: crediting.issue_credit_note(
            invoice_id=invoice.pk, reason="Wrong", by=None, on=ON
        )

    found = at_once(*map(issue, drafts), *map(credit, paid))
    assert all(isinstance(one, Invoice) for one in found), found
    without_gaps()
    assert set(NumberSeries.objects.values_list("kind", "period")) == {
        ("invoice", "2025"),
        ("invoice", "2026"),
        ("credit_note", "2026-11"),
    }


def test_the_pattern_changes_while_nineteen_issue():
    make_issued(on=ON)
    drafts = [make_draft() for _each in range(19)]
    monthly = {"invoice": Pattern("F-{year}-{month}-", 4, MONTH)}

    def change():
        given = {"at_once": True, "reason": "Audit", "by": None, "on": ON}
        agreed = ""
        for _each in range(100):
            try:
                return changing_numbers.change_patterns(monthly, agreed=agreed, **given)
            except EndsSeries as asked:
                agreed = asked.token
        raise AssertionError("never got hold of it")

    found = at_once(change, *map(issue, drafts))
    # Who had read the former form may be told to look again, never numbered by it.
    wrong = [one for one in found[1:] if not isinstance(one, Invoice | IssueRefused)]
    assert wrong == [] and isinstance(found[0], list), found
    without_gaps()
    ended = NumberSeries.objects.get(period="2026")
    assert ended.ended_on == ON
    last = Invoice.objects.filter(series=ended).order_by("-issued_at").first()
    first = Invoice.objects.filter(series__period="2026-11").order_by("issued_at").first()
    assert first is None or last.issued_at < first.issued_at
    assert sum(series.next_value - 1 for series in NumberSeries.objects.all()) == 1 + sum(
        isinstance(one, Invoice) for one in found[1:]
    )


def test_fifty_issue_at_once_and_many_of_them_fail_or_are_killed():
    client = make_client()
    # A day before the last one is refused: of those of yesterday only the first may come in time.
    days = [ON, ON, ON, ON, ON - timedelta(days=1)]
    drafts = [make_draft(client=client, issue_date=days[n % 5]).pk for n in range(issuers.ISSUERS)]
    said = crash.program("tests.issuers", Random().randrange(10**6), *drafts)
    assert [words for words in said if words[-1].startswith("error")] == [], said
    last = {int(pk): (mishap, end) for pk, mishap, end in said}
    # Chance may leave one out, not many.
    assert len({mishap for mishap, _end in last.values()}) >= len(issuers.MISHAPS) - 2
    for pk, (mishap, end) in last.items():
        row = Invoice.objects.get(pk=pk)
        if end.startswith("issued as"):
            assert f"issued as {row.number}" == end, (said, pk)
        elif mishap in ("lost", "killed after the commit") and row.issue_date == ON:
            assert row.status == "issued", (said, pk)
        elif end != "began" or mishap != "killed after the commit":
            assert (row.status, row.number) == ("draft", ""), (said, pk)
        assert row.documents.count() == (0 if row.is_draft else 2)
        assert row.events.filter(kind="issued").count() == (0 if row.is_draft else 1)
    without_gaps()
    given = Invoice.objects.exclude(number="").order_by("sequence")
    assert len(given) > 12
    assert sorted(row.issue_date for row in given) == [row.issue_date for row in given]
    # Nothing was left locked, and the next number is the next one.
    after = issue(make_draft(client=client))()
    assert after.sequence == len(given) + 1
    without_gaps()


def test_a_number_given_between_two_questions_is_no_reason():
    """Asked without the lock: the series was read, then another took the number that it said."""
    stale = numbering.series_for("invoice", ON)
    first = issue(make_draft(issue_date=ON))()
    assert first.number == stale.next_number(ON)
    assert numbering.number_reason(stale, ON) == ""
