"""Papers to print, of any number of lines."""

from datetime import date
from decimal import Decimal
from io import BytesIO

from PIL import Image

from invoices.documents import mentions
from invoices.documents.paper import Buyer, Paper, PaperLine, Seller, amounts
from invoices.documents.totals import LineInput, compute

SELLER = Seller(
    name="Kerlann Conseil",
    legal_form="SAS",
    capital="50 000 €",
    address=("14, quai de la Fosse", "44000 Nantes"),
    country="FR",
    siren="123456782",
    siret="12345678200019",
    rcs_city="Nantes",
    vat_id="FR11123456782",
    iban="FR7630006000011234567890189",
    bic="AGRIFRPP",
    email="facturation@kerlann.example",
)
BUYER = Buyer(
    name="Brasserie du Port",
    address=("2, place de l’Hôtel-de-Ville", "29200 Brest"),
    country="FR",
    siren="200067072",
    vat_id="FR32200067072",
)
PILOTING = ("Pilotage du projet\nComité hebdomadaire", "DAY", "4", "925", "20")


def make_paper(*items, currency="EUR", language="fr", discounts=(), category="AE", **fields):
    rows = items or (PILOTING,)
    inputs = [
        LineInput(
            Decimal(quantity),
            Decimal(price),
            Decimal(rate),
            vat_category="S" if Decimal(rate) else category,
            discount_percent=Decimal(off[0]) if off else Decimal(0),
        )
        for _description, _unit, quantity, price, rate, *off in rows
    ]
    totals = compute(inputs, currency=currency, discounts=discounts)
    lines = tuple(
        PaperLine(
            description=row[0],
            unit=row[1],
            quantity=given.quantity,
            unit_price=given.unit_price,
            net_minor=found.net_minor,
            vat_category=given.vat_category,
            vat_rate=given.vat_rate,
            discount_percent=given.discount_percent,
            discount_minor=found.discount_minor,
        )
        for row, given, found in zip(rows, inputs, totals.lines, strict=True)
    )
    defaults = {
        "seller": SELLER,
        "buyer": BUYER,
        "number": "F-2026-0744",
        "issue_date": date(2026, 9, 25),
        "due_date": date(2026, 10, 25),
        "service_from": date(2026, 9, 1),
        "service_until": date(2026, 9, 30),
        "purchase_order": "EJ-2026-004817",
        "nature": "services",
        "payment_terms": mentions.due_by(language, date(2026, 10, 25)),
        "early_payment": mentions.early_payment(language),
        "late_penalty": mentions.late_penalty(language, rate=Decimal("12.15"), over_the_ecb=10),
        "recovery_indemnity": mentions.recovery_indemnity(language),
    }
    return Paper(lines=lines, language=language, **amounts(totals), **(defaults | fields))


def logo(size=(400, 100), mode="RGBA", kind="PNG"):
    out = BytesIO()
    Image.new(mode, size, "navy").save(out, kind)
    return out.getvalue()
