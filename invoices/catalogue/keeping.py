"""Who writes an item: people here, the CRM, files. What was typed here is never overwritten.

An item of the CRM follows it in every field but those that somebody typed here (`kept_here`). What
the CRM said last is kept beside them, so that a field can be given back at any time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.accounts.models import User
from billing_portal.changes import write_down
from invoices.models import CatalogueItem, CataloguePrice
from invoices.models.catalogue import code_key

# What a CRM has a word about. Goods or services, and why something is exempt, only people know.
OF_THE_CRM: Final = {
    "code": gettext_lazy("code"),
    "name": gettext_lazy("name"),
    "description": gettext_lazy("description"),
    "unit": gettext_lazy("unit"),
    "vat": gettext_lazy("VAT"),
    "prices": gettext_lazy("prices"),
    "archived": gettext_lazy("whether it is archived"),
}
_COLUMNS: Final = ("code", "name", "description", "unit")
Prices = Mapping[str, Decimal]


class ItemRefused(Exception):
    """Nothing was written; the message is for staff."""


def taken_code(code: str, but: int = 0) -> bool:
    return CatalogueItem.objects.filter(code_key=code_key(code)).exclude(pk=but).exists()


def write_prices(item: CatalogueItem, prices: Prices) -> bool:
    """These and no others; whether anything changed by that."""
    held = {row.currency: row for row in item.prices.all()}
    if {code: row.unit_price for code, row in held.items()} == dict(prices):
        return False
    gone = [row.pk for code, row in held.items() if code not in prices]
    CataloguePrice.objects.filter(pk__in=gone).delete()
    for currency, price in prices.items():
        CataloguePrice.objects.update_or_create(
            item=item, currency=currency, defaults={"unit_price": price}
        )
    return True


def keep_here(item: CatalogueItem, changed: Collection[str]) -> None:
    """Somebody typed these: the CRM no longer writes them."""
    names = {"vat" if name.startswith(("vat", "exemption")) else name for name in changed}
    if item.origin == CatalogueItem.Origin.CRM:
        item.kept_here = sorted({*item.kept_here, *(names & OF_THE_CRM.keys())})


def crm_values(item: CatalogueItem) -> dict[str, Any]:
    """What the CRM says in the fields that are not kept here, for the columns of the row."""
    says, kept = item.crm_says, set(item.kept_here)
    found = {name: says[name] for name in _COLUMNS if name in says and name not in kept}
    if "vat" not in kept and "vat" in says:
        rate = Decimal(says["vat"])
        # The CRM has no word for exempt: its nought says nothing.
        found |= {"vat_category": "S" if rate else "", "vat_rate": rate, "exemption_id": None}
    if "archived" not in kept and "archived" in says:
        found["archived_at"] = (item.archived_at or timezone.now()) if says["archived"] else None
    return found


def prices_in_crm(item: CatalogueItem) -> dict[str, Decimal] | None:
    """By currency; None where they are kept here, or the CRM never said any."""
    if "prices" in item.kept_here or "prices" not in item.crm_says:
        return None
    return {currency: Decimal(text) for currency, text in item.crm_says["prices"].items()}


def follow_crm(item: CatalogueItem) -> None:
    for name, value in crm_values(item).items():
        setattr(item, name, value)


def give_back(*, item_id: int, by: User | None) -> CatalogueItem:
    """The CRM fills in everything again, at once with what it said last. Raises ItemRefused."""
    with transaction.atomic():
        item = _locked(item_id)
        if item.origin != CatalogueItem.Origin.CRM or not item.kept_here:
            raise ItemRefused(_("Every field of this item is the CRM’s already."))
        item.kept_here = []
        says = item.crm_says.get("code", item.code)
        if taken_code(says, but=item.pk):
            raise ItemRefused(
                _("The CRM’s code %(code)s is another item’s: change that one first.")
                % {"code": says}
            )
        follow_crm(item)
        item.save()
        if (prices := prices_in_crm(item)) is not None:
            write_prices(item, prices)
        write_down(item, ["kept_here"], by)
        return item


def archive(*, item_id: int, archived: bool, by: User | None) -> CatalogueItem:
    """It is no longer offered, or offered again; what was made of it stays as it is."""
    with transaction.atomic():
        item = _locked(item_id)
        if item.is_archived != archived:
            item.archived_at = timezone.now() if archived else None
            keep_here(item, ["archived"])
            item.save()
            write_down(item, ["archived_at"], by)
        return item


def _locked(item_id: int) -> CatalogueItem:
    item = CatalogueItem.objects.select_for_update().filter(pk=item_id).first()
    if item is None:
        raise ItemRefused(_("This item is no longer here."))
    return item
