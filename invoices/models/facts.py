"""What of each row its seal covers: every column that must never change again.

A column that is in neither list fails a test: whoever adds one decides. To cover a new one, add a
version with it to `VERSIONS` of the kind; rows sealed before keep theirs.
"""

# ruff: noqa: SIM905 - names of columns read better so than as a list of quotes

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Context, Decimal
from functools import cache
from typing import Any

from django.apps import apps
from django.db import connection, models

from billing_portal.seals import sealed
from invoices.models.supplied import SUPPLIED

# Kind → table's model, and its sealed columns by version. The kind is part of what is sealed.
MODELS = {
    "document": "Invoice",
    "event": "InvoiceEvent",
    "payment": "Payment",
    "allocation": "Allocation",
    "refund": "Refund",
    "decision": "BooksDecision",
    "series": "NumberSeries",
}
_DOCUMENT = tuple(
    (
        "kind imported observed_from number series_id sequence number_clashes client_id "
        "buyer_name owner_id deal_id plan_step corrects_id purpose credit_reason "
        "replaces_id moves_payments title language currency "
        "issue_date date_exception_id due_date terms_kind terms_days due_date_typed "
        "terms_id dues_typed service_from service_until purchase_order note net_minor "
        "vat_minor total_minor exchange_rate content_hash previous_hash sealed_with "
        "issued_at issued_by_id created_by_id created_at"
    ).split()
)
_ADJUSTED = (*_DOCUMENT, "adjustments", "retention_percent", "retention_on")
VERSIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "document": {
        "1": _DOCUMENT,
        # Discounts and charges on the whole, and retentions.
        "2": _ADJUSTED,
        # Where it is delivered, and where its services are.
        "3": (*_ADJUSTED, *SUPPLIED),
    },
    "event": {"1": ("invoice_id", "kind", "at", "on", "by_id", "data")},
    "payment": {
        "1": (
            "client_id",
            "received_on",
            "currency",
            "amount_minor",
            "charges_minor",
            "reference",
            "method",
            "reverses_id",
            "imported",
            "occurrence",
            "note",
            "recorded_by_id",
            "recorded_at",
        )
    },
    "allocation": {
        "1": (
            "kind",
            "invoice_id",
            "payment_id",
            "credit_note_id",
            "refund_id",
            "instalment_id",
            "amount_minor",
            "applied_on",
            "takes_back_id",
            "by_id",
            "recorded_at",
        )
    },
    "refund": {
        "1": (
            "client_id",
            "refunded_on",
            "currency",
            "amount_minor",
            "reference",
            "method",
            "reason",
            "reverses_id",
            "recorded_by_id",
            "recorded_at",
        )
    },
    "decision": {
        "1": (
            "kind",
            "closed_until",
            "closed_until_before",
            "document_kind",
            "year",
            "series_id",
            "pattern",
            "next_value",
            "next_value_before",
            "earliest",
            "granted_until",
            "reason",
            "on",
            "by_id",
            "at",
        )
    },
    # Moves with each number: its seal says where the portal itself left it.
    "series": {
        "1": (
            "kind",
            "period",
            "prefix",
            "width",
            "first_value",
            "next_value",
            "last_issue_date",
            "last_hash",
            "ended_on",
        )
    },
}
# What is not sealed in the row, and why that is right.
LEFT_OPEN: dict[str, dict[str, str]] = {
    "document": {
        "id": "the chain binds it",
        "seal": "",
        "status": "follows from the balance, which follows from allocations",
        "client_type_id": "sealed with the parts: it moves when types are merged",
        "paper": "content_hash covers it",
        **dict.fromkeys(
            (
                "next_due paid_minor credited_minor written_off_minor outstanding_minor "
                "settled_on paid_on days_late days_to_pay"
            ).split(),
            "made from its allocations",
        ),
        **dict.fromkeys(
            "number_key number_plain number_sort title_key order_key".split(),
            "made from its name",
        ),
        "recipients": "whom the next mail goes to",
        "sent_at": "the event of the sending says it",
        "updated_at": "moves with the balance",
    },
    "event": {"id": "the chain binds it", "seal": ""},
    "payment": {
        "id": "the chain binds it",
        "seal": "",
        "allocated_minor": "made from its allocations",
        "reference_key": "made from its reference",
    },
    "allocation": {"id": "the chain binds it", "seal": ""},
    "refund": {"id": "the chain binds it", "seal": ""},
    "decision": {"id": "the chain binds it", "seal": ""},
    "series": {"id": "its documents name it", "seal": ""},
}
# Beneath a document, in this order; their columns are sealed as lists. What a later version adds
# stands at the end: one before it seals so many columns of a row from the left as it had.
LINE = (
    "position description quantity unit unit_price price_missing discount_percent discount_amount "
    "nature vat_category vat_rate exemption_id net_minor credits_id deducts_id deducted_vat_minor "
    "adjusts adjust_percent adjust_code item_id"
).split()
VAT_ROW = ["category", "rate", "basis_minor", "vat_minor"]
# The day that the document says: the one that counts follows from the events.
INSTALMENT = ["position", "said_due", "amount_minor", "is_retention"]
_LINE_COLUMNS, _INSTALMENT_COLUMNS = {"1": 16}, {"1": 3}
FILE = ["kind", "filename", "sha256", "size", "created_at"]
# Names of the parts after the columns of a document.
PARTS = ("client_type_id", "lines", "vat_breakdown", "instalments", "documents")


def model_of(kind: str) -> type[models.Model]:
    return apps.get_model("invoices", MODELS[kind])


