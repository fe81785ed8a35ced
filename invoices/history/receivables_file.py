"""The public list of late-payment histories, turned into the three history files (docs/history.md).

The list has one row per invoice, dates as month/day/year and no client type: the country stands in
for it, or the billing channel (the one that most of the customer's rows name: 91 of 100 have both).
Its country codes are its own, so the country of an address stays empty.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from datetime import date, datetime

from invoices.history.rows import CLIENT_COLUMNS, INVOICE_COLUMNS, PAYMENT_COLUMNS

TYPE_BY = ("country", "channel")
Row = dict[str, str]


class ReceivablesRefused(Exception):
    """The file is not that list; the message says where it differs."""


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
        try:
            issued, due, settled = (
                _day(row[column]) for column in ("InvoiceDate", "DueDate", "SettledDate")
            )
            customer, number, amount = row["customerID"], row["invoiceNumber"], row["InvoiceAmount"]
            channel, country = row["PaperlessBill"], row["countryCode"]
        except (KeyError, TypeError, ValueError) as problem:
            raise ReceivablesRefused(f"Line {reader.line_num}: {problem}") from problem
        if as_of and issued > as_of:
            continue
        channels[customer][channel] += 1
        clients.setdefault(
            customer,
            {
                "name": customer,
                "client_type": f"Country {country}",
                "country": "",
                "currency": currency,
                "language": "en",
                "payment_terms_days": str((due - issued).days),
                "billing_email": "",
                "vat_id": "",
                "siren": "",
                "owner_email": "",
            },
        )
        invoices.append(
            {
                "number": number,
                "kind": "invoice",
                "client": customer,
                "issued_on": issued.isoformat(),
                "due_on": due.isoformat(),
                "currency": currency,
                "net": amount,
                "vat": "0",
                "total": amount,
                "corrects": "",
                "title": "Disputed" if row["Disputed"] == "Yes" else "",
            }
        )
        if as_of is None or settled <= as_of:
            payments.append(
                {
                    "invoice": number,
                    "received_on": settled.isoformat(),
                    "amount": amount,
                    "currency": currency,
                    "reference": "",
                    "method": "transfer",
                }
            )
    if type_by == "channel":
        for customer, counted in channels.items():
            clients[customer]["client_type"] = f"{counted.most_common(1)[0][0]} bills"
    return {"clients": list(clients.values()), "invoices": invoices, "payments": payments}


def as_csv(kind: str, rows: list[Row]) -> str:
    columns = {"clients": CLIENT_COLUMNS, "invoices": INVOICE_COLUMNS, "payments": PAYMENT_COLUMNS}
    text = io.StringIO()
    writer = csv.DictWriter(text, columns[kind], lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _day(text: str) -> date:
    return datetime.strptime(text, "%m/%d/%Y").date()
