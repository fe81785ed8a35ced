"""The clients and invoices of the files held against the books: new, here already, or refused."""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches
from typing import Any

from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.money import formatted_minor
from invoices.company.numbering import prefix_for
from invoices.history.plan import (
    SHOWN_COMPLAINTS,
    Change,
    Plan,
    changed_fields,
    chunks,
    complain,
    issued_on,
)
from invoices.history.rows import InvoiceRow, key_of
from invoices.models import Client, ClientType, Company, Invoice

NAMES_WORTH_GUESSING = 20_000
# A column that is mistaken for the client type would make one of each client.
MOST_NEW_TYPES = 50


def resolve_clients(plan: Plan, lock: bool) -> None:
    rows = plan.rows
    wanted = {row.key for row in rows.clients} | {key_of(row.client) for row in rows.invoices}
    here: dict[str, list[Client]] = {}
    if wanted:
        # Names are compared in Python: SQLite's LOWER knows ASCII only.
        names = Client.objects.filter(merged_into=None).values_list("pk", "name")
        keys = {pk: key for pk, name in names.iterator() if (key := key_of(name)) in wanted}
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
    rows.refused_clients |= doubled
    types = {key_of(name): name for name in ClientType.objects.values_list("name", flat=True)}
    people = {email.lower() for email in User.objects.values_list("email", flat=True)}
    for row in rows.clients:
        held = plan.clients.get(row.key)
        if row.key in doubled:
            complain(
                plan,
                "clients",
                row.line,
                "name",
                _("Several clients here are called “%(name)s”: rename or merge them first.")
                % {"name": row.name},
            )
            continue
        if held is None and not row.client_type:
            complain(
                plan,
                "clients",
                row.line,
                "client_type",
                _("“%(name)s” is new here and needs a client type.") % {"name": row.name},
            )
            rows.refused_clients.add(row.key)
            continue
        if row.client_type and key_of(row.client_type) not in types:
            types[key_of(row.client_type)] = row.client_type
            plan.new_types[key_of(row.client_type)] = row.client_type
            if len(plan.new_types) == MOST_NEW_TYPES + 1:
                reason = _(
                    "This is the client type number %(count)s that is new here: look whether the "
                    "column holds something else, such as names."
                ) % {"count": MOST_NEW_TYPES + 1}
                complain(plan, "clients", row.line, "client_type", reason)
        if row.owner_email and row.owner_email not in people:
            people.add(row.owner_email)
            plan.new_people.append(row.owner_email)
        if held is None:
            plan.new_clients.append(row)
        elif fields := changed_fields(row, held):
            plan.changes.append(Change(row, held, fields))
        else:
            plan.unchanged["clients"] += 1


def resolve_invoices(plan: Plan, lock: bool) -> None:
    rows = plan.rows
    numbers = {row.number for row in rows.invoices}
    numbers |= {row.corrects for row in rows.invoices if row.corrects}
    numbers |= {row.invoice for row in rows.payments}
    known: list[int] = []
    for chunk in chunks(numbers):
        known += Invoice.objects.filter(imported=True, number__in=chunk).values_list(
            "pk", flat=True
        )
    # In the order in which payments lock theirs: two that wait for each other would never end.
    for part in chunks(sorted(known)):
        found = Invoice.objects.filter(pk__in=part).order_by("pk")
        if lock:
            found = found.select_for_update(of=("self",))
        for invoice in found.select_related("client", "corrects"):
            plan.invoices[invoice.number] = invoice
    given_here = _given_here(numbers)
    new_names = {row.key for row in plan.new_clients}
    by_number = {row.number: row for row in rows.invoices}
    credited = _credited_before(plan, by_number)
    for row in rows.invoices:
        kind = "credit_notes" if row.is_credit_note else "invoices"
        key = key_of(row.client)
        held = plan.invoices.get(row.number)
        if key in rows.refused_clients:
            rows.refused_numbers.add(row.number)
            continue
        if row.number in given_here:
            reason = _(
                "%(number)s is the number of a document that was issued here: one number never "
                "names two documents."
            ) % {"number": row.number}
            _refuse_invoice(plan, row, "number", reason)
            continue
        if held is not None and (what := _difference(row, held)):
            reason = _(
                "%(number)s is here already and says otherwise: %(what)s. What was issued never "
                "changes: correct the row, or answer the invoice with a credit note."
            ) % {"number": row.number, "what": what}
            _refuse_invoice(plan, row, "number", reason)
        elif held is not None:
            plan.unchanged[kind] += 1
        elif key not in plan.clients and key not in new_names:
            if "clients" not in rows.unread:
                _refuse_invoice(plan, row, "client", _unknown_client(row.client, plan, new_names))
            else:
                rows.refused_numbers.add(row.number)
        elif not row.corrects or _may_correct(plan, row, by_number, credited):
            plan.new_invoices.append(row)


def _given_here(numbers: set[str]) -> set[str]:
    found: set[str] = set()
    for chunk in chunks(numbers):
        ours = Invoice.objects.filter(imported=False, number__in=chunk)
        found.update(ours.values_list("number", flat=True))
    return found


