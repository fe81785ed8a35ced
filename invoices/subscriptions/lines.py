"""A line of a subscription, of a draft and of the editor: one is made of the other."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from invoices.documents.totals import LineInput
from invoices.invoicing.draft_lines import DraftLine
from invoices.models import Subscription, SubscriptionLine, SubscriptionVersion


def line_of(row: Any) -> DraftLine:
    """Of a SubscriptionLine, or of a line of an invoice or quote, which say the same."""
    return DraftLine(
        description=row.description,
        unit=row.unit,
        amounts=LineInput(
            quantity=Decimal(row.quantity),
            unit_price=Decimal(row.unit_price),
            vat_rate=Decimal(row.vat_rate),
            vat_category=row.vat_category,
            discount_percent=Decimal(row.discount_percent),
            discount_amount=Decimal(row.discount_amount),
        ),
        price_missing=row.price_missing,
        exemption_id=row.exemption_id,
        nature=row.nature,
        item_id=row.item_id,
    )


def replace_lines(version: SubscriptionVersion, lines: Sequence[DraftLine]) -> None:
    version.lines.all().delete()
    SubscriptionLine.objects.bulk_create(
        SubscriptionLine(
            version=version,
            position=position,
            description=line.description,
            unit=line.unit,
            quantity=line.amounts.quantity,
            unit_price=line.amounts.unit_price,
            price_missing=line.price_missing,
            discount_percent=line.amounts.discount_percent,
            discount_amount=line.amounts.discount_amount,
            vat_category=line.amounts.vat_category,
            vat_rate=line.amounts.vat_rate,
            exemption_id=line.exemption_id,
            nature=line.nature,
            item_id=line.item_id,
        )
        for position, line in enumerate(lines, 1)
    )


def adjustments_of(subscription: Subscription) -> list[dict[str, str]]:
    """Discounts and charges on the whole of each period, of the version that holds last."""
    version = subscription.versions.last()
    return list(version.adjustments) if version else []
