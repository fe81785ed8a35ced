"""Pull from Pipedrive: pages of its JSON become clients, contacts, people and deals.

Who wins: the CRM for what it maps and fills in, each time the object changes there; an empty field
of the CRM never erases ours, and what is not mapped belongs to finance. Twice is the same as once:
a fingerprint of what was read stands beside each link, and equal ones are left alone. Each page is
one transaction that also saves where to go on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models.functions import Lower
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from integrations.http import AddressRefused, Json, ProviderError
from integrations.models import (
    Connection,
    ExternalField,
    ExternalLink,
    Provider,
    SyncRun,
)
from integrations.pipedrive import mapping
from integrations.pipedrive.client import MOST_IDS, PAGE, Pipedrive
from integrations.pipedrive.mapping import ClientValues, DealValues, Found, Refused, Rules, Source
from integrations.pipedrive.suggest import suggest_mappings
from integrations.runs import DryJournal, Journal, TakenOver
from invoices.models import (
    Client,
    ClientType,
    Company,
    Contact,
    Deal,
    DealDiscount,
    DealLine,
    Invoice,
    InvoiceEvent,
    Pipeline,
    Stage,
)

logger = logging.getLogger(__name__)

STEPS: Final = (
    "fields",
    "users",
    "pipelines",
    "organizations",
    "persons",
    "deals",
    "archived",
    "gone",
)
ENTITIES: Final = ("organization", "deal", "person")
UNCLASSIFIED: Final = "Unclassified"
# Clocks differ, and an object may become visible a little after its own time stamp.
OVERLAP: Final = timedelta(minutes=5)
# Organisations that deals name and the lists do not have are looked up one by one, but not many.
MOST_LOOKUPS: Final = 5
_BATCH: Final = 500


@dataclass
class Result:
    """What a dry run would have done."""

    run: SyncRun
    refusals: list[Any]


def carry_out(run: SyncRun, *, on_progress: Callable[[SyncRun], None] | None = None) -> SyncRun:
    """Work on a claimed run to its end. A refusal of the provider ends it as failed, in words."""
    journal = Journal(run, on_progress)
    language = run.started_by.language if run.started_by else "en-gb"
    with translation.override(language):
        try:
            with _client(run.connection, journal) as client:
                journal.client_requests = lambda: client.requests
                _Sync(client, run.connection, journal, full=run.full).all()
        except TakenOver:
            logger.warning("Sync run %s was taken over by another process.", run.pk)
        except AddressRefused as refusal:
            journal.fail(str(refusal), pause=True)
        except ProviderError as error:
            journal.fail(str(error), pause=error.credentials)
        except Exception:
            journal.fail(
                _("A fault of the portal stopped this import. What came in is kept; tell support.")
            )
            raise
    return run


def dry_run(
    connection: Connection, *, full: bool, on_progress: Callable[[SyncRun], None] | None = None
) -> Result:
    """Read everything and count what would change; nothing is kept. Raises ProviderError.

    The database is rolled back at the end; SQLite lets nobody else write meanwhile.
    """
    run = SyncRun(connection=connection, full=full, state=SyncRun.State.RUNNING)
    journal = DryJournal(run, on_progress)
    with _client(connection, journal) as client, transaction.atomic():
        journal.client_requests = lambda: client.requests
        _Sync(client, connection, journal, full=full).all()
        transaction.set_rollback(True)
    return Result(run, journal.refusals)


def _client(connection: Connection, journal: Journal) -> Pipedrive:
    return Pipedrive(
        connection.base_url, connection.api_token, sleep=journal.sleep, before=journal.beat
    )


def load_rules(connection: Connection) -> Rules:
    fields = {(each.entity, each.code): each for each in connection.fields.all()}
    sources = []
    for row in connection.mappings.order_by("pk"):
        known = fields.get((row.entity, row.code))
        if known is None:
            continue
        labels = {str(each["id"]): str(each["label"]) for each in known.options}
        sources.append(
            Source(
                row.target, row.entity, row.code, known.name, known.field_type, labels, row.options
            )
        )
    types = {name.casefold(): pk for pk, name in ClientType.objects.values_list("pk", "name")}
    return Rules(tuple(sources), types, timezone.get_default_timezone())


class _Sync:
    def __init__(
        self, client: Pipedrive, connection: Connection, journal: Journal, *, full: bool
    ) -> None:
        self.client, self.connection, self.journal, self.full = client, connection, journal, full
        self.run = journal.run
        self.rules = load_rules(connection)
        self.company = Company.objects.filter(pk=1).first() or Company()
        self.seen: dict[str, set[int]] = {entity: set() for entity in ENTITIES}
        self.absent: set[int] = set()
        self.lookups = 0
        self.units: dict[int, str] = {}
        self.users: dict[int, int] = {}
        self.stages: dict[int, int] = {}

    def all(self) -> None:
        reached = self.run.resume.get("step") or STEPS[0]
        start = STEPS.index(reached) if reached in STEPS else 0
        # What is small is read again after a crash: the later steps need it.
        for step in STEPS:
            if STEPS.index(step) >= start or step in ("fields", "users", "pipelines"):
                self.journal.begin(step)
                getattr(self, f"_{step}")()
        self.journal.finish()

    # ─ Links

    def _links(self, kind: str, ids: Iterable[int] | None = None) -> dict[int, ExternalLink]:
        rows = ExternalLink.objects.filter(provider=Provider.PIPEDRIVE, kind=kind)
        if ids is not None:
            rows = rows.filter(external_id__in=[str(number) for number in ids])
        return {int(row.external_id): row for row in rows}

    def _local(self, kind: str, ids: Iterable[int]) -> dict[int, int]:
        wanted = [str(number) for number in set(ids)]
        rows = ExternalLink.objects.filter(
            provider=Provider.PIPEDRIVE, kind=kind, external_id__in=wanted
        ).values_list("external_id", "local_id")
        return {int(external): local for external, local in rows}

    def _link(
        self, kind: str, external_id: int, local_id: int, print_: str, changed_at: str = ""
    ) -> ExternalLink:
        return ExternalLink(
            provider=Provider.PIPEDRIVE,
            kind=kind,
            external_id=str(external_id),
            local_id=local_id,
            external_updated_at=changed_at,
            fingerprint=print_,
        )

    @staticmethod
    def _keep_links(new: list[ExternalLink], changed: list[ExternalLink]) -> None:
        ExternalLink.objects.bulk_create(new, batch_size=_BATCH)
        if changed:
            ExternalLink.objects.bulk_update(
                changed, ["local_id", "external_updated_at", "fingerprint"], batch_size=_BATCH
            )

    # ─ What is small

    def _fields(self) -> None:
        first = not self.connection.fields.exists()
        read = {entity: self.client.fields(entity) for entity in ENTITIES}
        with self.journal.page():
            for entity, definitions in read.items():
                self._keep_fields(entity, definitions)
                self.journal.advance("fields", len(definitions), done=True)
            if first and not self.connection.mappings.exists():
                suggest_mappings(self.connection)
        self.rules = load_rules(self.connection)

    def _keep_fields(self, entity: str, definitions: list[Json]) -> None:
        known = {row.code: row for row in self.connection.fields.filter(entity=entity)}
        new, changed = [], []
        seen: set[str] = set()
        for definition in definitions:
            code = definition.get("field_code")
            if not isinstance(code, str) or not 0 < len(code) <= 80 or code in seen:
                continue
            seen.add(code)
            options = [
                {
                    "id": each.get("id"),
                    "label": mapping.one_line(str(each.get("label") or ""))[:255],
                }
                for each in definition.get("options") or ()
                if isinstance(each, dict) and isinstance(each.get("id"), (int, str))
            ]
            values: dict[str, Any] = {
                "name": mapping.one_line(str(definition.get("field_name") or code))[:255],
                "field_type": str(definition.get("field_type") or "")[:30],
                "is_custom": definition.get("is_custom_field") is True,
                "options": options,
            }
            row = known.get(code)
            if row is None:
                new.append(
                    ExternalField(connection=self.connection, entity=entity, code=code, **values)
                )
            elif any(getattr(row, name) != value for name, value in values.items()):
                for name, value in values.items():
                    setattr(row, name, value)
                changed.append(row)
        ExternalField.objects.bulk_create(new, batch_size=_BATCH)
        if changed:
            ExternalField.objects.bulk_update(
                changed, ["name", "field_type", "is_custom", "options"], batch_size=_BATCH
            )
        if lost := [row.pk for code, row in known.items() if code not in seen]:
            ExternalField.objects.filter(pk__in=lost).delete()

    def _users(self) -> None:
        things = self.client.users()
        links = self._links("user")
        with self.journal.page():
            for thing in things:
                self._keep_user(thing, links)
            self.journal.advance("users", len(things), done=True)
        self.users = self._local("user", self._links("user"))

    def _keep_user(self, thing: Json, links: Mapping[int, ExternalLink]) -> None:
        try:
            person = mapping.user_values(thing)
        except Refused as refusal:
            self.journal.refuse("user", thing.get("id"), mapping.title_of(thing), str(refusal))
            return
        print_ = mapping.fingerprint(person)
        link = links.get(person.external_id)
        if link is not None and link.fingerprint == print_:
            self.journal.count("unchanged")
            return
        user = User.objects.filter(pk=link.local_id).first() if link else None
        if user is None:
            user = User.objects.annotate(small=Lower("email")).filter(small=person.email).first()
        if user is None:
            user = User.objects.create_user(
                person.email, name=person.name, role=User.Role.SALES, is_active=person.active
            )
            self.journal.count("created")
        elif user.has_usable_password() or user.role != User.Role.SALES:
            # Somebody who works here: the CRM has no say in what they are called or may do.
            self.journal.count("unchanged")
        else:
            self.journal.count("updated")
            user.name, user.is_active = person.name, person.active
            taken = User.objects.exclude(pk=user.pk).annotate(small=Lower("email"))
            if not taken.filter(small=person.email).exists():
                user.email = person.email
            user.save(update_fields=["name", "is_active", "email"])
        if link is None:
            self._link("user", person.external_id, user.pk, print_).save()
        else:
            link.local_id, link.fingerprint = user.pk, print_
            link.save(update_fields=["local_id", "fingerprint"])

    def _pipelines(self) -> None:
        pipelines, stages = self.client.pipelines(), self.client.stages()
        with self.journal.page():
            self._keep_places("pipeline", Pipeline, pipelines, {})
            parents = self._local("pipeline", self._links("pipeline"))
            self._keep_places("stage", Stage, stages, parents)
            self.journal.advance("pipelines", len(pipelines) + len(stages), done=True)
        self.stages = self._local("stage", self._links("stage"))

    def _keep_places(
        self,
        kind: str,
        model: type[Pipeline] | type[Stage],
        things: list[Json],
        parents: Mapping[int, int],
    ) -> None:
        links = self._links(kind)
        rows = model.objects.in_bulk([link.local_id for link in links.values()])
        living = set()
        for thing in things:
            try:
                number = mapping.external_id(thing)
            except Refused:
                continue
            if thing.get("is_deleted") is True:
                continue
            order = thing.get("order_nr")
            values: dict[str, Any] = {
                "name": mapping.title_of(thing) or str(number),
                "position": order if isinstance(order, int) and abs(order) < 2**31 else 0,
            }
            if kind == "stage":
                parent = parents.get(thing.get("pipeline_id") or 0)
                if parent is None:
                    continue
                values["pipeline_id"] = parent
            living.add(number)
            print_ = mapping.fingerprint(values)
            link = links.get(number)
            row = rows.get(link.local_id) if link else None
            if row is None:
                row = model.objects.create(**values)
                self.journal.count("created")
            elif link is not None and link.fingerprint == print_ and row.gone_at is None:
                self.journal.count("unchanged")
                continue
            else:
                for name, value in {**values, "gone_at": None}.items():
                    setattr(row, name, value)
                row.save()
                self.journal.count("updated")
            if link is None:
                self._link(kind, number, row.pk, print_).save()
            else:
                link.local_id, link.fingerprint = row.pk, print_
                link.save(update_fields=["local_id", "fingerprint"])
        gone = [link.local_id for number, link in links.items() if number not in living]
        if gone:
            model.objects.filter(pk__in=gone, gone_at=None).update(gone_at=timezone.now())

    # ─ Pages

    def _walk(
        self, step: str, entity: str, prepare: Callable[[list[Json]], Callable[[], None]]
    ) -> None:
        """Page after page: `prepare` asks the provider for more, what it returns writes."""
        resume = self.run.resume
        cursors = self.connection.cursors
        if resume.get("step") == step and "since" in resume:
            since, cursor, newest = (resume.get(key) for key in ("since", "cursor", "newest"))
        else:
            since, cursor, newest = self._since(step), None, None
        if step == "deals" and self.full and cursor is None:
            self.journal.advance(step, 0, self.client.deal_count())
        while True:
            try:
                page = self.client.changed(
                    entity, since=since, cursor=cursor, archived=step == "archived"
                )
            except ProviderError as error:
                if cursor is None or error.status not in (400, 404, 410, 422):
                    raise
                # A cursor from before a crash may have expired: its last moment serves as well.
                since, cursor = newest or since, None
                continue
            self.seen[entity].update(
                n for each in page.items if isinstance(n := each.get("id"), int)
            )
            stamps = [
                each["update_time"] for each in page.items if _is_moment(each.get("update_time"))
            ]
            newest = max([*stamps, *([newest] if newest else [])], default=None)
            write = prepare(page.items)
            cursor = page.next_cursor
            last = cursor is None
            with self.journal.page():
                write()
                self.journal.advance(step, len(page.items), done=last)
                if last:
                    following = STEPS[STEPS.index(step) + 1]
                    self.journal.place(step=following)
                    for key in ("since", "cursor", "newest"):
                        resume.pop(key, None)
                    if newest and newest > cursors.get(step, ""):
                        cursors[step] = newest
                        Connection.objects.filter(pk=self.connection.pk).update(cursors=cursors)
                else:
                    self.journal.place(step=step, since=since, cursor=cursor, newest=newest)
            if last:
                return

    def _since(self, step: str) -> str | None:
        reached = self.connection.cursors.get(step)
        if self.full or not reached:
            return None
        moment = datetime.fromisoformat(reached) - OVERLAP
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    # ─ Organisations

    def _organizations(self) -> None:
        self._walk("organizations", "organization", self._prepare_clients)

    def _prepare_clients(self, things: list[Json]) -> Callable[[], None]:
        read = self._read(
            "organization", things, lambda thing: mapping.client_values(thing, self.rules)
        )
        return lambda: self._keep_clients(read)

    def _read(self, kind: str, things: list[Json], reader: Callable[[Json], Any]) -> list[Any]:
        found = []
        for thing in things:
            try:
                found.append((thing, reader(thing)))
            except Refused as refusal:
                self.journal.refuse(kind, thing.get("id"), mapping.title_of(thing), str(refusal))
        return found

    def _keep_clients(self, read: list[tuple[Json, ClientValues]]) -> None:
        links = self._links("organization", [values.external_id for _thing, values in read])
        clients = Client.objects.in_bulk([link.local_id for link in links.values()])
        unlinked = self._unlinked([v for _t, v in read if v.external_id not in links])
        new: list[tuple[Client, ExternalLink]] = []
        changed, changed_links, adopted = [], [], []
        for thing, values in read:
            gone = thing.get("is_deleted") is True
            owner = self.users.get(values.owner_id or 0)
            print_ = mapping.fingerprint(
                values.name, owner, values.address, _plain(values.found), gone
            )
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
            if _assign(client, wanted):
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
        Client.objects.bulk_create([client for client, _link in new], batch_size=_BATCH)
        for client, link in new:
            link.local_id = client.pk
        _update(Client, changed, _CLIENT_FIELDS)
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
        country = wanted.get("country") or mapping.country_code(vat_country) or company.country
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

    def _notice(self, kind: str, external_id: int, label: str, found: Found) -> None:
        self.journal.notice(kind, external_id, label, found.notices)
        for target, option in found.unknown.items():
            row = self.connection.mappings.filter(target=target).first()
            if row is not None and option not in row.unknown and len(row.unknown) < 100:
                row.unknown = {**row.unknown, option: label}
                row.save(update_fields=["unknown"])

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
            print_ = mapping.fingerprint(wanted, _plain(values.found))
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
            if _assign(contact, wanted):
                changed.append(contact)
                self.journal.count("updated")
            else:
                self.journal.count("unchanged")
            assert link is not None
            link.fingerprint, link.external_updated_at = print_, stamp
            changed_links.append(link)
        Contact.objects.bulk_create([contact for contact, _link in new], batch_size=_BATCH)
        for contact, link in new:
            link.local_id = contact.pk
        _update(Contact, changed, _CONTACT_FIELDS)
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
            if pk in clients and _assign(clients[pk], fields):
                changed[pk] = clients[pk]
        _update(Client, list(changed.values()), _CLIENT_FIELDS)

    def _moved(self, from_client: int, to_client: int) -> None:
        """Remember who lost deals or people to whom: it shows which organisations were merged."""
        moves = self.run.resume.setdefault("moves", {})
        targets = moves.setdefault(str(from_client), [])
        if to_client not in targets:
            targets.append(to_client)

    # ─ Deals

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
                self.units[product["id"]] = mapping.one_line(unit)[:40]

    def _keep_deals(
        self, read: list[tuple[Json, DealValues]], links: Mapping[int, ExternalLink]
    ) -> None:
        clients = self._local("organization", [v.organization_id or 0 for _t, v in read])
        people = self._local("person", [v.person_id or 0 for _t, v in read])
        known = Deal.objects.in_bulk(
            [links[v.external_id].local_id for _t, v in read if v.external_id in links]
        )
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
            print_ = mapping.fingerprint(
                wanted, values.lines, values.discounts, _plain(values.found)
            )
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
            self._tell_drafts(deal, wanted, values)
            _assign(deal, wanted)
            link.fingerprint, link.external_updated_at = print_, stamp
            changed_links.append(link)
        Deal.objects.bulk_create([deal for deal, _link, _values in new], batch_size=_BATCH)
        for deal, link, _values in new:
            link.local_id = deal.pk
        _update(Deal, [deal for deal, _values in changed], _DEAL_FIELDS)
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
        if not Invoice.objects.filter(deal=deal, status=Invoice.Status.DRAFT).exists():
            return
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

    # ─ What is gone

    def _gone(self) -> None:
        """Deleted objects leave the lists without a word: look for those that we miss."""
        moves: dict[str, list[int]] = self.run.resume.get("moves", {})
        now = timezone.now()
        lost_from = {int(pk) for pk in moves}
        clients = Client.objects.filter(gone_at=None)
        if not self.full:
            clients = clients.filter(pk__in=lost_from)
        gone = self._verified_gone("organization", set(clients.values_list("pk", flat=True)))
        contacts: list[int] = []
        deals: list[int] = []
        if self.full:
            people = Contact.objects.filter(gone_at=None).values_list("pk", flat=True)
            contacts = self._verified_gone("person", set(people))
            living = Deal.objects.exclude(status=Deal.Status.DELETED).values_list("pk", flat=True)
            deals = self._verified_gone("deal", set(living))
        with self.journal.page():
            for pk in gone:
                targets = [target for target in moves.get(str(pk), []) if target not in gone]
                Client.objects.filter(pk=pk, gone_at=None).update(
                    gone_at=now, merged_into=targets[0] if len(targets) == 1 else None
                )
            if contacts:
                Contact.objects.filter(pk__in=contacts).update(gone_at=now)
            if deals:
                self._mark_deleted(list(Deal.objects.filter(pk__in=deals)))
            self.journal.count("updated", len(gone) + len(contacts) + len(deals))
            self.journal.advance("gone", len(gone) + len(contacts) + len(deals), done=True)

    def _verified_gone(self, entity: str, living: set[int]) -> list[int]:
        """Of our living rows those that the provider no longer has."""
        if not living:
            return []
        rows = ExternalLink.objects.filter(provider=Provider.PIPEDRIVE, kind=entity)
        linked = {
            int(external): local
            for external, local in rows.values_list("external_id", "local_id")
            if local in living
        }
        missed = sorted(linked.keys() - self.seen[entity])
        if not missed:
            return []
        if self.full and len(missed) > max(20, len(linked) // 2):
            # A token that sees less would wipe out what another one brought in.
            self.journal.notice(
                entity,
                "",
                "",
                [
                    _(
                        "%(missed)s of %(all)s are not visible to this token; none was marked as "
                        "deleted. Check what its owner may see."
                    )
                    % {"missed": len(missed), "all": len(linked)}
                ],
            )
            return []
        there = {each.get("id") for each in self.client.some(entity, missed) if _lives(each)}
        if entity == "deal" and (rest := [n for n in missed if n not in there]):
            there |= {
                each.get("id")
                for each in self.client.some(entity, rest, archived=True)
                if _lives(each)
            }
        return [linked[number] for number in missed if number not in there]


_FRENCH_SPEAKING: Final = frozenset(("FR", "BE", "LU", "MC", "CH", "RE", "GP", "MQ", "GF", "YT"))
_CLIENT_FIELDS: Final = [
    *("name", "owner", "client_type", "language", "terms_kind", "terms_days", "vat_id", "siren"),
    *("address_line1", "address_line2", "postal_code", "city", "country", "billing_email"),
    *("gone_at", "merged_into", "updated_at"),
]
_CONTACT_FIELDS: Final = ["client", "name", "email", "phone", "job_title", "gone_at"]
_DEAL_FIELDS: Final = [
    *("title", "client", "contact", "owner", "stage", "status", "archived", "currency"),
    *("value_minor", "tax_method", "added_on", "won_on", "purchase_order", "service_from"),
    *("service_until", "import_notes", "updated_at"),
]
_LINE_FIELDS: Final = [
    *("name", "description", "quantity", "unit", "unit_price", "discount", "discount_kind"),
    *("tax_percent", "enabled", "billing_frequency"),
]


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


def _plain(found: Found) -> tuple[Any, ...]:
    return (sorted(found.values.items()), sorted(found.unknown.items()))


def _assign(row: Any, wanted: Mapping[str, Any]) -> bool:
    """Set the fields; whether any of them was different."""
    different = False
    for name, value in wanted.items():
        if getattr(row, name) != value:
            setattr(row, name, value)
            different = True
    return different


def _update(model: Any, rows: list[Any], fields: list[str]) -> None:
    if not rows:
        return
    if "updated_at" in fields:
        now = timezone.now()
        for row in rows:
            row.updated_at = now
    model.objects.bulk_update(rows, fields, batch_size=_BATCH // 2)


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


def _is_moment(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _lives(thing: Json) -> bool:
    return thing.get("is_deleted") is not True
