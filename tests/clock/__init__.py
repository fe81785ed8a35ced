"""The day on which the tests live: always the same one, unless `--on-day` says another.

A suite that passes today must pass tomorrow, and in a leap year. So each test begins at one moment,
whatever the machine's clock says, and the processes that tests start do too; the clock ticks on.
"""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import time_machine

PARIS = ZoneInfo("Europe/Paris")
USUAL = "2026-11-25T10:00"
_traveller: time_machine.Traveller | None = None


def start(day: str) -> None:
    """`day` is YYYY-MM-DD or YYYY-MM-DDTHH:MM, in Paris; without an hour, in the morning."""
    global _traveller
    moment = datetime.fromisoformat(day if "T" in day else f"{day}T10:00").replace(tzinfo=PARIS)
    # In UTC: time_machine would else set the time zone of the process, which is Django's to do.
    moment = moment.astimezone(UTC)
    os.environ["TESTS_MOMENT"] = moment.isoformat()
    here = str(Path(__file__).parent)
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [here, *filter(None, [os.environ.get("PYTHONPATH", "")])]
    )
    _traveller = time_machine.travel(moment).start()


def days_ago(days: int) -> date:
    """A day that is as long ago whatever today is: what is typed a year late is asked about."""
    return datetime.now(PARIS).date() - timedelta(days=days)


def as_typed(day: date) -> str:
    return day.strftime("%d/%m/%Y")


def later(**time: float) -> None:
    """Let so much time pass, as for a timedelta, until the test is over."""
    assert _traveller is not None
    _traveller.shift(timedelta(**time))


def back_to_start() -> None:
    assert _traveller is not None
    _traveller.move_to(datetime.fromisoformat(os.environ["TESTS_MOMENT"]))
