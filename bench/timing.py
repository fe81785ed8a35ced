"""Medians of several runs after a warm-up; what is compared runs by turns, on the same noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter, process_time
from typing import Any, NamedTuple, Self

from django.db import connection

Work = Callable[[], Any]


class Spent(NamedTuple):
    """Milliseconds by the clock, at best, and of the processor in this process."""

    clock: float
    least: float
    cpu: float


@dataclass
class Row:
    """One line of the table: what it took, and the floor that it stands on."""

    what: str
    ms: float
    least_ms: float
    cpu_ms: float
    floor: str
    floor_ms: float
    # The target: milliseconds, or times the floor.
    most_ms: float | None = None
    most_times: float | None = None

    @classmethod
    def of(
        cls,
        what: str,
        spent: Spent,
        floor: Sequence[tuple[str, Spent]],
        *,
        most_ms: float | None = None,
        most_times: float | None = None,
    ) -> Self:
        told = " + ".join(
            f"{name} ({each.clock:.1f})" if len(floor) > 1 else name for name, each in floor
        )
        stood = sum(each.clock for _name, each in floor)
        return cls(what, *spent, told, stood, most_ms, most_times)

    def as_json(self) -> dict[str, Any]:
        return {"row": asdict(self)}


@dataclass
class Fact:
    """Something counted: requests, queries, writes."""

    what: str
    found: str
    wanted: str = ""
    met: bool | None = None

    def as_json(self) -> dict[str, Any]:
        return {"fact": asdict(self)}


def timed(work: Work) -> Spent:
    clock, cpu = perf_counter(), process_time()
    work()
    took = (perf_counter() - clock) * 1000
    return Spent(took, took, (process_time() - cpu) * 1000)


def middle(taken: Sequence[Spent]) -> Spent:
    return Spent(
        median(each.clock for each in taken),
        min(each.least for each in taken),
        median(each.cpu for each in taken),
    )


def by_turns(*works: Work, runs: int = 15, warm_up: int = 3) -> list[Spent]:
    """The median of each."""
    taken: list[list[Spent]] = [[] for _work in works]
    for n in range(warm_up + runs):
        for each, work in zip(taken, works, strict=True):
            spent = timed(work)
            if n >= warm_up:
                each.append(spent)
    return [middle(each) for each in taken]


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL that runs meanwhile."""
    heard: list[str] = []

    def listen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        heard.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        yield heard
