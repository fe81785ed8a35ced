"""The small things that the rest needs: fields, people, pipelines and stages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models.functions import Lower
from django.utils import timezone

from billing_portal.accounts.models import User
from integrations.core.http import Json
from integrations.crm.suggesting import suggest_mappings
from integrations.crm.values import Refused, external_id, fingerprint, one_line
from integrations.crm.walking import BATCH, ENTITIES, Pull
from integrations.models import Connection, ExternalField, ExternalLink
from integrations.pipedrive import mapping
from invoices.models import Pipeline, Stage


class PullSettings(Pull):
    def _fields(self) -> None:
        read = {entity: self.client.fields(entity) for entity in ENTITIES}
        with self.journal.page():
            keep_fields(self.connection, read)
            self.journal.advance("fields", sum(map(len, read.values())), done=True)
        self._read_mapping()

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
        print_ = fingerprint(person)
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
                number = external_id(thing)
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
            print_ = fingerprint(values)
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


def keep_fields(connection: Connection, read: Mapping[str, list[Json]]) -> None:
    """Keep the definitions by entity; the first ones also suggest which field holds what."""
    first = not connection.fields.exists()
    for entity, definitions in read.items():
        _keep_fields(connection, entity, definitions)
    if first and not connection.mappings.exists():
        suggest_mappings(connection)


def _keep_fields(connection: Connection, entity: str, definitions: list[Json]) -> None:
    known = {row.code: row for row in connection.fields.filter(entity=entity)}
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
                "label": one_line(str(each.get("label") or ""))[:255],
            }
            for each in definition.get("options") or ()
            if isinstance(each, dict) and isinstance(each.get("id"), (int, str))
        ]
        values: dict[str, Any] = {
            "name": one_line(str(definition.get("field_name") or code))[:255],
            "field_type": str(definition.get("field_type") or "")[:30],
            "is_custom": definition.get("is_custom_field") is True,
            "options": options,
        }
        row = known.get(code)
        if row is None:
            new.append(ExternalField(connection=connection, entity=entity, code=code, **values))
        elif any(getattr(row, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(row, name, value)
            changed.append(row)
    ExternalField.objects.bulk_create(new, batch_size=BATCH)
    if changed:
        ExternalField.objects.bulk_update(
            changed, ["name", "field_type", "is_custom", "options"], batch_size=BATCH
        )
    if lost := [row.pk for code, row in known.items() if code not in seen]:
        ExternalField.objects.filter(pk__in=lost).delete()
