"""The invoices and credit notes of the files held against the books: new, here, or refused."""

from __future__ import annotations

import re
from collections import Counter
from difflib import get_close_matches
from typing import Any

from billing_portal.notices import Notice, amount, count, day
from invoices.documents import numbers
from invoices.history.instalments import written
from invoices.history.plan import (
    HELD_COLUMNS,
    HeldInvoice,
    HeldPart,
    Plan,
    chunks,
    complain,
)
from invoices.history.rows import InvoiceRow, key_of
from invoices.models import Company, Instalment, Invoice, NumberPattern

NAMES_WORTH_GUESSING = 20_000
# Beyond so many complaints no near name is looked for: each costs a look at all names.
_GUESSED = 500


def resolve_invoices(plan: Plan, lock: bool) -> None:
    rows = plan.rows
    numbers = {row.number for row in rows.invoices}
    numbers |= {row.corrects for row in rows.invoices if row.corrects}
    numbers |= {row.invoice for row in rows.payments}
    _find_invoices(plan, numbers, lock)
    given_here = numbers_given_here(numbers)
    new_names = {row.key for row in plan.new_clients}
    by_number = {row.number: row for row in rows.invoices}
    credited = _credited_before(plan)
    for row in rows.invoices:
        if key_of(row.client) in rows.refused_clients:
            rows.refused_numbers.add(row.number)
        elif row.number in given_here:
            _compare(plan, row, plan.invoices.get(row.number), ours=True)
        elif (held := plan.invoices.get(row.number)) is not None:
            _compare(plan, row, held)
        elif key_of(row.client) not in plan.clients and key_of(row.client) not in new_names:
            if "clients" in rows.unread:
                rows.refused_numbers.add(row.number)
            else:
                _refuse_unknown_client(plan, row, new_names)
        elif not row.corrects or _may_correct(plan, row, by_number, credited):
            plan.new_invoices.append(row)


def _find_invoices(plan: Plan, numbers: set[str], lock: bool) -> None:
    known: list[int] = []
    for chunk in chunks(numbers):
        # Ours too: what is here in the same words is unchanged, and payments settle them.
        known += Invoice.objects.issued().filter(number__in=chunk).values_list("pk", flat=True)
    # In the order in which payments lock theirs: two that wait for each other would never end.
    for part in chunks(sorted(known)):
        found = Invoice.objects.filter(pk__in=part).order_by("pk")
        if lock:
            list(found.select_for_update(of=("self",)).values_list("pk", flat=True))
        for row in found.values_list(*HELD_COLUMNS):
            said: list[Any] = ["" if value is None else value for value in row]
            held = HeldInvoice(*said)
            plan.invoices[held.number] = held
        _find_parts(plan, part)


def _find_parts(plan: Plan, invoices: list[int]) -> None:
    rows = Instalment.objects.filter(invoice__in=invoices).order_by(
        "invoice_id", "due_date", "position"
    )
    columns = ("pk", "position", "due_date", "amount_minor", "is_retention")
    for number, *said in rows.values_list("invoice__number", *columns):
        plan.held_parts[number] = (*plan.held_parts.get(number, ()), HeldPart(*said))


def numbers_given_here(numbers: set[str]) -> set[str]:
    found: set[str] = set()
    for chunk in chunks(numbers):
        ours = Invoice.objects.filter(imported=False, number__in=chunk)
        found.update(ours.values_list("number", flat=True))
    return found


def _refuse(plan: Plan, row: InvoiceRow, column: str, code: str, /, **values: Any) -> None:
    plan.rows.refused_numbers.add(row.number)
    complain(plan, "invoices", row.line, column, code, **values)


def _compare(plan: Plan, row: InvoiceRow, held: HeldInvoice | None, *, ours: bool = False) -> None:
    differences = _differences(plan, row, held) if held is not None else []
    if ours and (held is None or differences):
        _refuse(plan, row, "number", "number_given_here", number=row.number)
    elif differences:
        _refuse(plan, row, "number", "says_otherwise", number=row.number, what=differences)
    else:
        plan.unchanged["credit_notes" if row.is_credit_note else "invoices"] += 1


