"""Moments, amounts and empty objects, in the shapes of the provider's JSON."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

Json = dict[str, Any]

CENT: Final = Decimal("0.01")
DEAL_CUSTOM_FIELDS: Final = ("purchase_order", "service_period", "billing_contact")


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_stamp(text: str) -> datetime:
    """Raises ValueError for what is no RFC 3339 moment."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or "T" not in text.upper():
        raise ValueError(text)
    return moment.astimezone(UTC)


def number(amount: Decimal) -> int | float:
    """A JSON number that prints as few digits as the amount has."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def decimal(value: int | float | str | Decimal) -> Decimal:
    return Decimal(str(value))


def line_sum(line: Json) -> Decimal:
    """Quantity times price less the line's discount; tax is neither added nor taken out."""
    gross = decimal(line["quantity"]) * decimal(line["item_price"])
    discount = decimal(line["discount"])
    if line["discount_type"] == "percentage":
        discount = gross * discount / 100
    return (gross - discount).quantize(CENT, ROUND_HALF_UP)


def deal_value(lines: Iterable[Json], discounts: Iterable[Json]) -> Decimal:
    """The enabled lines less the deal's own discounts, each taken from their sum."""
    subtotal = sum((line_sum(line) for line in lines if line["is_enabled"]), Decimal(0))
    value = subtotal
    for discount in discounts:
        amount = decimal(discount["amount"])
        if discount["type"] == "percentage":
            amount = (subtotal * amount / 100).quantize(CENT, ROUND_HALF_UP)
        value -= amount
    return value


def empty_deal() -> Json:
    """Every key that the API answers with, in its order."""
    return {
        "id": 0,
        "title": "",
        "creator_user_id": 0,
        "owner_id": 0,
        "value": 0,
        "person_id": None,
        "org_id": None,
        "stage_id": 0,
        "pipeline_id": 0,
        "currency": "EUR",
        "archive_time": None,
        "add_time": "",
        "update_time": "",
        "stage_change_time": "",
        "status": "open",
        "is_archived": False,
        "is_deleted": False,
        "probability": None,
        "lost_reason": None,
        "visible_to": 3,
        "close_time": None,
        "won_time": None,
        "lost_time": None,
        "local_won_date": None,
        "local_lost_date": None,
        "local_close_date": None,
        "expected_close_date": None,
        "label_ids": [],
        "origin": "ManuallyCreated",
        "origin_id": None,
        "channel": None,
        "channel_id": None,
        "acv": None,
        "arr": None,
        "mrr": None,
        "custom_fields": {},
    }


def empty_line(deal: Json, product: Json, moment: str) -> Json:
    return {
        "id": 0,
        "sum": 0,
        "tax": product["tax"],
        "deal_id": deal["id"],
        "name": product["name"],
        "product_id": product["id"],
        "product_variation_id": None,
        "order_nr": 1,
        "add_time": moment,
        "update_time": moment,
        "comments": "",
        "currency": deal["currency"],
        "discount": 0,
        "quantity": 1,
        "item_price": product["prices"][0]["price"],
        "tax_method": "exclusive",
        "discount_type": "percentage",
        "is_enabled": True,
        "billing_frequency": "one-time",
        "billing_frequency_cycles": None,
        "billing_start_date": None,
    }


def deal_discount(
    deal: Json,
    place: int,
    moment: str,
    *,
    amount: int | float,
    type: str,  # noqa: A002  the key in the JSON
    description: str,
) -> Json:
    return {
        "id": f"{deal['id']:08x}-0000-4000-8000-{place:012x}",
        "type": type,
        "amount": amount,
        "description": description,
        "deal_id": deal["id"],
        "created_at": moment,
        "created_by": deal["owner_id"],
        "updated_at": moment,
        "updated_by": deal["owner_id"],
    }
