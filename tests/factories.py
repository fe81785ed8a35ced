"""Rows for tests, as plain functions: a test spells out only what it is about."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import count

from billing_portal.accounts.models import User
from invoices.models import (
    CatalogueItem,
    Client,
    ClientType,
    Company,
    Deal,
    DealLine,
    Invoice,
    NumberPattern,
    NumberSeries,
)

_serial = count(1)


def make_user(**fields):
    n = next(_serial)
    given = {
        "email": f"person{n}@kerlann.example",
        "name": f"Person {n}",
        "role": User.Role.FINANCE,
    }
    return User.objects.create_user(**{**given, "password": "correct horse", **fields})


def make_company(**fields):
    given = {
        "name": "Kerlann Conseil",
        "legal_form": "SAS",
        "capital": "80 000 €",
        "siren": "732829320",
        "siret": "73282932000074",
        "rcs_city": "Nantes",
        "vat_id": "FR44732829320",
        "address_line1": "14, quai de la Fosse",
        "postal_code": "44000",
        "city": "Nantes",
        "email": "billing@kerlann.example",
        "iban": "FR7630006000011234567890189",
        "bic": "AGRIFRPP",
    }
    return Company.objects.update_or_create(pk=1, defaults={**given, **fields})[0]


def make_client_type(name="SME", **fields):
    return ClientType.objects.get_or_create(name=name, defaults=fields)[0]


def make_client(**fields):
    n = next(_serial)
    given = {
        "name": f"Client {n}",
        "billing_email": f"invoices{n}@client.example",
        "address_line1": f"{n}, rue de la Paix",
        "postal_code": "75002",
        "city": "Paris",
        "country": "FR",
        "siren": "552100554",
        "vat_id": "FR96552100554",
    }
    if "client_type" not in fields:
        fields["client_type"] = make_client_type()
    return Client.objects.create(**{**given, **fields})


def make_deal(*, lines=((1, "1000.00"),), **fields):
    """A won deal in euros; `lines` are (quantity, unit price) or dicts of DealLine fields."""
    n = next(_serial)
    if "client" not in fields:
        fields["client"] = make_client()
    given = {
        "title": f"Deal {n}",
        "status": Deal.Status.WON,
        "currency": "EUR",
        "won_on": date(2026, 9, 15),
        "value_minor": 100_000,
    }
    deal = Deal.objects.create(**{**given, **fields})
    for position, line in enumerate(lines, 1):
        if not isinstance(line, dict):
            quantity, price = line
            line = {"quantity": Decimal(str(quantity)), "unit_price": Decimal(str(price))}
        DealLine.objects.create(
            deal=deal,
            position=position,
            **{"name": f"Service {position}", "tax_percent": Decimal(20), **line},
        )
    return deal


def make_invoice(**fields):
    """An issued invoice with numbers of its own, without the work of issuing (no PDF, no event)."""
    n = next(_serial)
    if "client" not in fields:
        fields["client"] = make_client()
    issue_date = fields.get("issue_date", date(2026, 9, 1))
    total = fields.get("total_minor", 120_00)
    vat = fields.pop("vat_minor", 0)
    given = {
        "status": Invoice.Status.ISSUED,
        "imported": True,
        "number": f"OLD-{n:05d}",
        "currency": "EUR",
        "issue_date": issue_date,
        "due_date": issue_date + timedelta(days=30),
        "total_minor": total,
        "net_minor": total - vat,
        "vat_minor": vat,
        "outstanding_minor": total,
    }
    given = {**given, **fields}
    if given["status"] == Invoice.Status.DRAFT:
        given.update(number="", imported=False)
    if given["status"] in (Invoice.Status.ISSUED, Invoice.Status.SETTLED):
        client = given.get("client") or Client.objects.get(pk=given["client_id"])
        given.setdefault("client_type_id", client.client_type_id)
        given.setdefault("next_due", given["due_date"])
        given.setdefault("buyer_name", client.name)
    if not given["imported"] and given["status"] != Invoice.Status.DRAFT:
        given["series"], given["sequence"] = _series_place(given.get("kind", "invoice"), issue_date)
        given["number"] = given["series"].number(given["sequence"])
    return Invoice.objects.create(**given)


def _series_place(kind, issue_date):
    letter = "F" if kind == "invoice" else "A"
    series, _ = NumberSeries.objects.get_or_create(
        kind=kind,
        period=str(issue_date.year),
        defaults={"prefix": f"{letter}-{issue_date.year}-"},
    )
    value = series.next_value
    series.next_value += 1
    series.save(update_fields=["next_value"])
    return series, value


def number_by(prefix, restart="year", *, width=4, kind="invoice"):
    """Set the pattern of a kind, as if nothing had been numbered by another before."""
    return NumberPattern.objects.update_or_create(
        kind=kind, defaults={"prefix": prefix, "restart": restart, "width": width}
    )[0]


def make_rule(**fields):
    from reports.models import AlertRule

    given = {"name": "A rule", "kind": "overdue", "days": 30, "cooldown_days": 30}
    return AlertRule.objects.create(**{**given, **fields})


def settle(invoice, on, *, by="payment"):
    """Settle a made invoice whole on a day, by money or by credit note, without the pages."""
    from invoices.models import Payment
    from invoices.payments.allocating import allocate

    amount = invoice.outstanding_minor
    source = {}
    if by == "payment":
        source["payment"] = Payment.objects.create(
            client=invoice.client, received_on=on, currency=invoice.currency, amount_minor=amount
        )
    elif by == "credit":
        source["credit_note"] = make_invoice(
            kind="credit_note", client=invoice.client, total_minor=amount, issue_date=on
        )
    allocate(invoice=invoice, amount_minor=amount, applied_on=on, by=None, **source)
    invoice.refresh_from_db()
    return invoice


def make_draft(*, lines=((1, "1000.00"),), client=None, on=date(2026, 11, 24), **header):
    """A draft, ready to be issued; lines are (quantity, price) or (quantity, price, VAT rate)."""
    from invoices.invoicing import drafting

    make_company()
    invoice = drafting.new_draft(client_id=(client or make_client()).pk, by=None, on=on)
    rows = [
        {
            "description": f"Service {position}",
            "quantity": Decimal(str(line[0])),
            "unit_price": Decimal(str(line[1])),
            "vat_rate": Decimal(str(line[2] if len(line) > 2 else 20)),
        }
        for position, line in enumerate(lines, 1)
    ]
    problems = drafting.save_draft(
        invoice_id=invoice.pk, header={"title": "Work", **header}, lines=rows, by=None
    )
    assert not problems, problems
    invoice.refresh_from_db()
    return invoice


def make_issued(*, on=date(2026, 11, 24), by=None, **draft):
    """An invoice that was really issued, with number, paper and PDF."""
    from invoices.invoicing import issuing

    return issuing.issue(invoice_id=make_draft(on=on, **draft).pk, by=by, on=on)


def make_invoice_in_instalments(dues, **fields):
    """An issued invoice of pairs of due date and amount, as issuing makes it."""
    from invoices.models import Instalment
    from invoices.models.facts import seal_of_document

    days = [day for day, _minor in dues]
    total = sum(minor for _day, minor in dues)
    invoice = make_invoice(
        status=Invoice.Status.DRAFT, total_minor=total, due_date=max(days), **fields
    )
    parts = Instalment.objects.bulk_create(
        Instalment(
            invoice=invoice,
            position=position,
            said_due=day,
            due_date=day,
            amount_minor=minor,
            outstanding_minor=minor,
        )
        for position, (day, minor) in enumerate(sorted(dues), 1)
    )
    invoice.status, invoice.imported = Invoice.Status.ISSUED, True
    invoice.number = f"PARTS-{invoice.pk:05d}"
    invoice.next_due = min(days)
    invoice.client_type_id, invoice.buyer_name = invoice.client.client_type_id, invoice.client.name
    invoice.seal = seal_of_document(invoice, instalments=parts)
    invoice.save()
    return invoice


def make_terms(name="30 % now, the rest 30 days later", steps=((30, 0, 0), (None, 0, 30))):
    """Payment terms of several steps: (share in per cent or None, months, days)."""
    from invoices.company.payment_terms import Step, save_steps
    from invoices.models import PaymentTerms

    terms = PaymentTerms.objects.create(name=name)
    save_steps(
        terms,
        [
            Step(None if share is None else Decimal(str(share)), months, days)
            for share, months, days in steps
        ],
    )
    return terms


def make_unprinted(invoice, *, on=date(2026, 11, 24), **fields):
    """A draft that becomes issued without paper, PDF and judges: for tests about its amounts."""
    from invoices.invoicing import drafting

    totals = drafting.recalculate(invoice)
    issue_date, due = drafting.dates_of(invoice, on)
    invoice.series, invoice.sequence = _series_place(invoice.kind, issue_date)
    invoice.number = invoice.series.number(invoice.sequence)
    invoice.issue_date, invoice.due_date, invoice.next_due = issue_date, due, due
    invoice.client_type_id = invoice.client.client_type_id
    invoice.buyer_name = invoice.client.name
    settled = totals.total_minor == 0
    invoice.status = Invoice.Status.SETTLED if settled else Invoice.Status.ISSUED
    invoice.settled_on = issue_date if settled else None
    for name, value in fields.items():
        setattr(invoice, name, value)
    invoice.save()
    return invoice


def make_payment_of(invoice, minor=1_00):
    """A bare payment of an invoice's client, which no invoice took."""
    from invoices.models import Payment

    return Payment.objects.create(
        client=invoice.client,
        received_on=date(2026, 11, 24),
        currency=invoice.currency,
        amount_minor=minor,
    )


def make_item(*, prices=None, crm="", **fields):
    """An item of the catalogue; `prices` by currency, `crm` its number there."""
    n = next(_serial)
    given = {"code": f"ITEM-{n}", "name": f"Item {n}"}
    if crm:
        given |= {"origin": "crm", "crm_number": crm}
    item = CatalogueItem.objects.create(**{**given, **fields})
    for currency, price in (prices or {}).items():
        item.prices.create(currency=currency, unit_price=Decimal(price))
    return item
