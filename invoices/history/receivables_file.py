"""The public list of late-payment histories, turned into the three history files (docs/history.md).

The list has one row per invoice, dates as month/day/year and no client type: the country stands in
for it, or the billing channel (the one that most of the customer's rows name: 91 of 100 have both).
Its country codes are its own, so the country of an address stays empty.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from invoices.history.rows import CLIENT_COLUMNS, INVOICE_COLUMNS, PAYMENT_COLUMNS

TYPE_BY = ("country", "channel")
Row = dict[str, str]


class ReceivablesRefused(Exception):
    """The file is not that list; the message says where it differs."""


@dataclass(frozen=True, slots=True)
class _Item:
    """A row of the list."""

    customer: str
    country: str
    channel: str
    number: str
    amount: str
    disputed: bool
    issued: date
    due: date
    settled: date


def convert(
    text: str, *, type_by: str = "country", as_of: date | None = None, currency: str = "EUR"
) -> dict[str, list[Row]]:
    """Rows of `clients`, `invoices` and `payments`; with `as_of`, what was known on that day."""
    clients: dict[str, Row] = {}
    channels: dict[str, Counter[str]] = defaultdict(Counter)
    invoices: list[Row] = []
    payments: list[Row] = []
    reader = csv.DictReader(io.StringIO(text, newline=""))
    for row in reader:
        found = _item(row, reader.line_num)
        if as_of and found.issued > as_of:
            continue
        channels[found.customer][found.channel] += 1
        clients.setdefault(found.customer, _client(found, currency))
        invoices.append(_invoice(found, currency))
        if as_of is None or found.settled <= as_of:
            payments.append(_payment(found, currency))
    if type_by == "channel":
        for customer, counted in channels.items():
            clients[customer]["client_type"] = f"{counted.most_common(1)[0][0]} bills"
    return {"clients": list(clients.values()), "invoices": invoices, "payments": payments}


def _item(row: Row, line: int) -> _Item:
    try:
        return _Item(
            customer=row["customerID"],
            country=row["countryCode"],
            channel=row["PaperlessBill"],
            number=row["invoiceNumber"],
            amount=row["InvoiceAmount"],
            disputed=row["Disputed"] == "Yes",
            issued=_day(row["InvoiceDate"]),
            due=_day(row["DueDate"]),
            settled=_day(row["SettledDate"]),
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise ReceivablesRefused(f"Line {line}: {problem}") from problem


def _client(item: _Item, currency: str) -> Row:
    return dict.fromkeys(CLIENT_COLUMNS, "") | {
        "name": item.customer,
        "client_type": f"Country {item.country}",
        "currency": currency,
        "language": "en",
        "payment_terms_days": str((item.due - item.issued).days),
    }


def _invoice(item: _Item, currency: str) -> Row:
    return {
        "number": item.number,
        "kind": "invoice",
        "client": item.customer,
        "issued_on": item.issued.isoformat(),
        "due_on": item.due.isoformat(),
        "currency": currency,
        "net": item.amount,
        "vat": "0",
        "total": item.amount,
        "corrects": "",
        "title": "Disputed" if item.disputed else "",
    }


def _payment(item: _Item, currency: str) -> Row:
    return {
        "invoice": item.number,
        "received_on": item.settled.isoformat(),
        "amount": item.amount,
        "currency": currency,
        "reference": "",
        "method": "transfer",
    }


def as_csv(kind: str, rows: list[Row]) -> str:
    columns = {"clients": CLIENT_COLUMNS, "invoices": INVOICE_COLUMNS, "payments": PAYMENT_COLUMNS}
    text = io.StringIO()
    writer = csv.DictWriter(text, columns[kind], lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _day(text: str) -> date:
    return datetime.strptime(text, "%m/%d/%Y").date()
