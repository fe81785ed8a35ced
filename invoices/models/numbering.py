"""Number series, and the patterns by which they begin."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from invoices.documents import numbers
from invoices.models.company import Company
from invoices.models.facts import SealField


class NumberPattern(models.Model):
    """How the documents of one kind are numbered; its row is locked while a number is taken.

    It says how a series begins. One that has begun keeps its form: what is changed here holds from
    the next period on, or when an administrator ends the series (company/changing_numbers.py).
    """

    class Restart(models.TextChoices):
        NEVER = numbers.NEVER, _("Never: one series without end")
        YEAR = numbers.YEAR, _("At 1 each year")
        MONTH = numbers.MONTH, _("At 1 each month")

    QUOTE = "quote"
    KINDS = ("credit_note", "invoice", QUOTE)
    # A kind that has no row yet is numbered so: by the first that no kind before it has taken.
    USUAL = {
        "invoice": ("F-{year}-",),
        "credit_note": ("A-{year}-",),
        QUOTE: ("D-{year}-", "DEV-{year}-", "DEVIS-{year}-"),
    }
    USUAL_ELSEWHERE = {QUOTE: ("Q-{year}-", "QUO-{year}-", "QUOTE-{year}-")}

    kind = models.CharField(max_length=20, unique=True)
    prefix = models.CharField(_("begins with"), max_length=40, blank=True)
    width = models.PositiveSmallIntegerField(_("digits"), default=4)
    restart = models.CharField(
        _("counter begins again"), max_length=5, choices=Restart, default=Restart.YEAR
    )

    class Meta:
        ordering = ["kind"]
        constraints = [
            models.CheckConstraint(
                name="a_number_has_one_to_nine_digits", condition=Q(width__gte=1, width__lte=9)
            ),
            # Else the second year would give the numbers of the first again.
            models.CheckConstraint(
                name="numbers_that_begin_again_bear_their_period",
                condition=Q(restart="never")
                | (
                    (Q(prefix__contains="{year}") | Q(prefix__contains="{yy}"))
                    & (Q(restart="year") | Q(prefix__contains="{month}"))
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.prefix}"

    @classmethod
    def of(cls, kind: str) -> NumberPattern:
        """Not saved where nobody has chosen one yet."""
        return cls.objects.filter(kind=kind).first() or cls(kind=kind, prefix=cls.usual(kind))

    @classmethod
    def usual(cls, kind: str) -> str:
        """The beginning of a kind whose numbers nobody has given a form."""
        first, *others = cls.USUAL[kind]
        if kind != cls.QUOTE:
            return first
        company = Company.ours()
        if company is not None and not company.of_france:
            first, *others = cls.USUAL_ELSEWHERE[kind]
        taken = set(cls.objects.exclude(kind=kind).values_list("prefix", flat=True))
        return next((each for each in (first, *others) if each not in taken), first)

    @property
    def form(self) -> numbers.Pattern:
        return numbers.Pattern(self.prefix, self.width, str(self.restart))


class NumberSeries(models.Model):
    """The numbers of one kind in one period: a year, a month, or without end."""

    kind = models.CharField(max_length=20)
    # "2026", "2026-11", or "" for a series without end.
    period = models.CharField(max_length=7, blank=True)
    # What does not change within the period; {year}, {yy}, {month} in it are those of the document.
    prefix = models.CharField(max_length=40, blank=True)
    width = models.PositiveSmallIntegerField(default=4)
    # Above 1 where another series of ours gave the numbers below.
    first_value = models.PositiveIntegerField(default=1)
    next_value = models.PositiveIntegerField(default=1)
    last_issue_date = models.DateField(null=True, blank=True)
    # Chains each issued document to the one before it.
    last_hash = models.CharField(max_length=64, blank=True)
    # Ended before its period was over: another series numbers in its place.
    ended_on = models.DateField(null=True, blank=True)
    # Where the portal itself left it: a series set back by hand has the seal of another state.
    seal = SealField("series", follows=True)

    class Meta:
        verbose_name_plural = "number series"
        ordering = ["kind", "-period", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "period"],
                condition=Q(ended_on__isnull=True),
                name="one_open_series_per_kind_and_period",
            ),
            models.UniqueConstraint(fields=["prefix"], name="series_prefixes_differ"),
            models.CheckConstraint(name="series_starts_at_one", condition=Q(next_value__gte=1)),
            models.CheckConstraint(
                name="a_series_goes_on_from_its_first_number",
                condition=Q(first_value__gte=1, next_value__gte=F("first_value")),
            ),
        ]

    def __str__(self) -> str:
        return self.number(self.next_value)

    def save(self, *args: Any, **options: Any) -> None:
        names: Sequence[str] | None = options.get("update_fields")
        if names is not None:
            options["update_fields"] = [*names, "seal"]
        super().save(*args, **options)

    def number(self, value: int, on: date | None = None) -> str:
        """`on` is the day of the document; without it the places of the date stay in braces."""
        prefix = numbers.filled(self.prefix, on) if on else self.prefix
        return f"{prefix}{value:0{self.width}d}"

    def next_number(self, on: date) -> str:
        return self.number(self.next_value, on)

    @property
    def has_begun(self) -> bool:
        """Whether a document bears a number of it: from then on it only goes on."""
        if self.pk is None:
            return False
        return self.last_issue_date is not None or self.invoices.exists() or self.quotes.exists()
