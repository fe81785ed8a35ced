"""Deals with their lines and discounts; drafts made from them are told, never changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.core.http import Json
from integrations.crm.clients import PullClients
from integrations.crm.fields import Found
from integrations.crm.values import fingerprint, one_line
from integrations.crm.walking import BATCH, assign, plain, update
from integrations.models import ExternalLink
from integrations.pipedrive import mapping
from integrations.pipedrive.client import MOST_IDS, PAGE
from integrations.pipedrive.mapping import DealValues
from invoices.models import Deal, DealDiscount, DealLine, Invoice, InvoiceEvent

_DEAL_FIELDS: Final = [
    *("title", "client", "contact", "owner", "stage", "status", "archived", "currency"),
    *("value_minor", "tax_method", "added_on", "won_on", "purchase_order", "service_from"),
    *("service_until", "import_notes", "updated_at"),
]
_LINE_FIELDS: Final = [
    *("name", "description", "quantity", "unit", "unit_price", "discount", "discount_kind"),
    *("tax_percent", "enabled", "billing_frequency"),
]


class PullDeals(PullClients):
    def _deals(self) -> None:
        self._walk("deals", "deal", self._prepare_deals)

    def _archived(self) -> None:
        self._walk("archived", "deal", self._prepare_deals)

    def _prepare_deals(self, things: list[Json]) -> Callable[[], None]:
        numbers = [n for each in things if isinstance(n := each.get("id"), int)]
        links = self._links("deal", numbers)
        fresh = [each for each in things if self.full or not self._is_known(each, links)]
        lines, discounts = self._more_of(fresh)
        self._find_organizations(fresh)
        self._find_units(lines)
        read = self._read(
            "deal",
            fresh,
            lambda thing: mapping.deal_values(
                thing,
                lines.get(thing.get("id", 0), []),
                discounts.get(thing.get("id", 0), []),
                self.units,
                self.rules,
            ),
        )
        same = len(things) - len(fresh)

        def write() -> None:
            self.journal.count("unchanged", same)
            self._keep_deals(read, links)

        return write

    @staticmethod
    def _is_known(thing: Json, links: Mapping[int, ExternalLink]) -> bool:
        """Whether this very version came in before: within the overlap each does."""
        link = links.get(thing.get("id", 0))
        stamp = thing.get("update_time")
        return link is not None and bool(stamp) and link.external_updated_at == stamp

    def _more_of(self, deals: list[Json]) -> tuple[dict[int, list[Json]], dict[int, list[Json]]]:
        """Lines and extra discounts, in as few requests as the provider allows."""
        lines: dict[int, list[Json]] = {}
        for batch in _batches(deals):
            for line in self.client.lines(batch):
                lines.setdefault(line.get("deal_id", 0), []).append(line)
        discounts = {
            deal["id"]: self.client.discounts(deal["id"])
            for deal in deals
            if mapping.asks_for_discounts(deal, lines.get(deal.get("id", 0), []))
        }
        return lines, discounts

    def _find_units(self, lines: Mapping[int, list[Json]]) -> None:
        products = {
            n
            for each in lines.values()
            for line in each
            if isinstance(n := line.get("product_id"), int)
        }
        unknown = sorted(products - self.units.keys())[:MOST_IDS]
        if not unknown:
            return
        self.units |= dict.fromkeys(unknown, "")
        for product in self.client.products(unknown):
            unit = product.get("unit")
            if isinstance(unit, str) and isinstance(product.get("id"), int):
                self.units[product["id"]] = one_line(unit)[:40]

    def _keep_deals(
        self, read: list[tuple[Json, DealValues]], links: Mapping[int, ExternalLink]
    ) -> None:
        clients = self._local("organization", [v.organization_id or 0 for _t, v in read])
        people = self._local("person", [v.person_id or 0 for _t, v in read])
        known = Deal.objects.in_bulk(
            [links[v.external_id].local_id for _t, v in read if v.external_id in links]
        )
        drafts = Invoice.objects.filter(deal_id__in=list(known), status=Invoice.Status.DRAFT)
        drafted = set(drafts.values_list("deal_id", flat=True))
        new: list[tuple[Deal, ExternalLink, DealValues]] = []
        changed: list[tuple[Deal, DealValues]] = []
        changed_links: list[ExternalLink] = []
        mapped: list[tuple[int, Found]] = []
        for thing, values in read:
            number = values.external_id
            link = links.get(number)
            deal = known.get(link.local_id) if link else None
            if values.status == Deal.Status.DELETED:
                self._keep_deleted(thing, deal, link, changed_links)
                continue
            client_id = clients.get(values.organization_id or 0)
            resolved = (
                client_id,
                people.get(values.person_id or 0),
                self.users.get(values.owner_id or 0),
                self.stages.get(values.stage_id or 0),
            )
            self._explain_client(values, client_id)
            wanted = _deal_fields(values, resolved)
            print_ = fingerprint(wanted, values.lines, values.discounts, plain(values.found))
            stamp = str(thing.get("update_time") or "")[:40]
            if deal is not None and link is not None and link.fingerprint == print_:
                self.journal.count("unchanged")
                if link.external_updated_at != stamp:
                    link.external_updated_at = stamp
                    changed_links.append(link)
                continue
            wanted["import_notes"] = values.found.notices + values.found.hints
            self._notice("deal", number, values.title, values.found)
            if client_id is not None and values.found.values:
                mapped.append((client_id, values.found))
            if deal is None or link is None:
                new.append((Deal(**wanted), self._link("deal", number, 0, print_, stamp), values))
                self.journal.count("created")
                continue
            if client_id and deal.client_id and deal.client_id != client_id:
                self._moved(deal.client_id, client_id)
            changed.append((deal, values))
            self.journal.count("updated")
            if deal.pk in drafted:
                self._tell_drafts(deal, wanted, values)
            assign(deal, wanted)
            link.fingerprint, link.external_updated_at = print_, stamp
            changed_links.append(link)
        Deal.objects.bulk_create([deal for deal, _link, _values in new], batch_size=BATCH)
        for deal, link, _values in new:
            link.local_id = deal.pk
        update(Deal, [deal for deal, _values in changed], _DEAL_FIELDS)
        self._keep_lines([(deal.pk, values) for deal, _link, values in new])
        if changed:
            pks = [deal.pk for deal, _values in changed]
            DealLine.objects.filter(deal_id__in=pks).delete()
            DealDiscount.objects.filter(deal_id__in=pks).delete()
            self._keep_lines([(deal.pk, values) for deal, values in changed])
        self._keep_links([link for _deal, link, _values in new], changed_links)
        self._apply_to_clients(mapped)

    def _explain_client(self, values: DealValues, client_id: int | None) -> None:
        if values.organization_id is None:
            values.found.notices.append(
                _("It has no organisation, and an invoice needs a client. Add one in Pipedrive.")
            )
        elif client_id is None:
            values.found.notices.append(
                _(
                    "Its organisation (number %(number)s) is deleted in Pipedrive or hidden from "
                    "the token’s owner, so it has no client here."
                )
                % {"number": values.organization_id}
            )

    def _keep_deleted(
        self,
        thing: Json,
        deal: Deal | None,
        link: ExternalLink | None,
        changed_links: list[ExternalLink],
    ) -> None:
        """A deal that is gone keeps its lines and its invoice; one never seen stays away."""
        if deal is None or link is None or deal.status == Deal.Status.DELETED:
            self.journal.count("unchanged")
            return
        self._mark_deleted([deal])
        self.journal.count("updated")
        link.external_updated_at = str(thing.get("update_time") or "")[:40]
        # No fingerprint of a living deal equals it, so a restored one comes back.
        link.fingerprint = ""
        changed_links.append(link)

    def _mark_deleted(self, deals: Sequence[Deal]) -> None:
        pks = [deal.pk for deal in deals]
        Deal.objects.filter(pk__in=pks).update(
            status=Deal.Status.DELETED, updated_at=timezone.now()
        )
        self._tell(pks, _("The deal was deleted in Pipedrive after this draft was made."))

    def _tell_drafts(self, deal: Deal, wanted: dict[str, Any], values: DealValues) -> None:
        """A draft is never changed behind a person's back: its timeline says that the deal was."""
        billed = ("client_id", "currency", "tax_method", "purchase_order", "title")
        before = [getattr(deal, name) for name in billed]
        after = [wanted.get(name, getattr(deal, name)) for name in billed]
        if before == after and self._stored_lines(deal) == _comparable(values):
            return
        self._tell(
            [deal.pk],
            _("The deal changed in Pipedrive after this draft was made. Compare before you issue."),
        )

    @staticmethod
    def _stored_lines(deal: Deal) -> list[tuple[Any, ...]]:
        lines = deal.lines.values_list(*_LINE_FIELDS)
        discounts = deal.discounts.values_list("description", "kind", "value")
        return [*lines, *discounts]

    def _tell(self, deal_pks: list[int], text: str) -> None:
        drafts = Invoice.objects.filter(deal_id__in=deal_pks, status=Invoice.Status.DRAFT)
        InvoiceEvent.objects.bulk_create(
            InvoiceEvent(
                invoice=draft,
                kind=InvoiceEvent.Kind.NOTE,
                on=timezone.localdate(),
                data={"text": text, "source": "pipedrive"},
            )
            for draft in drafts
        )

    @staticmethod
    def _keep_lines(rows: list[tuple[int, DealValues]]) -> None:
        DealLine.objects.bulk_create(
            [
                DealLine(deal_id=pk, position=place, **vars(line))
                for pk, values in rows
                for place, line in enumerate(values.lines, 1)
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
    values: DealValues, resolved: tuple[int | None, int | None, int | None, int | None]
) -> dict[str, Any]:
    client_id, contact_id, owner_id, stage_id = resolved
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
    }


def _comparable(values: DealValues) -> list[tuple[Any, ...]]:
    lines = [tuple(getattr(line, name) for name in _LINE_FIELDS) for line in values.lines]
    return [*lines, *((each.description, each.kind, each.value) for each in values.discounts)]


def _batches(deals: list[Json]) -> list[list[int]]:
    """Ids of deals with lines, so few that the lines fit on one page."""
    batches: list[list[int]] = []
    size = PAGE
    for deal in deals:
        count = deal.get("products_count")
        if count == 0 or deal.get("is_deleted") is True or not isinstance(deal.get("id"), int):
            continue
        weight = count if isinstance(count, int) and count > 0 else 1
        if not batches or len(batches[-1]) == MOST_IDS or size + weight > PAGE:
            batches.append([])
            size = 0
        batches[-1].append(deal["id"])
        size += weight
    return batches
