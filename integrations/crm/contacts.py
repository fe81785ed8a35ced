"""Persons become contacts of clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from integrations.crm.clients import CLIENT_FIELDS, find_named, mapped_client_fields
from integrations.crm.contract import ContactValues, Thing
from integrations.crm.fields import Found
from integrations.crm.values import fingerprint
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
    update,
)
from integrations.models import ExternalLink
from invoices.models import Client, Contact

_FIELDS: Final = ["client", "name", "email", "phone", "job_title", "gone_at"]


def prepare(context: Context, things: list[Thing]) -> Callable[[], None]:
    find_named(context, things)
    read, _refused = read_each(
        context, "person", things, lambda thing: context.crm.contact_values(thing, context.rules)
    )
    return lambda: _keep(context, read)


def _keep(context: Context, read: list[tuple[Thing, ContactValues]]) -> None:
    journal = context.journal
    links = links_of(context, "person", [values.external_id for _thing, values in read])
    contacts = Contact.objects.in_bulk([link.local_id for link in links.values()])
    clients = local_keys(
        context, "organization", [values.organization_id or 0 for _thing, values in read]
    )
    new: list[tuple[Contact, ExternalLink]] = []
    changed, changed_links = [], []
    mapped: list[tuple[int, Found]] = []
    for thing, values in read:
        client_id = clients.get(values.organization_id or 0)
        link = links.get(values.external_id)
        contact = contacts.get(link.local_id) if link else None
        if client_id is None and contact is None:
            # Of no organisation: nobody that an invoice could go to.
            journal.count("unchanged")
            continue
        wanted = _contact_fields(values, client_id)
        print_ = fingerprint(wanted, plain(values.found))
        known = contact is not None and link is not None and link.fingerprint == print_
        if known and contact is not None and contact.gone_at is None:
            assert link is not None
            journal.count("unchanged")
            if renew(link, print_, thing.changed_at):
                changed_links.append(link)
            continue
        notice(context, "person", values.external_id, values.name, values.found)
        if client_id is not None and values.found.values:
            mapped.append((client_id, values.found))
        if contact is None:
            # A link whose row is no longer here finds the new one.
            made = link or new_link(context, "person", values.external_id, 0, print_)
            renew(made, print_, thing.changed_at)
            new.append((Contact(**wanted), made))
            journal.count("created")
            continue
        if client_id is not None and contact.client_id != client_id:
            moved(context, contact.client_id, client_id)
        if assign(contact, wanted):
            changed.append(contact)
            journal.count("updated")
        else:
            journal.count("unchanged")
        assert link is not None
        renew(link, print_, thing.changed_at)
        changed_links.append(link)
    Contact.objects.bulk_create([contact for contact, _link in new], batch_size=BATCH)
    for contact, link in new:
        link.local_id = contact.pk
    update(Contact, changed, _FIELDS)
    keep_links([*(link for _contact, link in new), *changed_links])
    apply_to_clients(context, mapped)


def _contact_fields(values: ContactValues, client_id: int | None) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "name": values.name,
        "email": values.email,
        "phone": values.phone,
        "job_title": values.job_title,
        "gone_at": None,
    }
    if client_id is not None:
        wanted["client_id"] = client_id
    return wanted


def apply_to_clients(context: Context, mapped: list[tuple[int, Found]]) -> None:
    """Values of clients that the mapping takes from deals or persons; the newest wins."""
    if not mapped:
        return
    people = [f.values["billing_person"] for _pk, f in mapped if "billing_person" in f.values]
    emails: dict[int, str] = {}
    if people:
        local = local_keys(context, "person", people)
        known = Contact.objects.in_bulk(local.values())
        emails = {n: known[pk].email for n, pk in local.items() if pk in known}
    clients = Client.objects.in_bulk({pk for pk, _found in mapped})
    changed = {}
    for pk, found in mapped:
        fields = mapped_client_fields(found)
        if email := emails.get(found.values.get("billing_person", 0)):
            fields["billing_email"] = email
        if pk in clients and assign(clients[pk], fields):
            changed[pk] = clients[pk]
    update(Client, list(changed.values()), CLIENT_FIELDS)
