"""Deals with their lines and discounts; what was billed of them is told, never changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils import timezone

from billing_portal.notices import Notice
from integrations.crm.clients import find_named
from integrations.crm.contacts import apply_to_clients
from integrations.crm.contract import DealValues, LineValues, Thing
from integrations.crm.fields import Found
from integrations.crm.values import Refused, fingerprint
from integrations.crm.walking import (
    BATCH,
    Context,
    assign,
    keep_links,
    links_of,
    local_keys,
    moved,
    new_link,
    notice,
    plain,
    read_each,
    renew,
    says,
    update,
)
from integrations.models import ExternalLink
from invoices.deals.changes import changing
from invoices.models import Deal, DealDiscount, DealInstalment, DealLine

_DEAL_FIELDS: Final = [
    *(
        "title",
        "client",
        "client_in_crm",
        "contact",
        "owner",
        "stage",
        "status",
        "archived",
        "currency",
    ),
    *("value_minor", "tax_method", "added_on", "won_on", "purchase_order", "service_from"),
    *("service_until", "import_notes", "outdated", "hidden_at", "updated_at"),
]


def prepare(context: Context, things: list[Thing]) -> Callable[[], None]:
    links = links_of(context, "deal", [each.id for each in things if each.id is not None])
    fresh = [each for each in things if context.full or not _is_this_version(each, links)]
    parts = context.crm.parts_of(fresh)
    if parts.no_instalments and context.full and "instalments" not in context.unavailable:
        # Once in a full import: a plan without them is no news each quarter of an hour.
        context.unavailable.add("instalments")
        context.journal.notice("deal", "", "", [Notice("crm.no_instalments")])
    find_named(context, fresh)
    read, refused = read_each(
        context, "deal", fresh, lambda thing: context.crm.deal_values(thing, parts, context.rules)
    )
    same = len(things) - len(fresh)

    def write() -> None:
        context.journal.count("unchanged", same)
        _keep(context, read, links)
        _mark_outdated(context, refused, links)

    return write


def _is_this_version(thing: Thing, links: Mapping[int, ExternalLink]) -> bool:
    """Whether this very version came in before: within the overlap each does."""
    link = links.get(thing.id or 0)
    if link is None or link.hidden_at is not None or not link.fingerprint:
        return False
    return bool(thing.changed_at) and link.external_updated_at == thing.changed_at


@dataclass
class _Page:
    """What a page of deals changes."""

    new: list[tuple[Deal, ExternalLink, DealValues]] = field(default_factory=list)
    changed: list[tuple[Deal, DealValues]] = field(default_factory=list)
    links: list[ExternalLink] = field(default_factory=list)
    deleted: list[int] = field(default_factory=list)
    # Our items by the numbers of products.
    items: dict[int, int] = field(default_factory=dict)
    # Values of clients that the mapping takes from deals.
    mapped: list[tuple[int, Found]] = field(default_factory=list)


def _keep(
    context: Context,
    read: list[tuple[Thing, DealValues]],
    links: Mapping[int, ExternalLink],
) -> None:
    clients = local_keys(context, "organization", [v.organization_id or 0 for _t, v in read])
    people = local_keys(context, "person", [v.person_id or 0 for _t, v in read])
    products = [line.product_id for _t, v in read for line in v.lines if line.product_id]
    items = local_keys(context, "product", products)
    # Locked: a person who chooses the client of a deal meanwhile waits, or was there before.
    known = (
        Deal.objects.select_for_update(of=("self",))
        .order_by("pk")
        .in_bulk([links[v.external_id].local_id for _t, v in read if v.external_id in links])
    )
    page = _Page()
    for thing, values in read:
        link = links.get(values.external_id)
        deal = known.get(link.local_id) if link else None
        if values.status == Deal.Status.DELETED:
            _keep_deleted(context, thing, deal, link, page)
            continue
        client_id = clients.get(values.organization_id or 0)
        _explain_client(values, client_id)
        wanted = _deal_fields(
            values,
            client_id,
            people.get(values.person_id or 0),
            context.users.get(values.owner_id or 0),
            context.stages.get(values.stage_id or 0),
        )
        _keep_one(context, thing, values, wanted, deal, link, page)
    page.items = items
    _write(context, page)
    mark_deleted(page.deleted)


def _keep_one(
    context: Context,
    thing: Thing,
    values: DealValues,
    wanted: dict[str, Any],
    deal: Deal | None,
    link: ExternalLink | None,
    page: _Page,
) -> None:
    journal, number, client_id = context.journal, values.external_id, wanted["client_id"]
    marks = ("outdated", "hidden_at")
    content = {name: value for name, value in wanted.items() if name not in marks}
    print_ = fingerprint(
        content, values.lines, values.discounts, plain(values.found), values.instalments
    )
    wanted = _beside_choice(deal, wanted)
    # The print alone does not prove it: since then somebody may have marked our row.
    if deal is not None and link is not None and link.fingerprint == print_ and says(deal, wanted):
        journal.count("unchanged")
        if renew(link, print_, thing.changed_at):
            page.links.append(link)
        return
    wanted["import_notes"] = [journal.kept(each) for each in values.found.notices]
    notice(context, "deal", number, values.title, values.found)
    if client_id is not None and values.found.values:
        page.mapped.append((client_id, values.found))
    if deal is None or link is None:
        made = link or new_link(context, "deal", number, 0, print_)
        renew(made, print_, thing.changed_at)
        page.new.append((Deal(**wanted), made, values))
        journal.count("created")
        return
    before = deal.client_in_crm_id if deal.client_chosen_at else deal.client_id
    if client_id and before and before != client_id:
        moved(context, before, client_id)
    page.changed.append((deal, values))
    journal.count("updated")
    assign(deal, wanted)
    renew(link, print_, thing.changed_at)
    page.links.append(link)


def _beside_choice(deal: Deal | None, wanted: dict[str, Any]) -> dict[str, Any]:
    """A client that a person chose stays; what the CRM names is kept beside it."""
    if deal is None or deal.client_chosen_at is None:
        return {**wanted, "client_in_crm_id": None}
    return {**wanted, "client_id": deal.client_id, "client_in_crm_id": wanted["client_id"]}


def _write(context: Context, page: _Page) -> None:
    # Clients are changed in there too: whoever issues an invoice locks its client before it.
    with changing([deal.pk for deal, _values in page.changed], timezone.localdate()):
        _write_rows(context, page)


def _write_rows(context: Context, page: _Page) -> None:
    Deal.objects.bulk_create([deal for deal, _link, _values in page.new], batch_size=BATCH)
    for deal, link, _values in page.new:
        link.local_id = deal.pk
    update(Deal, [deal for deal, _values in page.changed], _DEAL_FIELDS)
    _keep_lines([(deal.pk, values) for deal, _link, values in page.new], page.items)
    if page.changed:
        pks = [deal.pk for deal, _values in page.changed]
        DealLine.objects.filter(deal_id__in=pks).delete()
        DealDiscount.objects.filter(deal_id__in=pks).delete()
        told = [deal.pk for deal, values in page.changed if values.instalments is not None]
        DealInstalment.objects.filter(deal_id__in=told).delete()
        _keep_lines([(deal.pk, values) for deal, values in page.changed], page.items)
    keep_links([*(link for _deal, link, _values in page.new), *page.links])
    apply_to_clients(context, page.mapped)


def _explain_client(values: DealValues, client_id: int | None) -> None:
    if values.organization_id is None:
        values.found.notices.append(Notice("crm.no_organisation"))
    elif client_id is None:
        values.found.notices.append(
            Notice("crm.organisation_unseen", number=values.organization_id)
        )


def _mark_outdated(
    context: Context,
    refused: list[tuple[Thing, Refused]],
    links: Mapping[int, ExternalLink],
) -> None:
    """What is here is older than what the CRM has and can no longer be read: it is not billed."""
    for thing, refusal in refused:
        link = links.get(thing.id or 0)
        if link is None:
            continue
        reason = context.journal.kept(refusal.notice)
        rows = Deal.objects.filter(pk=link.local_id).exclude(status=Deal.Status.DELETED)
        with changing([link.local_id], timezone.localdate()):
            if not rows.filter(outdated={}).update(outdated=reason, updated_at=timezone.now()):
                rows.update(outdated=reason)


# ─ Deleted


def _keep_deleted(
    context: Context, thing: Thing, deal: Deal | None, link: ExternalLink | None, page: _Page
) -> None:
    """A deal that is gone keeps its lines and its invoice; one never seen stays away."""
    if deal is None or link is None or deal.status == Deal.Status.DELETED:
        context.journal.count("unchanged")
        return
    page.deleted.append(deal.pk)
    context.journal.count("updated")
    renew(link, link.fingerprint, thing.changed_at)
    page.links.append(link)


def mark_deleted(pks: list[int]) -> None:
    now = timezone.now()
    with changing(pks, timezone.localdate()):
        Deal.objects.filter(pk__in=pks).update(status=Deal.Status.DELETED, updated_at=now)


# ─ Rows


def _line(pk: int, place: int, line: LineValues, items: Mapping[int, int]) -> DealLine:
    columns = dict(vars(line))
    product = columns.pop("product_id")
    return DealLine(deal_id=pk, position=place, item_id=items.get(product or 0), **columns)


def _keep_lines(rows: list[tuple[int, DealValues]], items: Mapping[int, int]) -> None:
    DealLine.objects.bulk_create(
        [
            _line(pk, place, line, items)
            for pk, values in rows
            for place, line in enumerate(values.lines, 1)
        ],
        batch_size=2_000,
    )
    DealInstalment.objects.bulk_create(
        [
            DealInstalment(deal_id=pk, position=place, **vars(each))
            for pk, values in rows
            for place, each in enumerate(values.instalments or (), 1)
        ],
        batch_size=2_000,
    )
    DealDiscount.objects.bulk_create(
        [
            DealDiscount(deal_id=pk, position=place, **vars(each))
            for pk, values in rows
            for place, each in enumerate(values.discounts, 1)
        ],
        batch_size=2_000,
    )


def _deal_fields(
    values: DealValues,
    client_id: int | None,
    contact_id: int | None,
    owner_id: int | None,
    stage_id: int | None,
) -> dict[str, Any]:
    begin, until = values.found.values.get("service_period", (None, None))
    return {
        "title": values.title,
        "client_id": client_id,
        "contact_id": contact_id,
        "owner_id": owner_id,
        "stage_id": stage_id,
        "status": values.status,
        "archived": values.archived,
        "currency": values.currency,
        "value_minor": values.value_minor,
        "tax_method": values.tax_method,
        "added_on": values.added_on,
        "won_on": values.won_on,
        "purchase_order": values.found.values.get("purchase_order", ""),
        "service_from": begin,
        "service_until": until,
        "outdated": {},
        "hidden_at": None,
    }
