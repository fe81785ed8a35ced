"""Organisations become clients, persons their contacts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.db.models.functions import Lower
from django.utils import timezone

from integrations.core.http import Json
from integrations.crm.fields import Found
from integrations.crm.places import PullSettings
from integrations.crm.values import country_code, fingerprint
from integrations.crm.walking import BATCH, assign, plain, update
from integrations.models import ExternalLink, Provider
from integrations.pipedrive import mapping
from integrations.pipedrive.mapping import ClientValues
from invoices.models import Client, ClientType, Contact

UNCLASSIFIED: Final = "Unclassified"
# Organisations that deals name and the lists do not have are looked up one by one, but not many.
MOST_LOOKUPS: Final = 5
_FRENCH_SPEAKING: Final = frozenset(("FR", "BE", "LU", "MC", "CH", "RE", "GP", "MQ", "GF", "YT"))
_CLIENT_FIELDS: Final = [
    *("name", "owner", "client_type", "language", "terms_kind", "terms_days", "vat_id", "siren"),
    *("address_line1", "address_line2", "postal_code", "city", "country", "billing_email"),
    *("gone_at", "merged_into", "updated_at"),
]
_CONTACT_FIELDS: Final = ["client", "name", "email", "phone", "job_title", "gone_at"]


class PullClients(PullSettings):
    # ─ Organisations

    def _organizations(self) -> None:
        self._walk("organizations", "organization", self._prepare_clients)

    def _prepare_clients(self, things: list[Json]) -> Callable[[], None]:
        read = self._read(
            "organization", things, lambda thing: mapping.client_values(thing, self.rules)
        )
        return lambda: self._keep_clients(read)

    def _keep_clients(self, read: list[tuple[Json, ClientValues]]) -> None:
        links = self._links("organization", [values.external_id for _thing, values in read])
        clients = Client.objects.in_bulk([link.local_id for link in links.values()])
        unlinked = self._unlinked([v for _t, v in read if v.external_id not in links])
        new: list[tuple[Client, ExternalLink]] = []
        changed, changed_links, adopted = [], [], []
        for thing, values in read:
            gone = thing.get("is_deleted") is True
            owner = self.users.get(values.owner_id or 0)
            print_ = fingerprint(values.name, owner, values.address, plain(values.found), gone)
            stamp = str(thing.get("update_time") or "")[:40]
            link = links.get(values.external_id)
            client = clients.get(link.local_id) if link else None
            same = client is not None and link is not None and link.fingerprint == print_
            if same and client is not None and (gone or client.gone_at is None):
                self.journal.count("unchanged")
                continue
            self._notice("organization", values.external_id, values.name, values.found)
            if client is None:
                client = self._adoptable(values, unlinked)
            wanted = self._client_fields(values, owner)
            wanted["gone_at"] = (client and client.gone_at) or timezone.now() if gone else None
            if not gone:
                wanted["merged_into_id"] = None
            if client is None:
                client = self._new_client(wanted, values)
                new.append(
                    (client, self._link("organization", values.external_id, 0, print_, stamp))
                )
                self.journal.count("created")
                continue
            if assign(client, wanted):
                changed.append(client)
                self.journal.count("updated")
            else:
                self.journal.count("unchanged")
            if link is None:
                adopted.append(
                    self._link("organization", values.external_id, client.pk, print_, stamp)
                )
            else:
                link.local_id = client.pk
                link.fingerprint, link.external_updated_at = print_, stamp
                changed_links.append(link)
        Client.objects.bulk_create([client for client, _link in new], batch_size=BATCH)
        for client, link in new:
            link.local_id = client.pk
        update(Client, changed, _CLIENT_FIELDS)
        self._keep_links([link for _client, link in new] + adopted, changed_links)

    def _client_fields(self, values: ClientValues, owner: int | None) -> dict[str, Any]:
        fields: dict[str, Any] = {"name": values.name, **_mapped_client_fields(values.found)}
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

    def _new_client(self, wanted: dict[str, Any], values: ClientValues) -> Client:
        company = self.company
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
            given["client_type_id"] = self._unclassified()
        return Client(**given)

    def _unclassified(self) -> int:
        return ClientType.objects.get_or_create(name=UNCLASSIFIED, defaults={"position": 900})[0].pk

    def _unlinked(self, values: list[ClientValues]) -> list[Client]:
        """Clients that came in another way, before the CRM was connected."""
        if not values or not Client.objects.exists():
            return []
        taken = ExternalLink.objects.filter(
            provider=Provider.PIPEDRIVE, kind="organization"
        ).values("local_id")
        names = [each.name.lower() for each in values]
        sirens = [each.found.values["siren"] for each in values if "siren" in each.found.values]
        rows = Client.objects.annotate(small=Lower("name")).exclude(pk__in=taken)
        by_name = rows.filter(small__in=names)
        by_siren = rows.filter(siren__in=sirens) if sirens else rows.none()
        return list({row.pk: row for row in (*by_name, *by_siren)}.values())

    @staticmethod
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

    def _find_organizations(self, deals: list[Json]) -> None:
        """Deals may name an organisation that the lists leave out: a deleted or a very new one."""
        named = {n for each in deals if isinstance(n := each.get("org_id"), int)}
        missing = sorted(named - self._local("organization", named).keys() - self.absent)
        found = []
        if len(missing) > MOST_LOOKUPS:
            found = self.client.some("organization", missing)
            missing = sorted(set(missing) - {each.get("id") for each in found})
        for number in missing:
            if self.lookups >= MOST_LOOKUPS:
                break
            self.lookups += 1
            thing = self.client.organization(number)
            if thing is None:
                self.absent.add(number)
            else:
                found.append(thing)
        if found:
            write = self._prepare_clients(found)
            with self.journal.page():
                write()

    # ─ Persons

    def _persons(self) -> None:
        self._walk("persons", "person", self._prepare_contacts)

    def _prepare_contacts(self, things: list[Json]) -> Callable[[], None]:
        self._find_organizations(things)
        read = self._read("person", things, lambda thing: mapping.contact_values(thing, self.rules))
        return lambda: self._keep_contacts(read)

    def _keep_contacts(self, read: list[Any]) -> None:
        links = self._links("person", [values.external_id for _thing, values in read])
        contacts = Contact.objects.in_bulk([link.local_id for link in links.values()])
        clients = self._local(
            "organization", [values.organization_id or 0 for _thing, values in read]
        )
        new, changed, changed_links = [], [], []
        mapped: list[tuple[int, Found]] = []
        for thing, values in read:
            client_id = clients.get(values.organization_id or 0)
            link = links.get(values.external_id)
            contact = contacts.get(link.local_id) if link else None
            if client_id is None and contact is None:
                # Of no organisation: nobody that an invoice could go to.
                self.journal.count("unchanged")
                continue
            wanted: dict[str, Any] = {
                "name": values.name,
                "email": values.email,
                "phone": values.phone,
                "job_title": values.job_title,
                "gone_at": None,
            }
            if client_id is not None:
                wanted["client_id"] = client_id
            print_ = fingerprint(wanted, plain(values.found))
            stamp = str(thing.get("update_time") or "")[:40]
            if (
                contact is not None
                and link is not None
                and link.fingerprint == print_
                and contact.gone_at is None
            ):
                self.journal.count("unchanged")
                continue
            self._notice("person", values.external_id, values.name, values.found)
            if client_id is not None and values.found.values:
                mapped.append((client_id, values.found))
            if contact is None:
                new.append(
                    (Contact(**wanted), self._link("person", values.external_id, 0, print_, stamp))
                )
                self.journal.count("created")
                continue
            if client_id is not None and contact.client_id != client_id:
                self._moved(contact.client_id, client_id)
            if assign(contact, wanted):
                changed.append(contact)
                self.journal.count("updated")
            else:
                self.journal.count("unchanged")
            assert link is not None
            link.fingerprint, link.external_updated_at = print_, stamp
            changed_links.append(link)
        Contact.objects.bulk_create([contact for contact, _link in new], batch_size=BATCH)
        for contact, link in new:
            link.local_id = contact.pk
        update(Contact, changed, _CONTACT_FIELDS)
        self._keep_links([link for _contact, link in new], changed_links)
        self._apply_to_clients(mapped)

    def _apply_to_clients(self, mapped: list[tuple[int, Found]]) -> None:
        """Values of clients that the mapping takes from deals or persons; the newest wins."""
        if not mapped:
            return
        people = [f.values["billing_person"] for _pk, f in mapped if "billing_person" in f.values]
        emails: dict[int, str] = {}
        if people:
            local = self._local("person", people)
            known = Contact.objects.in_bulk(local.values())
            emails = {n: known[pk].email for n, pk in local.items() if pk in known}
        clients = Client.objects.in_bulk({pk for pk, _found in mapped})
        changed = {}
        for pk, found in mapped:
            fields = _mapped_client_fields(found)
            if email := emails.get(found.values.get("billing_person", 0)):
                fields["billing_email"] = email
            if pk in clients and assign(clients[pk], fields):
                changed[pk] = clients[pk]
        update(Client, list(changed.values()), _CLIENT_FIELDS)


def _mapped_client_fields(found: Found) -> dict[str, Any]:
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
