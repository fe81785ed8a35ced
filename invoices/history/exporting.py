"""What is here, in the very columns that the import reads: brought in again it changes nothing.

Left out is what no such row can say: drafts, cash that no invoice took, refunds and write-offs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

from django.db.models import Max, Min

from billing_portal.lists.columns import Amount
from invoices.history.instalments import written
from invoices.history.plan import chunks
from invoices.history.resolving_items import vat_said
from invoices.history.resolving_payments import rows_recorded_here
from invoices.history.rows import PartRow
from invoices.models import CatalogueItem, Client, ImportedPaymentRow, Instalment, Invoice

_CHUNK = 2_000
_NAMED = (Min("instalment__position"), Max("instalment__position"))
Cells = tuple[Any, ...]


def client_rows() -> Iterator[Cells]:
    rows = Client.objects.living().order_by("name_key", "pk")
    yield from rows.values_list(
        *("name", "client_type__name", "country", "currency", "language", "terms_days"),
        *("billing_email", "vat_id", "siren", "owner__email"),
    ).iterator(chunk_size=_CHUNK)


def invoice_rows() -> Iterator[Cells]:
    rows = Invoice.objects.issued().order_by("issue_date", "pk")
    found = rows.values_list(
        *("pk", "number", "kind", "client__name", "issue_date", "due_date", "currency"),
        *("net_minor", "vat_minor", "total_minor", "corrects__number", "title"),
    ).iterator(chunk_size=_CHUNK)
    while batch := list(islice(found, _CHUNK)):
        parts = _parts({row[0] for row in batch})
        for pk, *said, currency, net, vat, total, corrects, title in batch:
            amounts = (Amount(minor, currency) for minor in (net, vat, total))
            dues = written(parts.get(pk, ()), currency)
            yield (*said, currency, *amounts, corrects or "", title, dues)


def _parts(invoices: set[int]) -> dict[int, list[PartRow]]:
    found: dict[int, list[PartRow]] = {}
    for chunk in chunks(sorted(invoices)):
        rows = Instalment.objects.filter(invoice__in=chunk).order_by("due_date", "position")
        for pk, *said in rows.values_list("invoice_id", "due_date", "amount_minor", "is_retention"):
            part: list[Any] = said
            found.setdefault(pk, []).append(PartRow(*part))
    return found


def payment_rows() -> Iterator[Cells]:
    """The rows that files brought, then those that were recorded here."""
    brought = ImportedPaymentRow.objects.order_by("received_on", "pk").values_list(
        *("invoice__number", "received_on", "currency", "amount_minor", "reference", "method"),
        "instalment",
    )
    for row in brought.iterator(chunk_size=_CHUNK):
        yield _payment(row[:-1], row[-1])
    for row in rows_recorded_here("invoice__number", *_NAMED):
        first, last = row[-2:]
        # Money that went to one instalment names it; what was spread follows by itself.
        yield _payment(row[:-2], first if first == last else None)


def _payment(said: Sequence[Any], instalment: int | None) -> Cells:
    number, day, currency, minor, reference, method = said
    return (number, day, Amount(minor, currency), currency, reference, method, instalment or "")


def item_rows() -> Iterator[Cells]:
    """A row for each price; of an item without one a row all the same."""
    items = CatalogueItem.objects.select_related("exemption").prefetch_related("prices")
    for item in items.order_by("code_key").iterator(chunk_size=_CHUNK):
        why = item.exemption.name_en if item.exemption else ""
        said = (item.code, item.name, item.description, item.unit, item.nature)
        state = "archived" if item.is_archived else "offered"
        prices = [(p.currency, _unit_price(p.unit_price)) for p in item.prices.all()]
        for currency, price in prices or [("", "")]:
            yield (*said, vat_said(item), why, currency, price, state)


def _unit_price(price: Decimal) -> str:
    """With two decimals or with six: three would look like a group of thousands."""
    short = price.quantize(Decimal("0.01"))
    return str(short if short == price else price.quantize(Decimal("0.000001")))


ROWS = {
    "items": item_rows,
    "clients": client_rows,
    "invoices": invoice_rows,
    "payments": payment_rows,
}
