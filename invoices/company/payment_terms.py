"""Payment terms of several instalments: kept under a name, chosen for a client or a draft."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.figures import percent
from invoices.models import PaymentTerms, PaymentTermsStep
from invoices.models.terms import TermsKind


@dataclass(frozen=True)
class Step:
    """A share of the total in per cent, None: an equal part of what is left; and its day."""

    percent: Decimal | None
    months: int = 0
    days: int = 0
    kind: str = TermsKind.NET


def by_the_month(n: int, days: int) -> list[Step]:
    """`n` equal parts, the first one `days` after the invoice, the others a month apart."""
    return [Step(None, months=place, days=days) for place in range(n)]


def problem(steps: Sequence[Step]) -> str:
    """Why these steps make no terms; empty when they do."""
    if len(steps) < 2:
        return _("Give at least two steps: what is due on one day needs none.")
    shares = [step.percent for step in steps if step.percent is not None]
    total = sum(shares, Decimal(0))
    if len(shares) == len(steps) and total != 100:
        return _(
            "The shares come to %(total)s: make them 100, or leave one empty for the rest."
        ) % {"total": percent(total)}
    if len(shares) < len(steps) and total >= 100:
        return _("The shares come to %(total)s: nothing is left for the steps without one.") % {
            "total": percent(total)
        }
    return ""


def save_steps(terms: PaymentTerms, steps: Sequence[Step]) -> None:
    """Replace them; drafts with these terms follow, what is issued keeps its instalments."""
    with transaction.atomic():
        terms.steps.all().delete()
        PaymentTermsStep.objects.bulk_create(
            PaymentTermsStep(
                terms=terms,
                position=position,
                percent=step.percent,
                months=step.months,
                days=step.days,
                kind=step.kind,
            )
            for position, step in enumerate(steps, 1)
        )


def offered(*, also: int | None = None) -> list[PaymentTerms]:
    """Those that may be chosen; `also` the archived one that a row has already."""
    rows = PaymentTerms.objects.prefetch_related("steps")
    return [terms for terms in rows if not terms.archived or terms.pk == also]


def in_words(terms: PaymentTerms) -> str:
    """“30% on receipt, the rest 45 days, end of month”."""
    steps = list(terms.steps.all())
    if len(steps) > 2 and _is_monthly(steps):
        words = {"n": len(steps), "when": when(steps[0])}
        return _("%(n)s equal parts, a month apart, the first: %(when)s") % words
    return ", ".join(
        _("%(share)s: %(when)s") % {"share": _share(step, steps), "when": when(step)}
        for step in steps
    )


def when(step: Any) -> str:
    """In how many days, counted how: of a step, a client or an invoice alike."""
    return _when(step.kind, step.days, getattr(step, "months", 0))


def chosen_as(kind: str, days: int) -> str:
    """The same as the words of a choice: “30 days, end of month”, “On receipt”."""
    words = _when(kind, days, 0)
    return words[:1].upper() + words[1:]


def _when(kind: str, days: int, months: int) -> str:
    if kind == TermsKind.NET:
        if not days:
            words = _("on receipt") if not months else ""
        else:
            words = ngettext("%(n)s day", "%(n)s days", days) % {"n": days}
    elif kind == TermsKind.END_OF_MONTH_AFTER:
        words = ngettext("%(n)s day, end of month", "%(n)s days, end of month", days) % {"n": days}
    else:
        words = ngettext("end of month, then %(n)s day", "end of month, then %(n)s days", days) % {
            "n": days
        }
    if not months:
        return words
    later = ngettext("%(n)s month", "%(n)s months", months) % {"n": months}
    return f"{later} + {words}" if words else later


def _share(step: PaymentTermsStep, steps: Sequence[PaymentTermsStep]) -> str:
    if step.percent is not None:
        return percent(step.percent)
    alone = sum(each.percent is None for each in steps) == 1
    return _("the rest") if alone else _("an equal part")


def _is_monthly(steps: Sequence[PaymentTermsStep]) -> bool:
    first = steps[0]
    return all(
        step.percent is None
        and (step.months, step.days, step.kind) == (place, first.days, first.kind)
        for place, step in enumerate(steps)
    )
