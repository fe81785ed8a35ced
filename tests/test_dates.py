"""billing_portal/dates.py"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from django.utils import translation

from billing_portal import dates

TODAY = date(2026, 11, 24)


def test_days_are_written_in_the_language_of_the_reader():
    assert dates.day(date(2026, 9, 7)) == "7\u00a0Sep 2026"
    assert dates.long_day(TODAY) == "Tuesday 24 November 2026"
    with translation.override("fr"):
        assert dates.day(date(2026, 9, 7)) == "7\u00a0sept. 2026"
    assert dates.day(None) == "–"


def test_a_moment_is_ago_while_young_and_dated_later():
    now = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    assert dates.moment(now - timedelta(seconds=20), now) == "just now"
    assert dates.moment(now - timedelta(minutes=3), now) == "3 minutes ago"
    assert dates.moment(now - timedelta(hours=1), now) == "1 hour ago"
    assert dates.moment(now - timedelta(days=3), now) == "21\u00a0Nov, 13:00"
    assert dates.moment(now + timedelta(hours=3), now) == "24\u00a0Nov, 16:00"
    assert dates.moment(now - timedelta(days=400), now).startswith("20\u00a0Oct 2025")