def newest(kind: str) -> str:
    """The version in which it is sealed today."""
    return list(VERSIONS[kind])[-1]


def below_in(version: str, below: Sequence[list[list[Any]]]) -> list[list[list[Any]]]:
    """Lines, VAT rows, instalments and files of a document as that version has them, in order."""
    lines, vat_rows, instalments, files = below
    return [
        in_order(row[: _LINE_COLUMNS.get(version)] for row in lines),
        in_order(vat_rows),
        in_order(row[: _INSTALMENT_COLUMNS.get(version)] for row in instalments),
        in_order(files),
    ]


# ─ Values as they are sealed ────────────────────────────────────────────────────────────────────
_FIFTEEN = Context(prec=15)
Plain = Callable[[Any], Any]


def _day(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def moment_as_sealed(value: Any) -> str:
    """In UTC, to the microsecond, without a zone: as SQLite keeps it."""
    if isinstance(value, datetime):
        return str(value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value)
    return str(value)


def decimal_as_sealed(places: int) -> Plain:
    quantum = Decimal(1).scaleb(-places)
    # SQLite keeps fifteen digits of a decimal: what it will give back is what is sealed.
    exact = _FIFTEEN.create_decimal if connection.vendor == "sqlite" else Decimal

    def plain(value: Any) -> str:
        return format(exact(str(value)).quantize(quantum), "f")

    return plain


def _json(value: Any) -> Any:
    # Of an instance a text is a JSON string; what a cursor gave is read by chain/plain_rows.py.
    return json.loads(json.dumps(value))


def _plain_of(field: models.Field[Any, Any]) -> Plain:
    if isinstance(field, models.DateTimeField):
        return moment_as_sealed
    if isinstance(field, models.DateField):
        return _day
    if isinstance(field, models.DecimalField):
        return decimal_as_sealed(field.decimal_places)
    if isinstance(field, models.BooleanField):
        return bool
    if isinstance(field, models.JSONField):
        return _json
    if isinstance(field, models.CharField | models.TextField):
        return str
    return int


@cache
def plains(model: type[models.Model], columns: tuple[str, ...]) -> tuple[Plain, ...]:
    """How the value of each column of an instance is sealed."""
    by_name = {field.attname: field for field in model._meta.concrete_fields}
    return tuple(_plain_of(by_name[column]) for column in columns)


def values_of(row: models.Model, columns: Sequence[str]) -> list[Any]:
    """The columns of an instance, as they are sealed."""
    names = tuple(columns)
    found = []
    for name, plain in zip(names, plains(type(row), names), strict=True):
        value = getattr(row, name)
        found.append(None if value is None else plain(value))
    return found


def seal_of(kind: str, row: models.Model) -> str:
    """Of a row that has nothing beneath it."""
    columns = VERSIONS[kind][newest(kind)]
    return sealed(kind, newest(kind), values_of(row, columns))


def seal_of_document(
    invoice: models.Model,
    *,
    lines: Sequence[models.Model] = (),
    vat_breakdown: Sequence[models.Model] = (),
    instalments: Sequence[models.Model] = (),
    documents: Sequence[models.Model] = (),
) -> str:
    """Of an issued invoice with all that makes it; `documents` need not be saved yet."""
    values = values_of(invoice, VERSIONS["document"][newest("document")])
    values += [
        getattr(invoice, "client_type_id"),  # noqa: B009 - any model, for the type checker
        _rows(lines, LINE),
        _rows(vat_breakdown, VAT_ROW),
        _rows(instalments, INSTALMENT),
        _rows(documents, FILE),
    ]
    return sealed("document", newest("document"), values)


def _rows(rows: Sequence[models.Model], columns: Sequence[str]) -> list[list[Any]]:
    """Sorted by what they say, so that two databases that order rows otherwise agree."""
    return in_order(values_of(row, columns) for row in rows)


_text = json.JSONEncoder(sort_keys=True).encode


def in_order(rows: Any) -> list[list[Any]]:
    """By their text as JSON; where their first values differ, those decide, and no more is written
    of a hundred thousand documents."""
    found = [list(row) for row in rows]
    if len(found) > 1:
        begins = [_text(row[:1])[:-1] + "," for row in found]
        if len(set(begins)) == len(begins):
            pairs = sorted(zip(begins, found, strict=True), key=lambda pair: pair[0])
            return [row for _begin, row in pairs]
        found.sort(key=_text)
    return found


class SealField(models.CharField):  # type: ignore[type-arg]
    """Made when the row is inserted, from its other columns; defined as the last field of a model.

    `follows`: made anew whenever the row is saved, of a row that moves by the portal's own acts.
    """

    def __init__(self, kind: str = "", *, follows: bool = False, **options: Any) -> None:
        self.kind, self.follows = kind, follows
        options = {
            "max_length": 400,
            "null": True,
            "default": None,
            "editable": False,
            **options,
        }
        super().__init__(**options)

    def deconstruct(self) -> Any:
        # For a migration it is a plain column.
        name, _path, args, options = super().deconstruct()
        return name, "django.db.models.CharField", args, options

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        if self.kind and (add or self.follows):
            value = self._made(model_instance)
            if value is not None:
                setattr(model_instance, self.attname, value)
        return getattr(model_instance, self.attname)

    def _made(self, row: Any) -> str | None:
        if self.kind != "document":
            return seal_of(self.kind, row)
        # Drafts have none; what comes in issued comes from an older system, without rows beneath.
        issued = row.status in ("issued", "settled")
        return seal_of_document(row) if issued and row.seal is None else None
