"""Products of the CRM become items of the catalogue; what was typed here stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils import timezone

from billing_portal.notices import Notice
from integrations.core.http import ProviderError
from integrations.crm.contract import ProductValues, Thing
from integrations.crm.values import fingerprint
from integrations.crm.walking import (
    BATCH,
    Context,
    keep_links,
    links_of,
    new_link,
    read_each,
    renew,
    walk,
)
from integrations.models import ExternalLink
from invoices.catalogue.keeping import (
    OF_THE_CRM,
    crm_values,
    follow_crm,
    prices_in_crm,
    write_prices,
)
from invoices.catalogue.units import PIECE, known_unit
from invoices.models import CatalogueItem, CataloguePrice
from invoices.models.catalogue import LONGEST_CODE, code_key

# What a plan or a right that is missing is answered with; a bad token is 401, and stops the import.
NOT_FOR_US = (402, 403, 404)


def read_products(context: Context) -> None:
    """One step of an import. A plan without products, or a token that may not see them, is told."""
    try:
        walk(context, "products", lambda things: prepare(context, things))
    except ProviderError as error:
        if error.retryable or error.status not in NOT_FOR_US:
            raise
        context.unavailable.add("product")
        if context.full:
            context.journal.notice("product", "", "", [Notice("crm.no_products")])


def prepare(context: Context, things: list[Thing]) -> Callable[[], None]:
    links = links_of(context, "product", [each.id for each in things if each.id is not None])
    read, _refused = read_each(
        context, "product", things, lambda thing: context.crm.product_values(thing)
    )
    return lambda: _keep(context, read, links)


@dataclass
class _Page:
    new: list[tuple[CatalogueItem, ExternalLink, dict[str, Decimal]]] = field(default_factory=list)
    links: list[ExternalLink] = field(default_factory=list)


def _keep(
    context: Context,
    read: list[tuple[Thing, ProductValues]],
    links: Mapping[int, ExternalLink],
) -> None:
    # Locked: somebody who edits an item meanwhile waits, or was there before.
    known = (
        CatalogueItem.objects.select_for_update()
        .order_by("pk")
        .prefetch_related("prices")
        .in_bulk([links[v.external_id].local_id for _t, v in read if v.external_id in links])
    )
    codes = _Codes([_code_of(values) for _thing, values in read])
    page = _Page()
    for thing, values in read:
        link = links.get(values.external_id)
        item = known.get(link.local_id) if link else None
        if item is None and values.deleted:
            context.journal.count("unchanged")
            continue
        _keep_one(context, thing, values, item, link, codes, page)
    CatalogueItem.objects.bulk_create([item for item, _l, _p in page.new], batch_size=BATCH)
    CataloguePrice.objects.bulk_create(
        [
            CataloguePrice(item=item, currency=currency, unit_price=price)
            for item, _link, prices in page.new
            for currency, price in prices.items()
        ],
        batch_size=BATCH,
    )
    for item, made, _prices in page.new:
        made.local_id = item.pk
    keep_links([*(made for _item, made, _prices in page.new), *page.links])


def _keep_one(
    context: Context,
    thing: Thing,
    values: ProductValues,
    item: CatalogueItem | None,
    link: ExternalLink | None,
    codes: _Codes,
    page: _Page,
) -> None:
    journal, number = context.journal, values.external_id
    print_ = fingerprint(_said(values, values.code))
    if item is not None and link is not None and link.fingerprint == print_:
        journal.count("unchanged")
        if renew(link, print_, thing.changed_at):
            page.links.append(link)
        return
    if item is None:
        item = codes.own(_code_of(values))
    wanted = _code_of(values)
    code = codes.free(wanted, number, item)
    if code != wanted:
        values.notices.append(Notice("crm.code_taken", wanted=wanted, given=code))
    journal.notice("product", number, values.name, values.notices)
    made = link or new_link(context, "product", number, item.pk if item else 0, print_)
    renew(made, print_, thing.changed_at)
    if item is None:
        fresh = CatalogueItem(nature=context.company.usual_nature)
        _take(fresh, number, _said(values, code))
        page.new.append((fresh, made, prices_in_crm(fresh) or {}))
        journal.count("created")
        return
    if item.origin == CatalogueItem.Origin.OWN:
        # It was here first: nothing of it is overwritten, and it may be given to the CRM later.
        item.kept_here = sorted(OF_THE_CRM)
    _take(item, number, _said(values, code))
    item.save()
    if (prices := prices_in_crm(item)) is not None:
        write_prices(item, prices)
    if made.local_id != item.pk:
        made.local_id = item.pk
    page.links.append(made)
    journal.count("updated")


def _take(item: CatalogueItem, number: int, said: dict[str, Any]) -> None:
    item.origin, item.crm_number, item.crm_says = CatalogueItem.Origin.CRM, str(number), said
    follow_crm(item)


def _said(values: ProductValues, code: str) -> dict[str, Any]:
    return {
        "code": code,
        "name": values.name,
        "description": values.description,
        "unit": known_unit(values.unit) or PIECE,
        "vat": format(values.tax_percent.normalize() + 0, "f"),
        "prices": {c: format(p.normalize() + 0, "f") for c, p in sorted(values.prices.items())},
        "archived": values.deleted or not values.active,
    }


def _code_of(values: ProductValues) -> str:
    return values.code or f"CRM-{values.external_id}"


class _Codes:
    """Which codes are whose, for a page of products; the CRM lets two of them share one."""

    def __init__(self, wanted: Iterable[str]) -> None:
        keys = {code_key(code) for code in wanted}
        rows = CatalogueItem.objects.select_for_update().filter(code_key__in=keys).order_by("pk")
        self._holders: dict[str, CatalogueItem | None] = {row.code_key: row for row in rows}

    def own(self, code: str) -> CatalogueItem | None:
        """The item of ours with this code, which the product then is."""
        held = self._holders.get(code_key(code))
        return held if held is not None and held.origin == CatalogueItem.Origin.OWN else None

    def free(self, code: str, number: int, item: CatalogueItem | None) -> str:
        """The code, or where another item has it one with the product's number behind it."""
        key = code_key(code)
        holder = self._holders.get(key)
        is_ours = item is not None and holder is not None and holder.pk == item.pk
        if key in self._holders and not is_ours:
            code = f"{code[: LONGEST_CODE - len(str(number)) - 1]}-{number}"
        self._holders[code_key(code)] = item
        return code


def archive_gone(pks: Sequence[int]) -> None:
    """Deleted or hidden in the CRM: no longer offered, never deleted; a word of ours holds."""
    for item in CatalogueItem.objects.select_for_update().filter(pk__in=pks).order_by("pk"):
        item.crm_says = {**item.crm_says, "archived": True}
        if "archived_at" in crm_values(item):
            item.archived_at = item.archived_at or timezone.now()
        item.save(update_fields=["crm_says", "archived_at", "updated_at"])
