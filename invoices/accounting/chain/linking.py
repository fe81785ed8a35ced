"""What is new in the books is linked into the chain, and the chain's head is signed.

Why not in the transaction of each writer: one chain over all facts has one end, and whoever writes
a fact would hold it locked until his commit; an import of a history would stop every payment for
minutes. The seal of a fact is made at once (models/facts.py); its link can wait for a minute.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from billing_portal.seals import is_signed, sealed, signed
from invoices.accounting.chain.reading import BATCH, Fact, facts
from invoices.accounting.chain.seals import Judge, UnknownKey, wrong
from invoices.models import BooksChain, BooksHead, BooksLink, InvoiceEvent
from invoices.models.facts import MODELS, model_of

Progress = Callable[[int, int], None]
# Events before the documents of whose issue they tell.
KINDS = ("decision", "payment", "refund", "allocation", "event", "document")


def link_hash(before: str, position: int, kind: str, object_id: int, seal: str, name: str) -> str:
    said = f"{before}\n{position}\n{kind}\n{object_id}\n{seal}\n{name}"
    return hashlib.sha256(said.encode()).hexdigest()


def bare(seal: str) -> str:
    """Without its marks."""
    return seal.rpartition(".")[0]


class Statement(NamedTuple):
    """What a head says."""

    position: int
    hash: str
    counts: dict[str, int]
    at: datetime

    def text(self) -> str:
        counts = json.dumps(self.counts, sort_keys=True, separators=(",", ":"))
        return f"head of the books 1\n{self.position}\n{self.hash}\n{counts}\n{self.at.isoformat()}"

    def is_signed(self, key: str, mac: str) -> bool:
        return is_signed(self.text(), key, mac)


def statement_of(head: BooksHead) -> Statement:
    return Statement(head.position, head.hash, head.counts, head.at)


def last_head() -> BooksHead | None:
    return BooksHead.objects.order_by("-position").first()


def link_new(*, thoroughly: bool = False, progress: Progress = lambda _done, _total: None) -> int:
    """Link what is sealed and not linked yet; returns how many links were made.

    `thoroughly` looks at every fact instead of those above the last complete id: the check of the
    night does, so that nothing stays out that a remembered id hides.
    """
    seal_older(progress)
    with transaction.atomic():
        chain = _locked()
        complete = {} if thoroughly else dict(chain.complete)
    oldest, _following = _horizon()
    highest: dict[str, int] = {}
    made, mine = 0, -1
    pending = _pending(complete, Judge())
    while found := list(islice(pending, BATCH)):
        with transaction.atomic():
            _locked()
            links, mine = _append(found, mine)
            made += links
        for kind, fact in found:
            highest[kind] = max(highest.get(kind, 0), fact.pk)
        progress(made, made)
    _remember(oldest, highest)
    return made


def _locked() -> BooksChain:
    BooksChain.objects.get_or_create(pk=1)
    return BooksChain.objects.select_for_update().get(pk=1)


class Found(NamedTuple):
    kind: str
    fact: Fact


def _pending(complete: dict[str, int], judge: Judge) -> Iterator[Found]:
    """Each with its right seal: one that was tampered with before it was linked stays out, and
    `verify_books` names it."""
    for kind in KINDS:
        after = complete.get(kind, 0)
        sources = [facts(kind, after=after, where=_unlinked(kind))]
        if kind == "document" and after:
            # A draft has an old id and is issued today: the log knows, which was read before.
            older = [pk for pk in _just_issued(complete.get("event", 0)) if pk <= after]
            sources += [
                facts(kind, ids=older[at : at + 200], where=_unlinked(kind))
                for at in range(0, len(older), 200)
            ]
        for source in sources:
            for fact in source:
                if _is_right(kind, fact, judge):
                    yield Found(kind, fact)


def _unlinked(kind: str) -> str:
    return (
        "f.seal IS NOT NULL AND NOT EXISTS (SELECT 1 FROM invoices_bookslink l "  # noqa: S608
        f"WHERE l.kind = '{kind}' AND l.object_id = f.id)"
    )


def _just_issued(after: int) -> list[int]:
    events = InvoiceEvent.objects.filter(pk__gt=after, kind=InvoiceEvent.Kind.ISSUED)
    return list(events.order_by("invoice_id").values_list("invoice_id", flat=True).distinct())


def _is_right(kind: str, fact: Fact, judge: Judge) -> bool:
    try:
        return not wrong(kind, fact, judge)
    except UnknownKey:
        return False


def _append(found: list[Found], mine: int) -> tuple[int, int]:
    """Under the lock: how many links were made, and where the chain ends now. What others linked
    since `mine`, where this round left it, is left out."""
    last = BooksLink.objects.order_by("-position").first()
    position, before = (last.position, last.hash) if last else (0, "")
    head = last_head()
    counts = dict(head.counts) if head else {}
    held = set() if position == mine else _held(found)
    links = []
    for kind, fact in found:
        if (kind, fact.pk) in held:
            continue
        position += 1
        seal = bare(fact.seal or "")
        before = link_hash(before, position, kind, fact.pk, seal, fact.name)
        counts[kind] = counts.get(kind, 0) + 1
        links.append((position, kind, fact.pk, seal, fact.name, before))
    if links:
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO invoices_bookslink (position, kind, object_id, seal, name, hash) "
                "VALUES (%s, %s, %s, %s, %s, %s)",
                links,
            )
        sign_head(Statement(position, before, counts, timezone.now()))
    return len(links), position


def _held(found: list[Found]) -> set[tuple[str, int]]:
    held: set[tuple[str, int]] = set()
    for kind in {kind for kind, _fact in found}:
        ids = [fact.pk for each, fact in found if each == kind]
        rows = BooksLink.objects.filter(kind=kind, object_id__range=(min(ids), max(ids)))
        held |= {(kind, pk) for pk in rows.values_list("object_id", flat=True)}
    return held


def sign_head(said: Statement) -> BooksHead:
    key, mac = signed(said.text())
    return BooksHead.objects.create(
        position=said.position, hash=said.hash, counts=said.counts, at=said.at, key=key, mac=mac
    )


# ─ Which ids are done with ──────────────────────────────────────────────────────────────────────
def _horizon() -> tuple[int, int]:
    """The oldest transaction that still runs, and the next one to begin; SQLite has one writer."""
    if connection.vendor != "postgresql":
        return 1, 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint "
            "FROM pg_current_snapshot() s"
        )
        oldest, following = cursor.fetchone()
    return int(oldest), int(following)


def _remember(oldest: int, highest: dict[str, int]) -> None:
    """Up to which id nothing is missing. A transaction takes its ids before it commits, so that one
    below an id that was seen may still come: until every transaction has ended that ran when it was
    seen. `oldest` ran when the facts of this round began to be read."""
    with transaction.atomic():
        chain = _locked()
        if oldest < chain.seen_before:
            return
        chain.complete = _higher(chain.complete, chain.seen)
        chain.seen = _higher(chain.seen, highest)
        chain.seen_before = _horizon()[1]
        if connection.vendor != "postgresql":
            chain.complete = chain.seen
        chain.save()


def _higher(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {kind: max(one.get(kind, 0), other.get(kind, 0)) for kind in {*one, *other}}


# ─ What is older than the chain ─────────────────────────────────────────────────────────────────
def seal_older(progress: Progress = lambda _done, _total: None) -> int:
    """Seal what was written before there were seals; nothing once the chain has begun.

    From then on only the portal's own acts seal, or whoever took a seal away would get it back for
    what he wrote in its place.
    """
    chain, _made = BooksChain.objects.get_or_create(pk=1)
    if chain.sealed_at is not None or BooksLink.objects.exists():
        return 0
    without = {kind: model_of(kind)._base_manager.filter(seal__isnull=True) for kind in MODELS}
    without["document"] = without["document"].filter(status__in=["issued", "settled"])
    total = sum(rows.count() for rows in without.values())
    done = 0
    for kind in MODELS:
        done = _seal(kind, done, total, progress)
    BooksChain.objects.filter(pk=1, sealed_at__isnull=True).update(sealed_at=timezone.now())
    return done


def _seal(kind: str, done: int, total: int, progress: Progress) -> int:
    table = model_of(kind)._meta.db_table
    batch: list[tuple[str, int]] = []

    def write() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(
                f"UPDATE {table} SET seal = %s WHERE id = %s AND seal IS NULL",  # noqa: S608
                batch,
            )

    for fact in facts(kind, where="f.seal IS NULL"):
        version = next(reversed(fact.values))
        batch.append((sealed(kind, version, fact.values[version]), fact.pk))
        if len(batch) == 1_000:
            write()
            done += len(batch)
            progress(done, total)
            batch.clear()
    if batch:
        write()
        done += len(batch)
        progress(done, total)
    return done
