"""The clients of a history, with their types and the people who look after them."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from billing_portal.accounts.models import User
from invoices.history.batches import Writing
from invoices.history.plan import PLAIN_FIELDS, Plan
from invoices.history.rows import ClientRow, key_of
from invoices.models import Client, ClientType, Company


def write_clients(writing: Writing) -> None:
    """`writing.clients` knows the new ones too when this is done."""
    plan = writing.plan
    people, types = _people(plan), _types(plan)
    rows = [(row, _client(row, writing.company, people, types)) for row in plan.new_clients]
    writing.insert(Client, [client for _row, client in rows])
    writing.clients.update({row.key: client for row, client in rows})
    _change(writing, people, types)


def _people(plan: Plan) -> dict[str, User]:
    for email in plan.new_people:
        # Sales who cannot sign in until an administrator invites them.
        User.objects.create_user(email, name=_name_of(email), role=User.Role.SALES)
    wanted = {row.owner_email for row in plan.rows.clients if row.owner_email}
    return {u.email.lower(): u for u in User.objects.all() if u.email.lower() in wanted}


def _types(plan: Plan) -> dict[str, ClientType]:
    taken = set(ClientType.objects.values_list("mark", flat=True))
    position = ClientType.objects.aggregate(most=models.Max("position"))["most"] or 0
    marks = {str(label).casefold(): value for value, label in ClientType.Mark.choices}
    for key, name in plan.new_types.items():
        mark = marks.get(key, ClientType.Mark.NONE.value)
        position = min(position + 1, 32_000)
        ClientType.objects.create(
            name=name,
            mark=ClientType.Mark.NONE if mark in taken else mark,
            position=position,
        )
        taken.add(mark)
    return {key_of(t.name): t for t in ClientType.objects.all()}


def _change(writing: Writing, people: dict[str, User], types: dict[str, ClientType]) -> None:
    changed: list[Client] = []
    names: set[str] = set()
    for change in writing.plan.changes:
        row, client = change.row, change.client
        names.update(change.fields)
        for name in change.fields:
            if name == "client_type":
                client.client_type = types[key_of(row.client_type)]
            elif name == "owner":
                client.owner = people[row.owner_email]
            else:
                setattr(client, name, getattr(row, name))
        client.updated_at = timezone.now()
        changed.append(client)
    if changed:
        Client.objects.bulk_update(changed, sorted({*names, "updated_at"}), batch_size=500)
        writing.count(len(changed))


def _client(
    row: ClientRow, company: Company, people: dict[str, User], types: dict[str, ClientType]
) -> Client:
    given: dict[str, Any] = {
        "country": company.country,
        "currency": company.currency,
        "language": company.language,
        "terms_days": company.terms_days,
        "terms_kind": company.terms_kind,
    }
    for attribute, name in PLAIN_FIELDS.items():
        if getattr(row, attribute) not in ("", None):
            given[name] = getattr(row, attribute)
    if row.terms_days is not None:
        given["terms_kind"] = "net"
    return Client(
        name=row.name,
        client_type=types[key_of(row.client_type)],
        owner=people.get(row.owner_email),
        **given,
    )


def _name_of(email: str) -> str:
    """A name to show until the person's own is known: lea.martin@… is Lea Martin."""
    words = email.split("@")[0].replace("_", ".").replace("-", ".").split(".")
    return " ".join(word.capitalize() for word in words if word)[:255]
