"""Organisations become clients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from django.db.models.functions import Lower
from django.utils import timezone

from integrations.crm.contract import ClientValues, Hidden, Thing
from integrations.crm.fields import Found
from integrations.crm.values import country_code, fingerprint
from integrations.crm.walking import (
    BATCH,
    Context,
    assign,
    keep_links,
    links_of,
    local_keys,
    new_link,
    notice,
    plain,
    read_each,
    renew,
    update,
)
from integrations.models import ExternalLink
from invoices.models import Client, ClientType, Company

UNCLASSIFIED: Final = "Unclassified"
# Organisations that deals name and the lists do not have are looked up one by one, but not many.
MOST_LOOKUPS: Final = 5
_FRENCH_SPEAKING: Final = frozenset(("FR", "BE", "LU", "MC", "CH", "RE", "GP", "MQ", "GF", "YT"))
CLIENT_FIELDS: Final = [
    *("name", "owner", "client_type", "language", "terms_kind", "terms_days", "vat_id", "siren"),
    *("address_line1", "address_line2", "postal_code", "city", "country", "billing_email"),
    *("gone_at", "merged_into", "updated_at"),
]


def prepare(context: Context, things: list[Thing]) -> Callable[[], None]:
    read, _refused = read_each(
        context,
        "organization",
        things,
        lambda thing: context.crm.client_values(thing, context.rules),
    )
    return lambda: _keep(context, read)


def _keep(context: Context, read: list[tuple[Thing, ClientValues]]) -> None:
    journal = context.journal
    links = links_of(context, "organization", [values.external_id for _thing, values in read])
    clients = Client.objects.in_bulk([link.local_id for link in links.values()])
    unlinked = _unlinked(context, [v for _t, v in read if v.external_id not in links])
    new: list[tuple[Client, ExternalLink]] = []
    changed, changed_links = [], []
    for thing, values in read:
        owner = context.users.get(values.owner_id or 0)
        print_ = fingerprint(values.name, owner, values.address, plain(values.found), thing.deleted)
        link = links.get(values.external_id)
        client = clients.get(link.local_id) if link else None
        if client is not None and link is not None and _is_known(thing, link, client, print_):
            journal.count("unchanged")
            if renew(link, print_, thing.changed_at):
                changed_links.append(link)
            continue
        notice(context, "organization", values.external_id, values.name, values.found)
        if client is None:
            client = _adoptable(values, unlinked)
        wanted = _client_fields(values, owner)
        wanted["gone_at"] = (client and client.gone_at) or timezone.now() if thing.deleted else None
        if not thing.deleted:
            wanted["merged_into_id"] = None
        if client is None:
            client = _new_client(context.company, wanted)
            made = link or new_link(context, "organization", values.external_id, 0, print_)
            renew(made, print_, thing.changed_at)
            new.append((client, made))
            journal.count("created")
            continue
        if assign(client, wanted):
            changed.append(client)
            journal.count("updated")
        else:
            journal.count("unchanged")
        link = link or new_link(context, "organization", values.external_id, client.pk, print_)
        link.local_id = client.pk
        renew(link, print_, thing.changed_at)
        changed_links.append(link)
    Client.objects.bulk_create([client for client, _link in new], batch_size=BATCH)
    for client, link in new:
        link.local_id = client.pk
    update(Client, changed, CLIENT_FIELDS)
    keep_links([*(link for _client, link in new), *changed_links])


def _is_known(thing: Thing, link: ExternalLink, client: Client, print_: str) -> bool:
    """Read before, word for word, and our row still says that it lives, or that it is gone.

    Names and addresses are not compared with the row: what finance mended here stays until the CRM
    changes it.
    """
    if link.fingerprint != print_:
        return False
    if thing.deleted:
        return client.gone_at is not None
    return client.gone_at is None and client.merged_into_id is None


def _client_fields(values: ClientValues, owner: int | None) -> dict[str, Any]:
    fields: dict[str, Any] = {"name": values.name, **mapped_client_fields(values.found)}
    if owner is not None:
        fields["owner_id"] = owner
    address = values.address
    if address.line1 or address.city:
        fields |= {
            "address_line1": address.line1,
            "address_line2": address.line2,
            "postal_code": address.postal_code,
            "city": address.city,
        }
    if address.country:
        fields["country"] = address.country
    return fields


def _new_client(company: Company, wanted: dict[str, Any]) -> Client:
    vat_country = str(wanted.get("vat_id", ""))[:2].replace("EL", "GR")
    country = wanted.get("country") or country_code(vat_country) or company.country
    given = {
        "language": "fr" if country in _FRENCH_SPEAKING else "en",
        "currency": company.currency,
        "terms_kind": company.terms_kind,
        "terms_days": company.terms_days,
        **wanted,
        "country": country,
    }
    if "client_type_id" not in given:
        given["client_type_id"] = _unclassified()
    return Client(**given)


def _unclassified() -> int:
    return ClientType.objects.get_or_create(name=UNCLASSIFIED, defaults={"position": 900})[0].pk


def _unlinked(context: Context, values: list[ClientValues]) -> list[Client]:
    """Clients that came in another way, before the CRM was connected."""
    if not values or not Client.objects.exists():
        return []
    taken = ExternalLink.objects.filter(provider=context.provider, kind="organization").values(
        "local_id"
    )
    names = [each.name.lower() for each in values]
    sirens = [each.found.values["siren"] for each in values if "siren" in each.found.values]
    rows = Client.objects.annotate(small=Lower("name")).exclude(pk__in=taken)
    by_name = rows.filter(small__in=names)
    by_siren = rows.filter(siren__in=sirens) if sirens else rows.none()
    return list({row.pk: row for row in (*by_name, *by_siren)}.values())


def _adoptable(values: ClientValues, unlinked: list[Client]) -> Client | None:
    """The one client that this organisation plainly is; of two, neither."""
    siren = values.found.values.get("siren")
    same = [row for row in unlinked if siren and row.siren == siren]
    if not same:
        same = [
            row
            for row in unlinked
            if row.name.lower() == values.name.lower()
            and not (siren and row.siren and row.siren != siren)
        ]
    if len(same) != 1:
        return None
    unlinked.remove(same[0])
    return same[0]


def find_named(context: Context, things: Sequence[Thing]) -> None:
    """Deals may name an organisation that the lists leave out: a deleted or a very new one."""
    named = {each.organization_id for each in things if each.organization_id}
    known = local_keys(context, "organization", named).keys()
    missing = sorted(named - known - context.absent)
    found: list[Thing] = []
    if len(missing) > MOST_LOOKUPS:
        found = context.crm.some("organization", missing)
        missing = sorted(set(missing) - {each.id for each in found})
    for number in missing:
        if context.lookups >= MOST_LOOKUPS:
            break
        context.lookups += 1
        try:
            thing = context.crm.one("organization", number)
        except Hidden:
            thing = None
        if thing is None:
            context.absent.add(number)
        else:
            found.append(thing)
    if found:
        write = prepare(context, found)
        with context.journal.page():
            write()


def mapped_client_fields(found: Found) -> dict[str, Any]:
    values = found.values
    fields: dict[str, Any] = {
        name: values[name]
        for name in ("vat_id", "siren", "billing_email", "language")
        if name in values
    }
    if "client_type" in values:
        fields["client_type_id"] = values["client_type"]
    if "payment_terms" in values:
        fields["terms_kind"], fields["terms_days"] = values["payment_terms"]
    return fields