def _refuse_unknown_client(plan: Plan, row: InvoiceRow, new_names: set[str]) -> None:
    known = {**dict.fromkeys(new_names), **dict.fromkeys(plan.clients)}
    near = (
        get_close_matches(key_of(row.client), known, n=1, cutoff=0.85)
        if len(known) < NAMES_WORTH_GUESSING and len(plan.complaints) < _GUESSED
        else []
    )
    if not near:
        _refuse(plan, row, "client", "no_client", name=row.client)
        return
    spelled = next((r.name for r in plan.new_clients if r.key == near[0]), "")
    spelled = spelled or plan.clients[near[0]].name
    _refuse(plan, row, "client", "no_client_near", name=row.client, near=spelled)


def _differences(plan: Plan, row: InvoiceRow, held: HeldInvoice) -> list[Notice]:
    """What the row says otherwise than the invoice of its number."""
    pairs: list[tuple[str, Any, Any]] = [
        ("kind", row.kind, held.kind),
        ("client", key_of(row.client), key_of(held.client)),
        ("issued_on", day(row.issued_on), day(held.issued_on)),
        ("due_on", day(row.due_on), day(held.due_on)),
        ("currency", row.currency, held.currency),
        ("corrects", row.corrects, held.corrects),
        ("title", row.title, " ".join(held.title.split())),
    ]
    if row.parts:
        # A file without that column says nothing of them.
        kept_parts = plan.held_parts.get(held.number, ())
        pairs.append(("instalments", written(row.parts, row.currency),
                      written(kept_parts, held.currency)))  # fmt: skip
    pairs += [
        (name, amount(given, row.currency), amount(kept, held.currency))
        for name, given, kept in (
            ("net", row.net_minor, held.net_minor),
            ("vat", row.vat_minor, held.vat_minor),
            ("total", row.total_minor, held.total_minor),
        )
        if given != kept
    ]
    return [
        Notice("history.otherwise", column=name, given=given or "–", kept=kept or "–")
        for name, given, kept in pairs
        if given != kept
    ]


# ─ Credit notes ─────────────────────────────────────────────────────────────────────────────────
def _credited_before(plan: Plan) -> Counter[str]:
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
    if row.corrects in plan.rows.refused_numbers:
        plan.rows.refused_numbers.add(row.number)
        return False
    target = by_number.get(row.corrects) or plan.invoices.get(row.corrects)
    number = row.corrects
    if target is None:
        _refuse(plan, row, "corrects", "corrects_unknown", number=number)
    elif target.is_credit_note:
        _refuse(plan, row, "corrects", "corrects_credit", number=number)
    elif isinstance(target, HeldInvoice) and not target.imported:
        _refuse(plan, row, "corrects", "corrects_ours", number=number)
    elif key_of(row.client) != key_of(target.client):
        _refuse(plan, row, "corrects", "corrects_foreign", number=number, client=target.client)
    elif row.currency != target.currency:
        _refuse(plan, row, "corrects", "corrects_currency", number=number, currency=target.currency)
    elif row.issued_on < target.issued_on:
        _refuse(plan, row, "corrects", "corrects_later", number=number, day=day(target.issued_on))
    else:
        return _has_room(plan, row, target, credited)
    return False


def _has_room(
    plan: Plan, row: InvoiceRow, target: InvoiceRow | HeldInvoice, credited: Counter[str]
) -> bool:
    credited[row.corrects] += row.total_minor
    if credited[row.corrects] <= target.total_minor:
        return True
    _refuse(
        plan,
        row,
        "total",
        "credited_beyond",
        number=row.corrects,
        sum=amount(credited[row.corrects], row.currency),
        total=amount(target.total_minor, row.currency),
    )
    return False


def warn_of_numbers(plan: Plan) -> None:
    """Old numbers may look like ours; ours are not disturbed, and staff should know."""
    if Company.ours() is None or not plan.new_invoices:
        return
    for kind in Invoice.Kind.values:
        ours = NumberPattern.of(kind).prefix
        look = re.compile(numbers.regex(ours))
        alike = [r.number for r in plan.new_invoices if r.kind == kind and look.match(r.number)]
        if alike:
            plan.notices.append(
                Notice(
                    "history.numbers_alike",
                    count=count(len(alike)),
                    number=alike[0],
                    prefix=numbers.filled(ours, plan.on),
                )
            )
