"""A document that is none, to look at the look: of this company, to a client who does not exist."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from invoices.company.looks import look_of
from invoices.company.seller import seller_of
from invoices.documents import mentions
from invoices.documents.look import Look
from invoices.documents.paper import Buyer, Paper, PaperLine, amounts
from invoices.documents.totals import LineInput, compute
from invoices.models import Company, Invoice

# Of each sample: its languages and how many lines it has.
SAMPLES = {
    "fr": ("fr", "", 3),
    "en": ("en", "", 3),
    "both": ("fr", "en", 3),
    "long": ("fr", "", 30),
}
_LINES = {
    "fr": (
        ("Pilotage du projet\nComité hebdomadaire", "DAY", "4", "925"),
        ("Développement, lot 2", "DAY", "12.5", "780"),
        ("Formation des utilisateurs", "DAY", "2", "1200"),
    ),
    "en": (
        ("Project management\nWeekly meeting", "DAY", "4", "925"),
        ("Development, lot 2", "DAY", "12.5", "780"),
        ("Training of users", "DAY", "2", "1200"),
    ),
}


def sample_paper(company: Company, which: str, on: date) -> Paper:
    """`which` of SAMPLES, dated `on`, in the look that the company has now."""
    language, second, count = SAMPLES.get(which, SAMPLES["fr"])
    rows = [_LINES[language][n % 3] for n in range(count)]
    inputs = [
        LineInput(Decimal(quantity), Decimal(price), Decimal(20), vat_category="S")
        for _text, _unit, quantity, price in rows
    ]
    totals = compute(inputs, currency=company.currency)
    due = on + timedelta(days=30)
    paper = Paper(
        **amounts(totals),
        seller=seller_of(company),
        buyer=Buyer(
            name="Ateliers Réunis de la Loire",
            address=("12, rue de la Paix", "44000 Nantes"),
            country="FR",
            siren="552100554",
            vat_id="FR96552100554",
        ),
        lines=tuple(
            PaperLine(
                description=text,
                unit=unit,
                quantity=Decimal(quantity),
                unit_price=Decimal(price),
                net_minor=found.net_minor,
                vat_rate=Decimal(20),
            )
            for (text, unit, quantity, price), found in zip(rows, totals.lines, strict=True)
        ),
        language="en" if language == "en" else "fr",
        number="F-0000",
        issue_date=on,
        due_date=due,
        service_from=on,
        service_until=on,
        purchase_order="BC-2041",
        nature="services",
        look=look_of(company),
        payment_terms=mentions.due_by(language, due),
        early_payment=mentions.early_payment(language),
        late_penalty=mentions.late_penalty_in_words(language, over_the_ecb=10),
        recovery_indemnity=mentions.recovery_indemnity(language),
    )
    if not second:
        return paper
    return replace(
        paper,
        second_language="en",
        second_terms=mentions.due_by(second, due),
        second_claims=(
            mentions.early_payment(second),
            mentions.late_penalty_in_words(second, over_the_ecb=10),
            mentions.recovery_indemnity(second),
        ),
    )


def paper_of_issued(number: str, look: Look) -> Paper | None:
    """That of an issued document, as it would be in another look; None where there is none."""
    row = Invoice.objects.filter(number=number).exclude(paper=None).order_by("-pk").first()
    if row is None or not row.paper:
        return None
    return replace(Paper.from_json(row.paper), look=look)
