"""The company's old accounting, exported for go-live: who was invoiced what, and when they paid.

Every deal won before the day `until`, with an amount in a currency that the company invoices in and
an organisation, was invoiced up to ten days later. What was won since then is still to be billed.
"""

import calendar
import csv
import io
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Final

from integrations.sandbox.kit.behaviour import payment_behaviour
from integrations.sandbox.pipedrive.shapes import Json, decimal
from integrations.sandbox.pipedrive.world import Profile, World

COLUMNS: Final = {
    "clients": (
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
    ),
    "invoices": (
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
    ),
    "payments": ("invoice", "received_on", "amount", "currency", "reference", "method"),
}
CURRENCIES: Final = ("EUR", "USD", "GBP")
VAT_PERCENT: Final = 20
PAID_IN_TWO: Final = 0.05
CREDITED: Final = 0.02
# This client was punctual, and has not been since: an alert should find it.
LATER_SINCE_DAYS: Final = 150
LATER_BY_DAYS: Final = 28

Row = dict[str, str]


def history(world: World, until: date) -> dict[str, list[Row]]:
    """The three files as rows of text: `clients`, `invoices` (credit notes too) and `payments`."""
    documents = _documents(world, until)
    payments = [row for document in documents for row in _payments(world, document)]
    payments.sort(key=lambda row: (row["received_on"], row["invoice"]))
    return {
        "clients": _clients(world, documents),
        "invoices": [_invoice_row(world, document) for document in documents],
        "payments": payments,
    }


def invoiced_deals(world: World, until: date) -> dict[int, str]:
    """The number of the invoice that each deal led to."""
    return {d.deal["id"]: d.number for d in _documents(world, until) if d.corrects is None}