def _refuse_invoice(plan: Plan, row: InvoiceRow, column: str, reason: str) -> None:
    plan.rows.refused_numbers.add(row.number)
    complain(plan, "invoices", row.line, column, reason)


def _unknown_client(name: str, plan: Plan, new_names: set[str]) -> str:
    known = {**dict.fromkeys(new_names), **dict.fromkeys(plan.clients)}
    near = (
        get_close_matches(key_of(name), known, n=1, cutoff=0.85)
        if len(known) < NAMES_WORTH_GUESSING and len(plan.complaints) < SHOWN_COMPLAINTS
        else []
    )
    if near:
        spelled = next((r.name for r in plan.new_clients if r.key == near[0]), "")
        return _("No client is called “%(name)s”; did you mean “%(near)s”?") % {
            "name": name,
            "near": spelled or plan.clients[near[0]].name,
        }
    return _("No client is called “%(name)s”: add it to the clients file.") % {"name": name}


def _difference(row: InvoiceRow, held: Invoice) -> str:
    """What the row says otherwise than the invoice of its number, in words; empty when nothing."""

    def money(amount_minor: int, currency: str) -> str:
        return formatted_minor(amount_minor, currency)

    pairs: list[tuple[str, Any, Any]] = [
        ("kind", row.kind, held.kind),
        ("client", key_of(row.client), key_of(held.client.name)),
        ("issued_on", row.issued_on, held.issue_date),
        ("due_on", row.due_on, held.due_date),
        ("currency", row.currency, held.currency),
        ("corrects", row.corrects, held.corrects.number if held.corrects else ""),
        ("title", row.title, held.title),
    ]
    pairs += [
        (name, money(given, row.currency), money(kept, held.currency))
        for name, given, kept in (
            ("net", row.net_minor, held.net_minor),
            ("vat", row.vat_minor, held.vat_minor),
            ("total", row.total_minor, held.total_minor),
        )
        if given != kept
    ]
    return ", ".join(
        _("%(column)s %(given)s instead of %(kept)s")
        % {"column": name, "given": given or "–", "kept": kept or "–"}
        for name, given, kept in pairs
        if given != kept
    )


def _credited_before(plan: Plan, by_number: dict[str, InvoiceRow]) -> Counter[str]:
    """Number of an invoice → what credit notes that are here already take off it."""
    found: Counter[str] = Counter()
    targets = {i.pk: n for n, i in plan.invoices.items() if not i.is_credit_note}
    for chunk in chunks(targets):
        for target, total in (
            Invoice.objects.issued()
            .filter(corrects__in=chunk, kind=Invoice.Kind.CREDIT_NOTE)
            .values_list("corrects_id", "total_minor")
        ):
            found[targets[target]] += total
    return found


def _may_correct(
    plan: Plan, row: InvoiceRow, by_number: dict[str, InvoiceRow], credited: Counter[str]
) -> bool:
    target: InvoiceRow | Invoice | None = by_number.get(row.corrects)
    if row.corrects in plan.rows.refused_numbers:
        plan.rows.refused_numbers.add(row.number)
        return False
    if target is None:
        target = plan.invoices.get(row.corrects)
    reason = ""
    if target is None:
        reason = _("No invoice has the number %(number)s: correct it, or empty the cell.") % {
            "number": row.corrects
        }
    elif target.is_credit_note:
        reason = _("%(number)s is a credit note itself: name the invoice.") % {
            "number": row.corrects
        }
    elif key_of(row.client) != key_of(str(target.client)):
        reason = _("%(number)s belongs to “%(client)s”.") % {
            "number": row.corrects,
            "client": target.client,
        }
    elif row.currency != target.currency:
        reason = _("%(number)s is in %(currency)s.") % {
            "number": row.corrects,
            "currency": target.currency,
        }
    elif row.issued_on < (issued := issued_on(target)):
        reason = _("%(number)s was issued later, on %(day)s: check both dates.") % {
            "number": row.corrects,
            "day": issued,
        }
    else:
        credited[row.corrects] += row.total_minor
        if credited[row.corrects] > target.total_minor:
            reason = _(
                "With this one the credit notes on %(number)s add up to %(sum)s, more than its "
                "total of %(total)s."
            ) % {
                "number": row.corrects,
                "sum": formatted_minor(credited[row.corrects], row.currency),
                "total": formatted_minor(target.total_minor, row.currency),
            }
    if reason:
        column = "total" if credited[row.corrects] else "corrects"
        _refuse_invoice(plan, row, column, reason)
    return not reason


def warn_of_numbers(plan: Plan) -> None:
    """Old numbers may look like ours; ours are not disturbed, and staff should know."""
    company = Company.ours()
    if company is None or not plan.new_invoices:
        return
    for kind in Invoice.Kind.values:
        ours = prefix_for(kind, plan.on.year, company)
        alike = [r.number for r in plan.new_invoices if r.kind == kind and ours]
        alike = [number for number in alike if number.startswith(ours)]
        if alike:
            plan.notices.append(
                _(
                    "%(count)s numbers, like %(number)s, look like those that are given here "
                    "(%(prefix)s…). Choose another prefix in Settings before issuing, or two "
                    "invoices may bear the same number."
                )
                % {"count": len(alike), "number": alike[0], "prefix": ours}
            )
