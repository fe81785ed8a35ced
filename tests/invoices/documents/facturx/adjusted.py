"""Discounts and charges on the whole of a random lawful document, and retentions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from invoices.documents import mentions
from invoices.documents.adjustments import (
    CHARGE,
    CODES,
    DISCOUNT,
    Adjustment,
    Sort,
    as_line,
    parts_of,
    read,
    stored,
)
from invoices.documents.paper import PaperAllowance, PaperInstalment
from invoices.documents.totals import compute

D = Decimal


def adjusted(rng, scene, inputs, totals):
    """Discounts and charges on the whole, as invoicing/adjusting.py has them."""
    taxed = [(category, D(rate)) for category, rate, _code, _text in scene.taxed]
    adjustments = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        kind = rng.choice((DISCOUNT, DISCOUNT, CHARGE))
        value = {"percent": D(rng.choice(("5", "2.5", "33", "0.333333", "100")))}
        if rng.random() < 0.5:
            places = 0 if totals.currency == "JPY" else 2
            value = {"amount": D(rng.randrange(1, 2000)).scaleb(-places)}
        only = rng.choice(taxed) if rng.random() < 0.3 else None
        code = rng.choice(list(CODES[kind]))
        reason = rng.choice(("", "Fidélité", "Port & emballage"))
        adjustments.append(Adjustment(kind, reason=reason, code=code, only=only, **value))
    # What is kept of a draft says the same again.
    assert read(stored(adjustments)) == adjustments
    nets = [
        (Sort(line.vat_category, line.vat_rate), total.net_minor)
        for line, total in zip(inputs, totals.lines, strict=True)
    ]
    parts = parts_of(adjustments, nets, totals.currency)
    made = compute(
        [*inputs, *(as_line(part, totals.currency) for part in parts)], currency=totals.currency
    )
    allowances = tuple(
        PaperAllowance(
            amount_minor=part.minor,
            label=part.adjustment.words("fr"),
            percent=part.adjustment.percent,
            vat_category=part.sort.vat_category,
            vat_rate=part.sort.vat_rate,
            is_charge=part.adjustment.kind == CHARGE,
            code=part.adjustment.code,
        )
        for part in parts
    )
    return allowances, replace(made, lines=made.lines[: len(inputs)])


def retained(rng, paper):
    held = paper.total_minor * 5 // 100
    if not held:
        return paper
    parts = ((paper.due_date, paper.total_minor - held), (date(2032, 1, 1), held))
    terms = mentions.due_with_retention(paper.language, parts, paper.currency, D(5))
    return replace(
        paper,
        due_date=date(2032, 1, 1),
        payment_terms=terms,
        retention_percent=D(5),
        instalments=tuple(
            PaperInstalment(due_date=day, amount_minor=minor, is_retention=place == 1)
            for place, (day, minor) in enumerate(parts)
        ),
    )
