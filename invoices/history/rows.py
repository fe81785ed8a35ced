"""The columns of the history files, and what one row of each says."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from invoices.models import Invoice
from invoices.models.catalogue import code_key

CLIENT_COLUMNS = (
    "name",
    "client_type",
    "country",
    "currency",
    "language",
    "payment_terms_days",
    "billing_email",
    "vat_id",
    "siren",
    "owner_email",
)
INVOICE_COLUMNS = (
    "number",
    "kind",
    "client",
    "issued_on",
    "due_on",
    "currency",
    "net",
    "vat",
    "total",
    "corrects",
    "title",
    "instalments",
)
PAYMENT_COLUMNS = (
    *("invoice", "received_on", "amount", "currency", "reference", "method", "instalment"),
)
# Files from before these columns lack them.
OPTIONAL_COLUMNS = ("instalments", "instalment")
ITEM_COLUMNS = (
    *("code", "name", "description", "unit", "nature", "vat", "exemption", "currency", "price"),
    "state",
)
# The VAT of an item is a rate, which is written in one way.
AMOUNT_COLUMNS = ("net", "vat", "total", "amount", "price")
DAY_COLUMNS = ("issued_on", "due_on", "received_on")


def key_of(name: str) -> str:
    """Two spellings of one name: capitals, spaces and the form of accents do not count."""
    return " ".join(unicodedata.normalize("NFC", name).split()).casefold()


@dataclass(slots=True)
class ClientRow:
    line: int
    name: str
    client_type: str = ""
    country: str = ""
    currency: str = ""
    language: str = ""
    terms_days: int | None = None
    billing_email: str = ""
    vat_id: str = ""
    siren: str = ""
    owner_email: str = ""

    @property
    def key(self) -> str:
        return key_of(self.name)


@dataclass(slots=True, frozen=True)
class PartRow:
    """An instalment of an invoice."""

    due_on: date
    amount_minor: int
    is_retention: bool = False


@dataclass(slots=True, frozen=True)
class InvoiceRow:
    line: int
    number: str
    kind: str
    client: str
    issued_on: date
    due_on: date
    currency: str
    net_minor: int
    vat_minor: int
    total_minor: int
    corrects: str
    title: str
    # Of a file with one row per line: all of its rows.
    lines: tuple[int, ...] = ()
    # Its instalments, oldest first; none where it is due whole.
    parts: tuple[PartRow, ...] = ()

    @property
    def is_credit_note(self) -> bool:
        return self.kind == Invoice.Kind.CREDIT_NOTE


@dataclass(slots=True, frozen=True)
class ItemRow:
    """An item of the catalogue with its prices; what is empty says nothing."""

    line: int
    code: str
    name: str
    description: str
    unit: str
    nature: str
    vat: str
    exemption: str
    state: str
    prices: dict[str, Decimal]
    # Of several rows, one for each currency: all of them.
    lines: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        return code_key(self.code)


@dataclass(slots=True)
class PaymentRow:
    line: int
    invoice: str
    received_on: date
    amount_minor: int
    currency: str
    reference: str
    method: str
    # The instalment that it settles first; 0 where none is named.
    instalment: int = 0

    @property
    def takes_back(self) -> bool:
        return self.amount_minor < 0
