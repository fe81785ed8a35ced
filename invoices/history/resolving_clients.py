"""The clients of the files held against the books: new, here already, or refused."""

from __future__ import annotations

from billing_portal.accounts.models import User
from invoices.history.plan import Change, Plan, changed_fields, chunks, complain
from invoices.history.rows import ClientRow, key_of
from invoices.models import Client, ClientType

# A column that is mistaken for the client type would make one of each client.
MOST_NEW_TYPES = 50


def resolve_clients(plan: Plan, lock: bool) -> None:
    doubled = _find_clients(plan, lock)
    plan.rows.refused_clients |= doubled
    types = {key_of(name): name for name in ClientType.objects.values_list("name", flat=True)}
    people = {email.lower() for email in User.objects.values_list("email", flat=True)}
    for row in plan.rows.clients:
        held = plan.clients.get(row.key)
        if row.key in doubled:
            complain(plan, "clients", row.line, "name", "client_doubled", name=row.name)
            continue
        if held is None and not row.client_type:
            complain(plan, "clients", row.line, "client_type", "no_type", name=row.name)
            plan.rows.refused_clients.add(row.key)
            continue
        _count_new_type(plan, row, types)
        if row.owner_email and row.owner_email not in people:
            people.add(row.owner_email)
            plan.new_people.append(row.owner_email)
        if held is None:
            plan.new_clients.append(row)
        elif fields := changed_fields(row, held):
            plan.changes.append(Change(row, held, fields))
        else:
            plan.unchanged["clients"] += 1


def _find_clients(plan: Plan, lock: bool) -> set[str]:
    """Fill `plan.clients` with those that are here; answers the keys that several share."""
    rows = plan.rows
    wanted = {row.key for row in rows.clients} | {key_of(row.client) for row in rows.invoices}
    if not wanted:
        return set()
    # Names are compared in Python: SQLite's LOWER knows ASCII only.
    names = Client.objects.filter(merged_into=None).values_list("pk", "name")
    keys = {pk: key for pk, name in names.iterator() if (key := key_of(name)) in wanted}
    here: dict[str, list[Client]] = {}
    for chunk in chunks(sorted(keys)):
        found = Client.objects.filter(pk__in=chunk).order_by("pk")
        if lock:
            found = found.select_for_update(of=("self",))
        for client in found.select_related("client_type", "owner"):
            here.setdefault(keys[client.pk], []).append(client)
    doubled: set[str] = set()
    for key, alike in here.items():
        living = [client for client in alike if client.gone_at is None] or alike
        if len(living) == 1:
            plan.clients[key] = living[0]
        else:
            doubled.add(key)
    return doubled


def _count_new_type(plan: Plan, row: ClientRow, types: dict[str, str]) -> None:
    key = key_of(row.client_type)
    if not row.client_type or key in types:
        return
    types[key] = plan.new_types[key] = row.client_type
    if len(plan.new_types) == MOST_NEW_TYPES + 1:
        complain(plan, "clients", row.line, "client_type", "many_types", count=MOST_NEW_TYPES + 1)
