"""The items of a file held against the catalogue: new, changed, here already, or refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from billing_portal.typed.numbers import as_typed
from invoices.company.exemptions import Exemptions
from invoices.history.plan import ItemChange, Plan, chunks, complain
from invoices.history.reading_items import BY_CLIENT, EXEMPT
from invoices.history.rows import ItemRow
from invoices.models import CatalogueItem

_PLAIN = ("name", "description", "unit", "nature")


def resolve_items(plan: Plan, lock: bool) -> None:
    rows = plan.rows.items
    held = _find(rows, lock)
    exemptions = Exemptions() if rows else None
    for row in rows:
        item = held.get(row.key)
        values = _vat_columns(plan, row, exemptions)
        if values is None:
            continue
        if item is None and not row.name:
            complain(plan, "items", row.line, "name", "item_name", item=row.code)
            continue
        values |= {name: said for name in _PLAIN if (said := getattr(row, name))}
        if item is None:
            plan.new_items.append((row, values))
        elif fields := _changed(row, item, values):
            plan.item_changes.append(ItemChange(row, item, values, fields))
        else:
            plan.unchanged["items"] += 1


def _find(rows: list[ItemRow], lock: bool) -> dict[str, CatalogueItem]:
    found: dict[str, CatalogueItem] = {}
    for chunk in chunks(row.key for row in rows):
        items = CatalogueItem.objects.filter(code_key__in=chunk).order_by("pk")
        if lock:
            items = items.select_for_update()
        found |= {item.code_key: item for item in items.prefetch_related("prices", "exemption")}
    return found


def _vat_columns(plan: Plan, row: ItemRow, exemptions: Exemptions | None) -> dict[str, Any] | None:
    """The columns of the row that say its VAT; None where it cannot be, which is told."""
    if row.exemption and row.vat not in ("", EXEMPT):
        complain(plan, "items", row.line, "exemption", "item_not_exempt")
        return None
    if row.vat == EXEMPT or row.exemption:
        why = reason_called(row.exemption, plan, exemptions)
        if why is None:
            complain(plan, "items", row.line, "exemption", "item_why", text=row.exemption or "–")
            return None
        return {"vat_category": "E", "vat_rate": Decimal(0), "exemption_id": why}
    if row.vat == BY_CLIENT:
        return {"vat_category": "", "vat_rate": Decimal(0), "exemption_id": None}
    if row.vat:
        return {"vat_category": "S", "vat_rate": Decimal(row.vat), "exemption_id": None}
    return {}


def reason_called(text: str, plan: Plan, exemptions: Exemptions | None) -> int | None:
    """The reason with this name, or the only one with this code."""
    wanted = text.casefold()
    rows = [r for r in (exemptions.on(plan.on) if exemptions else ()) if r.category == "E"]
    named = [r.pk for r in rows if wanted in (r.name_fr.casefold(), r.name_en.casefold())]
    found = named or [r.pk for r in rows if r.code.casefold() == wanted]
    return found[0] if len(found) == 1 else None


def _changed(
    row: ItemRow, item: CatalogueItem, values: dict[str, Any]
) -> dict[str, tuple[str, str]]:
    """Field → (here, in the file), where the file says something else; blanks say nothing."""
    found: dict[str, tuple[str, str]] = {}
    for name in _PLAIN:
        if name in values and values[name] != getattr(item, name):
            found[name] = (str(getattr(item, name))[:200], str(values[name])[:200])
    if "vat_category" in values and any(values[n] != getattr(item, n) for n in values if "_" in n):
        said = f"{row.exemption or row.vat}"
        found["vat"] = (vat_said(item), said)
    here = {price.currency: price.unit_price for price in item.prices.all()}
    for currency, price in row.prices.items():
        if here.get(currency) != price:
            before = as_typed(here[currency].normalize()) if currency in here else ""
            found[f"price {currency}"] = (before, as_typed(price.normalize()))
    if row.state and (row.state == "archived") != item.is_archived:
        found["state"] = ("archived" if item.is_archived else "offered", row.state)
    return found


def vat_said(item: CatalogueItem) -> str:
    """As a file says it."""
    if item.vat_category == "E":
        return EXEMPT
    return format(item.vat_rate.normalize() + 0, "f") if item.vat_category else BY_CLIENT
