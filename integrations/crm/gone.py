"""What the CRM no longer shows: deleted there, or only hidden from the owner of our token.

Objects leave the lists without a word, for either reason, and only one of them may end the billing
of a deal. So nothing counts as deleted but what the CRM itself says: it lists the deal as deleted,
or the object, asked for by its number, is deleted or not there. Whatever else is missing is marked
as no longer visible, and nothing changes here.
"""

from __future__ import annotations

from typing import Any, Final

from django.utils import timezone

from billing_portal.notices import Notice, count
from integrations.crm.contract import Hidden
from integrations.crm.deals import mark_deleted
from integrations.crm.products import archive_gone
from integrations.crm.walking import Context
from integrations.models import Connection, ExternalLink
from invoices.clients.merging import merge_clients
from invoices.deals.changes import changing
from invoices.deals.choosing import follow_merges
from invoices.models import CatalogueItem, Client, Contact, Deal

# More than so many missing at once, and more than this part of all, are rarely deleted ones: a
# person of the CRM lost the right to see them. Somebody is asked before each is looked up.
FEW: Final = 20
SUDDEN_PERCENT: Final = 2


def find_gone(context: Context) -> None:
    """The last step: look for those that we miss."""
    run = context.run
    moves: dict[str, list[int]] = run.resume.get("moves", {})
    clients = Client.objects.filter(gone_at=None)
    if not context.full:
        clients = clients.filter(pk__in={int(pk) for pk in moves})
    gone = _missing(context, "organization", set(clients.values_list("pk", flat=True)))
    contacts: list[int] = []
    deals: list[int] = []
    items: list[int] = []
    if context.full:
        people = Contact.objects.filter(gone_at=None).values_list("pk", flat=True)
        contacts = _missing(context, "person", set(people))
        living = Deal.objects.exclude(status=Deal.Status.DELETED).values_list("pk", flat=True)
        deals = _missing(context, "deal", set(living))
        if "product" not in context.unavailable:
            offered = CatalogueItem.objects.offered().filter(origin=CatalogueItem.Origin.CRM)
            items = _missing(context, "product", set(offered.values_list("pk", flat=True)))
        if context.incomplete:
            context.journal.notice("", "", "", [Notice("crm.not_whole")])
    now = timezone.now()
    with context.journal.page():
        for pk in gone:
            targets = [target for target in moves.get(str(pk), []) if target not in gone]
            Client.objects.filter(pk=pk, gone_at=None).update(gone_at=now, merged_into=None)
            if len(targets) == 1:
                merge_clients(loser_id=pk, winner_id=targets[0], at=now)
        if gone:
            follow_merges(timezone.localdate())
        if contacts:
            Contact.objects.filter(pk__in=contacts).update(gone_at=now)
        if deals:
            mark_deleted(deals)
        if items:
            archive_gone(items)
        number = len(gone) + len(contacts) + len(deals) + len(items)
        context.journal.count("updated", number)
        context.journal.advance("gone", number, done=True)
        if context.full:
            Connection.objects.filter(pk=context.connection.pk).update(
                missing=context.connection.missing
            )


def _missing(context: Context, entity: str, living: set[int]) -> list[int]:
    """Of our living rows those that are deleted in the CRM; hidden ones are marked and told of."""
    if not living or (context.full and entity in context.incomplete):
        return []
    links = {
        int(link.external_id): link
        for link in ExternalLink.objects.filter(provider=context.provider, kind=entity)
        if link.local_id in living
    }
    missed = links.keys() - context.seen[entity]
    if not context.run.check_missing:
        # Known to be hidden; the lists will show them when they no longer are.
        missed = {number for number in missed if links[number].hidden_at is None}
    missed -= {each.id for each in context.crm.some(entity, sorted(missed)) if not each.deleted}
    if not missed:
        context.connection.missing.pop(entity, None)
        return []
    if _is_sudden(context, len(missed), len(links)):
        context.connection.missing[entity] = {"missing": len(missed), "all": len(links)}
        sentence = Notice("crm.many_missing", missing=count(len(missed)), all=count(len(links)))
        context.journal.notice(entity, "", "", [sentence])
        return []
    context.connection.missing.pop(entity, None)
    return _looked_up(context, entity, sorted(missed), links)


def _is_sudden(context: Context, missed: int, known: int) -> bool:
    if not context.full or context.run.check_missing:
        return False
    return missed > max(FEW, known * SUDDEN_PERCENT // 100)


def _looked_up(
    context: Context, entity: str, missed: list[int], links: dict[int, ExternalLink]
) -> list[int]:
    deleted, hidden = [], []
    for number in missed:
        try:
            thing = context.crm.one(entity, number)
        except Hidden:
            hidden.append(number)
            continue
        if thing is None or thing.deleted:
            deleted.append(links[number].local_id)
    new = [links[number] for number in hidden if links[number].hidden_at is None]
    with context.journal.page():
        for link in new:
            label = _label(entity, link.local_id)
            context.journal.notice(entity, link.external_id, label, [Notice("crm.hidden")])
        now = timezone.now()
        ExternalLink.objects.filter(pk__in=[link.pk for link in new]).update(hidden_at=now)
        if entity == "product":
            archive_gone([link.local_id for link in new])
        if entity == "deal":
            pks = [link.local_id for link in new]
            with changing(pks, timezone.localdate()):
                Deal.objects.filter(pk__in=pks).update(hidden_at=now)
    return deleted


def _label(entity: str, pk: int) -> str:
    models: dict[str, Any] = {
        "organization": Client,
        "person": Contact,
        "deal": Deal,
        "product": CatalogueItem,
    }
    return str(models[entity].objects.filter(pk=pk).first() or "")
