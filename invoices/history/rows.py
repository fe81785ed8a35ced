"""What the rows of the three history files say. Pure: no query, no clock."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cache

from babel import Locale
from django.utils.translation import gettext as _
from stdnum.fr import siren as siren_numbers

from billing_portal.spreadsheets import Table
from invoices.history.cells import Reader
from invoices.models import Invoice, Payment

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
)
PAYMENT_COLUMNS = ("invoice", "received_on", "amount", "currency", "reference", "method")
LONGEST_TERMS = 365
LAWFUL_TERMS = 60


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


@dataclass(slots=True)
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

    @property
    def is_credit_note(self) -> bool:
        return self.kind == Invoice.Kind.CREDIT_NOTE


@dataclass(slots=True)
class PaymentRow:
    line: int
    invoice: str
    received_on: date
    amount_minor: int
    currency: str
    reference: str
    method: str


# In the list of territories, and no place for an invoice.
_NO_COUNTRIES = {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}


@cache
def _countries() -> frozenset[str]:
    codes = [str(code) for code in Locale("en").territories]
    return frozenset(code for code in codes if re.fullmatch("[A-Z]{2}", code)) - _NO_COUNTRIES


_LANGUAGES = {"fr": "fr", "fr_fr": "fr", "french": "fr", "en": "en", "en_gb": "en", "en_us": "en"}
_KINDS = {
    "invoice": Invoice.Kind.INVOICE.value,
    "credit_note": Invoice.Kind.CREDIT_NOTE.value,
    "creditnote": Invoice.Kind.CREDIT_NOTE.value,
}
_METHODS = {
    **{str(m): str(m) for m in Payment.Method.values},
    "bank_transfer": Payment.Method.TRANSFER.value,
    "check": Payment.Method.CHEQUE.value,
}


def read_clients(table: Table, *, on: date) -> tuple[list[ClientRow], set[str]]:
    """The good rows, and the names of the bad ones: their invoices need no second complaint."""
    rows: list[ClientRow] = []
    refused: set[str] = set()
    lines: dict[str, int] = {}
    long_terms = 0
    for row in table.rows:
        cell = Reader(table.name, row, table.complaints, on)
        found = ClientRow(
            line=row.line,
            name=cell.text("name", most=255, needed=True),
            client_type=cell.text("client_type", most=80),
            country=_country(cell),
            currency=cell.currency("currency", needed=False),
            language=cell.choice("language", _LANGUAGES) if row.cells["language"] else "",
            terms_days=_terms(cell),
            billing_email=cell.email("billing_email"),
            vat_id=cell.text("vat_id", most=30).replace(" ", "").upper(),
            siren=_siren(cell),
            owner_email=cell.email("owner_email").lower(),
        )
        if len(found.vat_id) > 20:
            cell.complain("vat_id", _("A VAT id has at most 20 characters."))
        if found.key in lines:
            cell.complain(
                "name",
                _("“%(name)s” is on line %(line)s already: keep one row per client.")
                % {"name": found.name, "line": lines[found.key]},
            )
        lines.setdefault(found.key, row.line)
        long_terms += (found.terms_days or 0) > LAWFUL_TERMS
        if cell.bad:
            refused.add(found.key)
        else:
            rows.append(found)
    if long_terms:
        table.notices.append(
            _(
                "%(file)s: %(count)s clients have payment terms above the legal maximum of "
                "%(days)s days; they are kept as they are."
            )
            % {"file": table.name, "count": long_terms, "days": LAWFUL_TERMS}
        )
    return rows, refused


def _country(cell: Reader) -> str:
    value = cell.text("country", most=60).upper()
    if value and value not in _countries():
        cell.complain(
            "country",
            _("“%(text)s” is not a country: write its two letters, like FR.") % {"text": value},
        )
        return ""
    return value


def _terms(cell: Reader) -> int | None:
    value = cell.text("payment_terms_days", most=20)
    if not value:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) > LONGEST_TERMS:
        cell.complain(
            "payment_terms_days",
            _("“%(text)s” is not a number of days from 0 to %(most)s.")
            % {"text": value, "most": LONGEST_TERMS},
        )
        return None
    return int(value)


def _siren(cell: Reader) -> str:
    value = re.sub(r"[\s.]", "", cell.text("siren", most=30))
    if value and not re.fullmatch(r"[0-9]{9}", value):
        cell.complain(
            "siren",
            _(
                "“%(text)s” is not a SIREN of 9 digits (a spreadsheet may have taken away a zero "
                "in front: make the column text)."
            )
            % {"text": value},
        )
        return ""
    if value and not siren_numbers.is_valid(value):
        cell.complain(
            "siren",
            _("“%(text)s” is no SIREN: its check digit does not fit. Correct it or leave it empty.")
            % {"text": value},
        )
    return value


def read_invoices(table: Table, *, on: date) -> tuple[list[InvoiceRow], set[str]]:
    """The good rows in the order of the file, and the numbers of the bad ones."""
    rows: list[InvoiceRow] = []
    refused: set[str] = set()
    lines: dict[str, int] = {}
    for row in table.rows:
        cell = Reader(table.name, row, table.complaints, on)
        number = cell.text("number", most=35, needed=True)
        kind = cell.choice("kind", _KINDS)
        client = cell.text("client", most=255, needed=True)
        is_credit = kind == Invoice.Kind.CREDIT_NOTE
        issued_on = cell.day("issued_on")
        # A credit note without a due date is due when issued.
        due_on = cell.day("due_on", needed=not is_credit, future=True)
        if due_on is None and is_credit and not row.cells["due_on"]:
            due_on = issued_on
        currency = cell.currency("currency")
        amounts = [cell.amount(column, currency) for column in ("net", "vat", "total")]
        corrects = cell.text("corrects", most=35)
        title = cell.text("title", most=255)
        if number and number in lines:
            cell.complain(
                "number",
                _("%(number)s is on line %(line)s already: a number is used once.")
                % {"number": number, "line": lines[number]},
            )
        lines.setdefault(number, row.line)
        if issued_on and due_on and due_on < issued_on:
            cell.complain(
                "due_on",
                _("The due date %(due)s is before the issue date %(issued)s.")
                % {"due": due_on, "issued": issued_on},
            )
        if corrects and kind == Invoice.Kind.INVOICE:
            cell.complain("corrects", _("Only a credit note corrects an invoice: empty the cell."))
        net, vat, total = amounts
        if net is not None and vat is not None and total is not None:
            _check_amounts(cell, kind, net, vat, total)
        if not cell.bad and issued_on and due_on and None not in amounts:
            rows.append(
                InvoiceRow(
                    line=row.line,
                    number=number,
                    kind=kind,
                    client=client,
                    issued_on=issued_on,
                    due_on=due_on,
                    currency=currency,
                    net_minor=net or 0,
                    vat_minor=vat or 0,
                    total_minor=total or 0,
                    corrects=corrects,
                    title=title,
                )
            )
        else:
            refused.add(number)
    return rows, refused


def _check_amounts(cell: Reader, kind: str, net: int, vat: int, total: int) -> None:
    if min(net, vat, total) < 0:
        column = "total" if total < 0 else "net" if net < 0 else "vat"
        cell.complain(
            column,
            _("A credit note's amounts are written without a minus sign.")
            if kind == Invoice.Kind.CREDIT_NOTE
            else _(
                "An invoice below zero is a credit note: write the kind credit_note, "
                "and the amounts without a minus sign."
            ),
        )
    elif net + vat != total:
        cells = cell.row.cells
        cell.complain(
            "total",
            _("Net %(net)s and VAT %(vat)s do not make the total %(total)s.")
            % {"net": cells["net"], "vat": cells["vat"], "total": cells["total"]},
        )
    elif total == 0 and kind == Invoice.Kind.CREDIT_NOTE:
        cell.complain("total", _("A credit note over nothing: leave it out."))


def read_payments(table: Table, *, on: date) -> list[PaymentRow]:
    rows: list[PaymentRow] = []
    for row in table.rows:
        cell = Reader(table.name, row, table.complaints, on)
        invoice = cell.text("invoice", most=35, needed=True)
        received_on = cell.day("received_on")
        currency = cell.currency("currency")
        amount = cell.amount("amount", currency)
        reference = cell.text("reference", most=140)
        method = cell.choice("method", _METHODS, default=Payment.Method.TRANSFER.value)
        if amount is not None and amount <= 0:
            cell.complain(
                "amount",
                _(
                    "A payment is above zero. For money that went back, leave out the payment "
                    "and its return; a credit is a row of the invoices file."
                ),
            )
        if not cell.bad and received_on and amount:
            rows.append(
                PaymentRow(row.line, invoice, received_on, amount, currency, reference, method)
            )
    return rows