def history_csv(world: World, until: date, name: str) -> str:
    """One of the files, as UTF-8 text with commas."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS[name], lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(history(world, until)[name])
    return text.getvalue()


@dataclass
class _Document:
    deal: Json
    profile: Profile
    issued_on: date
    due_on: date
    net: Decimal
    vat: Decimal
    rng: Random
    corrects: "_Document | None" = None
    credit: "_Document | None" = None
    number: str = ""
    client: str = ""
    total: Decimal = field(init=False)

    def __post_init__(self) -> None:
        self.total = self.net + self.vat


def _documents(world: World, until: date) -> list[_Document]:
    """Invoices and credit notes in the order of their numbers."""
    documents: list[_Document] = []
    for deal in world.deals.values():
        if deal["status"] != "won" or deal["is_deleted"] or deal["org_id"] is None:
            continue
        if deal["value"] <= 0 or deal["currency"] not in CURRENCIES:
            continue
        won = date.fromisoformat(deal["won_time"][:10])
        if won >= until or won > world.today:
            continue
        invoice = _invoice(world, deal, won)
        documents.append(invoice)
        if invoice.rng.random() < CREDITED:
            credit = _credit_note(invoice)
            if credit.issued_on < world.today:
                invoice.credit = credit
                documents.append(credit)
    documents.sort(key=lambda d: (d.issued_on, d.deal["id"], d.corrects is not None))
    used: dict[int, int] = {}
    for document in documents:
        year = document.issued_on.year
        used[year] = used.get(year, 0) + 1
        document.number = f"KC-{year}-{used[year]:04d}"
    return documents


def _invoice(world: World, deal: Json, won: date) -> _Document:
    # Of its own, so that another `until` leaves this invoice as it is.
    rng = Random(f"{world.seed} invoice of deal {deal['id']}")
    profile = world.profiles[deal["org_id"]]
    issued = won + timedelta(days=min(10, int(rng.triangular(0, 11, 2))))
    issued = max(won, min(issued, world.today - timedelta(days=1)))
    value = decimal(deal["value"]).quantize(Decimal("0.01"), ROUND_HALF_UP)
    lines = world.lines_of(deal["id"])
    if profile.client_type == "International":
        net, vat = value, Decimal("0.00")
    elif lines and lines[0]["tax_method"] == "inclusive":
        net = _cents(value * 100 / (100 + VAT_PERCENT))
        vat = value - net
    else:
        net, vat = value, _cents(value * VAT_PERCENT / 100)
    return _Document(
        deal=deal,
        profile=profile,
        issued_on=issued,
        due_on=due_date(issued, profile),
        net=net,
        vat=vat,
        rng=rng,
        client=world.organizations[deal["org_id"]]["name"],
    )


def _credit_note(invoice: _Document) -> _Document:
    rng = invoice.rng
    issued = invoice.issued_on + timedelta(days=rng.randrange(4, 26))
    whole = rng.random() < 0.3
    share = Decimal(1) if whole else Decimal(rng.choice((10, 15, 20, 25, 40))) / 100
    net = _cents(invoice.net * share)
    vat = _cents(invoice.vat * share)
    return _Document(
        deal=invoice.deal,
        profile=invoice.profile,
        issued_on=issued,
        due_on=issued,
        net=net,
        vat=vat,
        rng=rng,
        corrects=invoice,
        client=invoice.client,
    )


def due_date(issued: date, profile: Profile) -> date:
    due = issued + timedelta(days=profile.terms_days)
    if profile.end_of_month:
        due = due.replace(day=calendar.monthrange(due.year, due.month)[1])
    return due


def _payments(world: World, invoice: _Document) -> list[Row]:
    if invoice.corrects is not None:
        return []
    rng, profile = invoice.rng, invoice.profile
    owed = invoice.total - (invoice.credit.total if invoice.credit else Decimal(0))
    behaviour = payment_behaviour(profile.client_type, today=world.today)
    days = behaviour(rng, float(invoice.total), invoice.due_on)
    in_two = rng.random() < PAID_IN_TWO
    if days is None or owed <= 0:
        return []
    later = world.awkward.get("client_later_than_its_habit")
    if invoice.deal["org_id"] == later:
        days = min(days, 9)
        if (world.today - invoice.due_on).days < LATER_SINCE_DAYS:
            days += LATER_BY_DAYS
    received = max(invoice.due_on + timedelta(days=days), invoice.issued_on + timedelta(days=1))
    if invoice.credit is not None:
        received = max(received, invoice.credit.issued_on + timedelta(days=1))
    parts = [(received, owed)]
    if in_two:
        first = _cents(owed * rng.randrange(30, 70) / 100)
        rest_on = received + timedelta(days=rng.randrange(7, 29))
        parts = [(received, first), (rest_on, owed - first)]
    method = rng.choices(("transfer", "cheque", "card"), (92, 5, 3))[0]
    return [
        {
            "invoice": invoice.number,
            "received_on": day.isoformat(),
            "amount": f"{amount:.2f}",
            "currency": invoice.deal["currency"],
            "reference": f"{_SIGN[method]} {invoice.number}{f' {place}/2' if in_two else ''}",
            "method": method,
        }
        for place, (day, amount) in enumerate(parts, start=1)
        if day <= world.today
    ]


_SIGN: Final = {"transfer": "VIR", "cheque": "CHQ", "card": "CB"}


def _clients(world: World, documents: list[_Document]) -> list[Row]:
    emails = {user["id"]: user["email"] for user in world.users}
    organizations = {document.deal["org_id"] for document in documents}
    rows = []
    for organization_id in organizations:
        organization, profile = (
            world.organizations[organization_id],
            world.profiles[organization_id],
        )
        rows.append(
            {
                "name": organization["name"],
                "client_type": profile.client_type,
                "country": profile.country,
                "currency": profile.currency,
                "language": "fr" if profile.language == "French" else "en",
                "payment_terms_days": str(profile.terms_days),
                "billing_email": profile.billing_email,
                "vat_id": profile.vat_id,
                "siren": profile.siren,
                "owner_email": emails[organization["owner_id"]],
            }
        )
    return sorted(rows, key=lambda row: row["name"])


def _invoice_row(world: World, document: _Document) -> Row:
    invoice = document.corrects
    title = document.deal["title"]
    return {
        "number": document.number,
        "kind": "credit_note" if invoice else "invoice",
        "client": document.client,
        "issued_on": document.issued_on.isoformat(),
        "due_on": document.due_on.isoformat(),
        "currency": document.deal["currency"],
        "net": f"{document.net:.2f}",
        "vat": f"{document.vat:.2f}",
        "total": f"{document.total:.2f}",
        "corrects": invoice.number if invoice else "",
        "title": f"Avoir : {title}" if invoice else title,
    }


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
