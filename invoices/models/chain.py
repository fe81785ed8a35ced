"""The chain: one link for each fact of the books, in the order in which they were linked.

A fact's seal says that the portal wrote it; its link says that it was there. Writers wait for no
chain: a task links what is new each minute (accounting/linking.py), so that for this minute a fact
could be deleted, not changed, without a trace here.
"""

from __future__ import annotations

from django.db import models


class BooksLink(models.Model):
    """Append-only. `hash` is SHA-256 over the hash of the link before it and the other columns:
    it needs no key, so an archive can be checked by anybody."""

    class Kind(models.TextChoices):
        DOCUMENT = "document"
        EVENT = "event"
        PAYMENT = "payment"
        ALLOCATION = "allocation"
        REFUND = "refund"
        DECISION = "decision"

    # From 1, without gaps.
    position = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=10, choices=Kind)
    object_id = models.BigIntegerField()
    # The fact's seal without its marks (facts.py).
    seal = models.CharField(max_length=80)
    # The number of a document: says which one is missing.
    name = models.CharField(max_length=35, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "object_id"], name="a_fact_is_linked_once")
        ]

    def __str__(self) -> str:
        return f"{self.position} {self.kind} {self.object_id}"


class BooksHead(models.Model):
    """Where the chain ended at a moment, signed with a key that the database does not hold.

    Append-only. Whoever computes the links anew cannot sign the heads, and whoever cuts the chain
    off is told by a head that was kept outside (accounting/anchors.py).
    """

    position = models.BigIntegerField(unique=True)
    hash = models.CharField(max_length=64)
    # How many facts of each kind were linked by then.
    counts = models.JSONField(default=dict)
    at = models.DateTimeField()
    key = models.CharField(max_length=8)
    mac = models.CharField(max_length=43)

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.position} {self.at:%Y-%m-%d %H:%M}"


class BooksChain(models.Model):
    """The one row that is locked while links are made; what it remembers only saves looking."""

    # By kind the id up to which every fact is linked or will never be.
    complete = models.JSONField(default=dict)
    # By kind the highest id that was seen, and the transaction that had not begun by then
    # (PostgreSQL): once all older ones ended, nothing below can appear any more.
    seen = models.JSONField(default=dict)
    seen_before = models.BigIntegerField(default=0)
    # When the last of the facts that are older than the chain was sealed; empty until then.
    sealed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.complete}"


class BooksCheck(models.Model):
    """A run of `verify_books`, for whoever asks when the books were looked at last."""

    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    looked_at = models.JSONField(default=dict)
    broken = models.PositiveIntegerField(default=0)
    # The first of them, as pairs of where and what.
    named = models.JSONField(default=list)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M} {self.broken}"
