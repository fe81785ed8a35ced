"""The small things that the rest needs: fields, people, pipelines and stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models.functions import Lower
from django.utils import timezone

from billing_portal.accounts.models import User
from integrations.crm.contract import Definition, Place, Thing
from integrations.crm.suggesting import suggest_mappings
from integrations.crm.values import Refused, fingerprint
from integrations.crm.walking import BATCH, ENTITIES, Context, links_of, local_keys, new_link
from integrations.models import Connection, ExternalField, ExternalLink
from invoices.models import Pipeline, Stage


def read_fields(context: Context) -> None:
    read = {entity: context.crm.fields(entity) for entity in ENTITIES}
    with context.journal.page():
        keep_fields(context.connection, read)
        context.journal.advance("fields", sum(map(len, read.values())), done=True)
    context.read_mapping()


def read_users(context: Context) -> None:
    things = context.crm.users()
    links = links_of(context, "user")
    with context.journal.page():
        for thing in things:
            _keep_user(context, thing, links)
        context.journal.advance("users", len(things), done=True)
    context.users = local_keys(context, "user", links_of(context, "user"))


def _keep_user(context: Context, thing: Thing, links: Mapping[int, ExternalLink]) -> None:
    journal = context.journal
    try:
        person = context.crm.person_values(thing)
    except Refused as refusal:
        journal.refuse("user", thing.id, thing.title, refusal.notice)
        return
    print_ = fingerprint(person)
    link = links.get(person.external_id)
    user = User.objects.filter(pk=link.local_id).first() if link else None
    if user is not None and link is not None and link.fingerprint == print_:
        journal.count("unchanged")
        return
    if user is None:
        user = User.objects.annotate(small=Lower("email")).filter(small=person.email).first()
    if user is None:
        user = User.objects.create_user(
            person.email, name=person.name, role=User.Role.SALES, is_active=person.active
        )
        journal.count("created")
    elif user.has_usable_password() or user.role != User.Role.SALES:
        # Somebody who works here: the CRM has no say in what they are called or may do.
        journal.count("unchanged")
    else:
        journal.count("updated")
        user.name, user.is_active = person.name, person.active
        taken = User.objects.exclude(pk=user.pk).annotate(small=Lower("email"))
        if not taken.filter(small=person.email).exists():
            user.email = person.email
        user.save(update_fields=["name", "is_active", "email"])
    if link is None:
        new_link(context, "user", person.external_id, user.pk, print_).save()
    else:
        link.local_id, link.fingerprint = user.pk, print_
        link.save(update_fields=["local_id", "fingerprint"])


def read_pipelines(context: Context) -> None:
    pipelines, stages = context.crm.pipelines(), context.crm.stages()
    with context.journal.page():
        _keep_places(context, "pipeline", Pipeline, pipelines, {})
        parents = local_keys(context, "pipeline", links_of(context, "pipeline"))
        _keep_places(context, "stage", Stage, stages, parents)
        context.journal.advance("pipelines", len(pipelines) + len(stages), done=True)
    context.stages = local_keys(context, "stage", links_of(context, "stage"))


def _keep_places(
    context: Context,
    kind: str,
    model: type[Pipeline] | type[Stage],
    places: Sequence[Place],
    parents: Mapping[int, int],
) -> None:
    links = links_of(context, kind)
    rows = model.objects.in_bulk([link.local_id for link in links.values()])
    living = set()
    for place in places:
        values: dict[str, Any] = {"name": place.name, "position": place.position}
        if kind == "stage":
            parent = parents.get(place.pipeline_id or 0)
            if parent is None:
                continue
            values["pipeline_id"] = parent
        living.add(place.id)
        print_ = fingerprint(values)
        link = links.get(place.id)
        row = rows.get(link.local_id) if link else None
        if row is None:
            row = model.objects.create(**values)
            context.journal.count("created")
        elif link is not None and link.fingerprint == print_ and row.gone_at is None:
            context.journal.count("unchanged")
            continue
        else:
            for name, value in {**values, "gone_at": None}.items():
                setattr(row, name, value)
            row.save()
            context.journal.count("updated")
        if link is None:
            new_link(context, kind, place.id, row.pk, print_).save()
        else:
            link.local_id, link.fingerprint = row.pk, print_
            link.save(update_fields=["local_id", "fingerprint"])
    gone = [link.local_id for number, link in links.items() if number not in living]
    if gone:
        model.objects.filter(pk__in=gone, gone_at=None).update(gone_at=timezone.now())


def keep_fields(connection: Connection, read: Mapping[str, Sequence[Definition]]) -> None:
    """Keep the definitions by entity; the first ones also suggest which field holds what."""
    first = not connection.fields.exists()
    for entity, definitions in read.items():
        _keep_fields(connection, entity, definitions)
    if first and not connection.mappings.exists():
        suggest_mappings(connection)


def _keep_fields(connection: Connection, entity: str, definitions: Sequence[Definition]) -> None:
    known = {row.code: row for row in connection.fields.filter(entity=entity)}
    new, changed = [], []
    seen: set[str] = set()
    for definition in definitions:
        code = definition.code
        if code in seen:
            continue
        seen.add(code)
        values: dict[str, Any] = {
            "name": definition.name,
            "field_type": definition.field_type,
            "is_custom": definition.is_custom,
            "options": definition.options,
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
