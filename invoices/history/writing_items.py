"""The items of a file into the catalogue; what it says of an item of the CRM is kept here."""

from __future__ import annotations

from django.utils import timezone

from invoices.catalogue.keeping import keep_here
from invoices.history.batches import Writing
from invoices.models import CatalogueItem, CataloguePrice


def write_items(writing: Writing) -> None:
    plan, now = writing.plan, timezone.now()
    made = []
    for row, values in plan.new_items:
        values = {"nature": writing.company.usual_nature, **values}
        item = CatalogueItem(code=row.code, **values)
        item.archived_at = now if row.state == "archived" else None
        made.append((row, item))
    writing.insert(CatalogueItem, [item for _row, item in made])
    CataloguePrice.objects.bulk_create(
        (
            CataloguePrice(item=item, currency=currency, unit_price=price)
            for row, item in made
            for currency, price in row.prices.items()
        ),
        batch_size=500,
    )
    for change in plan.item_changes:
        row, item = change.row, change.item
        for name, value in change.values.items():
            setattr(item, name, value)
        if "state" in change.fields:
            item.archived_at = now if row.state == "archived" else None
        keep_here(item, [_name_of(field) for field in change.fields])
        item.save()
        for currency, price in row.prices.items():
            CataloguePrice.objects.update_or_create(
                item=item, currency=currency, defaults={"unit_price": price}
            )
    writing.count(len(plan.item_changes))


def _name_of(field: str) -> str:
    return {"state": "archived"}.get(field, "prices" if field.startswith("price ") else field)
