"""A thousand invoices issued with their documents: by two worker processes, and by one batch."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from time import perf_counter

from django.db.models import Max, Min
from django.utils import timezone

from bench.data import bench_user
from bench.drafts import a_client, a_draft
from bench.papers import _with_xml
from bench.timing import Fact, Row, Spent, by_turns, timed
from invoices.bulk import beginning, carrying_out, looking
from invoices.documents.paper import Paper
from invoices.invoicing import issuing
from invoices.models import Batch, BatchItem, Invoice

WORKERS = 2


def _drafts(count: int) -> list[int]:
    client, today = a_client(), timezone.localdate()
    return [a_draft(client, today) for _n in range(count)]


def _printed(pk: int) -> Spent:
    """What page and e-invoice of one of them take by themselves, warm."""
    issued = issuing.issue(invoice_id=pk, by=bench_user(), on=timezone.localdate())
    paper = Paper.from_json(issued.paper)
    (alone,) = by_turns(lambda: _with_xml(paper), runs=15)
    return alone


def _times(alone: Spent, count: float) -> Spent:
    return Spent(*(each * count for each in alone))


def issue_some(*pks: str) -> Iterator[Fact]:
    """What one worker does; it is told when to begin, once all are warm."""
    user, today = bench_user(), timezone.localdate()
    first, *others = map(int, pks)
    issuing.issue(invoice_id=first, by=user, on=today)
    sys.stdout.write("warm\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for pk in others:
        issuing.issue(invoice_id=pk, by=user, on=today)
    yield from ()


def workers(count: str = "1000") -> Iterator[Row | Fact]:
    wanted = int(count)
    pks = _drafts(wanted + WORKERS + 1)
    alone = _printed(pks.pop())
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.worker", "issue_some", *map(str, pks[n::WORKERS])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ.copy(),
        )
        for n in range(WORKERS)
    ]
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == "warm\n"
    began = perf_counter()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.wait() for process in processes] == [0] * WORKERS
    took = (perf_counter() - began) * 1000
    floor = [("their pages and e-invoices alone, shared by two", _times(alone, wanted / WORKERS))]
    what = f"{wanted:,} invoices issued with documents by two workers"
    yield Row.of(what, Spent(took, took, 0), floor, most_times=4)
    yield Fact("invoices that two workers issue in a second", f"{wanted / took * 1000:.1f}")
    yield from _numbers(pks)


def _numbers(pks: list[int]) -> Iterator[Fact]:
    rows = Invoice.objects.filter(pk__in=pks).issued()
    found = rows.aggregate(first=Min("sequence"), last=Max("sequence"))
    without = rows.count() == len(pks) == found["last"] - found["first"] + 1
    yield Fact("numbers of theirs without a gap", str(rows.count()), str(len(pks)), without)


def batch(count: str = "1000") -> Iterator[Row | Fact]:
    wanted, user, today = int(count), bench_user(), timezone.localdate()
    pks = _drafts(wanted + 1)
    alone = _printed(pks.pop())
    found = beginning.begin(
        act=Batch.Act.BOTH, chosen=Invoice.objects.filter(pk__in=pks), by=user, on=today
    )
    looked = timed(lambda: looking.look_through(found))
    yield Row.of(
        f"{wanted:,} drafts looked through for a batch",
        looked,
        [("their pages and e-invoices alone", _times(alone, wanted))],
    )
    beginning.start(batch_id=found.pk, by=user)

    def carry_out() -> None:
        while carrying_out.go_on(found.pk, today=today) == Batch.State.RUNNING:
            pass

    floor = [("their pages and e-invoices alone", _times(alone, wanted))]
    what = f"a batch of {wanted:,} issued and queued as mails"
    yield Row.of(what, timed(carry_out), floor, most_times=4)
    done = found.items.filter(state=BatchItem.State.DONE).count()
    yield Fact("documents of the batch that are done", str(done), str(wanted), done == wanted)
    yield from _numbers(pks)
