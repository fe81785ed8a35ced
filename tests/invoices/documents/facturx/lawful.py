"""Random documents that a seller in France may lawfully issue, as papers: the same for a seed.

What is drawn: where the buyer is and what follows from it (rates, categories, reasons), what is
sold, one or several rates, discounts of lines and of documents, lines that take back, currencies,
the regime of the seller, and credit notes of all, of lines and of an amount.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from invoices.documents import mentions
from invoices.documents.from_gross import basis_from_gross
from invoices.documents.paper import (
    Buyer,
    Paper,
    PaperLine,
    Seller,
    amounts,
)
from invoices.documents.totals import (
    LineInput,
    Totals,
    TotalsRefused,
    compute,
    round_half_up,
)
from tests.invoices.documents.facturx.adjusted import adjusted, retained

D = Decimal
UNITS = ("C62", "DAY", "HUR", "MON", "KGM", "KMT", "LTR", "")
WORDS = (
    "Audit", "Conseil & étude <2>", "Formation sur site", "Élagage, 3ᵉ tranche", "Licence “Pro”",
    "Huîtres n° 3", "Χαρτί", "Кабель", "Sillage 100 %", "Œuvre d’art", "R&D]]>", "Emoji 🌊",
)  # fmt: skip
ARTICLE = "Exonération de TVA, article 261, 4-4° a du CGI."


@dataclass(frozen=True)
class Scene:
    """A buyer somewhere, and how what he buys is taxed: (category, rate, VATEX code, sentence)."""

    name: str
    country: str
    postal_code: str
    taxed: tuple[tuple[str, str, str, str], ...]
    vat_id: str = ""
    treatment: str = "B2B"
    mode: str = "S1"


def standard(*rates):
    return tuple(("S", rate, "", "") for rate in rates)


EXEMPT = ("E", "0", "VATEX-FR-CGI261-4", ARTICLE)
SCENES = (
    Scene("metropole", "FR", "75002", standard("20", "10", "5.5", "2.1"), mode="M1"),
    Scene("corsica", "FR", "20000", standard("20", "13", "10", "2.1", "0.9"), mode="B1"),
    Scene("overseas", "FR", "97400", standard("8.5", "2.1", "1.75", "1.05")),
    Scene("exempt beside taxed", "FR", "44000", (*standard("20", "5.5"), EXEMPT)),
    Scene("exempt", "FR", "29200", (EXEMPT,)),
    Scene("exempt by the note", "FR", "29200", (("E", "0", "", ARTICLE),)),
    Scene(
        "franchise",
        "FR",
        "35000",
        (("E", "0", "VATEX-FR-FRANCHISE", "TVA non applicable, article 293 B du CGI."),),
    ),
    Scene(
        "reversed at home",
        "FR",
        "13001",
        (("AE", "0", "VATEX-EU-AE", "Autoliquidation, article 283, 2 nonies du CGI."),),
    ),
    Scene("consumer", "FR", "69001", standard("20", "10"), treatment="B2C", mode="B1"),
    Scene("public body", "FR", "33000", standard("20"), treatment=""),
    Scene("monaco", "MC", "98000", standard("20", "5.5"), treatment="B2BINT"),
    *(
        Scene(
            f"services to {country}",
            country,
            "1000",
            (("AE", "0", "VATEX-EU-AE", "Autoliquidation (article 196)."),),
            vat_id=vat_id,
            treatment="B2BINT",
        )
        for country, vat_id in (("DE", "DE136695976"), ("GR", "EL094259216"), ("LU", "LU15027442"))
    ),
    *(
        Scene(
            f"goods to {country}",
            country,
            "2000",
            (("K", "0", "VATEX-EU-IC", "Livraison intracommunautaire (article 262 ter, I)."),),
            vat_id=vat_id,
            treatment="B2BINT",
            mode="B1",
        )
        for country, vat_id in (("IT", "IT00743110157"), ("BE", "BE0428759497"))
    ),
    Scene(
        "export",
        "US",
        "10001",
        (("G", "0", "VATEX-EU-G", "Exportation exonérée (article 262, I du CGI)."),),
        treatment="B2BINT",
        mode="B1",
    ),
    Scene(
        "outside VAT",
        "CH",
        "1201",
        (("O", "0", "VATEX-EU-O", "Non soumise à la TVA française (article 259 du CGI)."),),
        treatment="B2BINT",
    ),
    Scene(
        "mayotte",
        "FR",
        "97600",
        (("O", "0", "VATEX-EU-O", "TVA non applicable (article 294, 1 du CGI)."),),
        treatment="B2BINT",
        mode="M1",
    ),
)


def lawful(rng: Random, scene: Scene | None = None) -> Paper:
    scene = scene or rng.choice(SCENES)
    kind = rng.choice(("invoice", "invoice", "invoice", "whole", "lines", "amount"))
    while True:
        made = _document(rng, scene, kind)
        if made is not None:
            return made


def _document(rng, scene, kind):
    currency = rng.choice(("EUR", "EUR", "EUR", "EUR", "USD", "GBP", "JPY", "CHF"))
    inputs = [_line(rng, scene, currency) for _ in range(rng.choice((1, 1, 2, 3, 5, 9)))]
    if scene.name == "exempt beside taxed":
        inputs += [replace(inputs[0], vat_category="E", vat_rate=D(0))]
    allowances = ()
    try:
        totals = compute(inputs, currency=currency)
        if kind in ("invoice", "whole") and rng.random() < 0.4:
            allowances, totals = adjusted(rng, scene, inputs, totals)
        if kind == "lines":
            inputs, totals = _by_lines(rng, inputs, totals)
        elif kind == "amount":
            inputs, totals = _by_amount(rng, totals)
    except TotalsRefused:
        # A discount larger than its line, a price that would be too large.
        return None
    if totals.total_minor <= 0:
        return None
    made = _paper(rng, scene, inputs, totals, is_credit=kind != "invoice")
    made = replace(made, lines=made.lines[: len(inputs)], allowances=allowances)
    if kind == "invoice" and scene.treatment == "B2B" and rng.random() < 0.1:
        made = retained(rng, made)
    return made


def _line(rng, scene, currency):
    category, rate, _code, _text = rng.choice(scene.taxed)
    places = rng.choice((0, 2, 2, 2, 4, 6)) if currency != "JPY" else rng.choice((0, 0, 2))
    price = D(rng.randrange(1, 10 ** rng.choice((3, 5, 7)))).scaleb(-places)
    if rng.random() < 0.05:
        price = rng.choice((D(0), -price))
    quantity = D(rng.randrange(1, 10 ** rng.choice((1, 2, 4)))).scaleb(-rng.choice((0, 0, 1, 4)))
    if rng.random() < 0.1:
        quantity = -quantity
    discount = {}
    chance = rng.random()
    if chance < 0.15:
        discount = {"discount_percent": D(rng.choice(("10", "12.5", "33.333333", "100")))}
    elif chance < 0.25:
        discount = {"discount_amount": D(rng.choice(("1", "0.01", "15.50")))}
        if currency == "JPY":
            discount = {"discount_amount": D(1)}
    return LineInput(quantity, price, D(rate), category, **discount)


def _by_lines(rng, inputs, totals):
    """Some lines, the first of them in part: its net as one price, as crediting.py writes it."""
    kept = rng.sample(range(len(inputs)), rng.randint(1, len(inputs)))
    lines = [inputs[place] for place in kept]
    part = totals.lines[kept[0]].net_minor // 2
    if part > 0:
        scale = D(1) if totals.currency == "JPY" else D(100)
        one = inputs[kept[0]]
        lines[0] = LineInput(D(1), D(part) / scale, one.vat_rate, one.vat_category)
    return lines, compute(lines, currency=totals.currency)


def _by_amount(rng, totals):
    """A gross amount over the rates; VAT is what is left of each, so it may be a cent off."""
    scale = D(1) if totals.currency == "JPY" else D(100)
    lines, groups = [], []
    for group in totals.breakdown:
        gross = (group.basis_minor + group.vat_minor) * rng.randint(1, 100) // 100
        if gross <= 0:
            continue
        basis = basis_from_gross(gross, group.vat_rate)
        vat = gross - basis
        lines.append(LineInput(D(1), D(basis) / scale, group.vat_rate, group.vat_category))
        groups.append(replace(group, basis_minor=basis, vat_minor=vat))
    net, vat = sum(g.basis_minor for g in groups), sum(g.vat_minor for g in groups)
    made = compute(lines, currency=totals.currency)
    return lines, Totals(made.currency, made.lines, (), tuple(groups), net, 0, net, vat, net + vat)


def _paper(rng, scene, inputs, totals, *, is_credit):
    language = rng.choice(("fr", "en"))
    issued = date(2026, 9, 1) + timedelta(days=rng.randrange(1500))
    why = {category: (code, text) for category, _rate, code, text in scene.taxed}
    said = amounts(totals)
    said["breakdown"] = tuple(
        replace(row, exemption_code=code, exemption_text=text)
        for row in said["breakdown"]
        for code, text in (why[row.vat_category],)
    )
    return Paper(
        **said,
        **_days(rng, issued, said["breakdown"], is_credit=is_credit),
        **_sentences(scene, language, issued, is_credit=is_credit),
        **_buyer(rng, scene),
        **_group(rng, said["breakdown"]),
        kind="credit_note" if is_credit else "invoice",
        language=language,
        number=f"{'A' if is_credit else 'F'}-{issued.year}-{rng.randrange(10**6):04d}",
        title=rng.choice(("", "Mission d’automne")),
        seller=_seller(rng, scene.name == "franchise"),
        **_where(rng),
        purchase_order=rng.choice(("", "PO 2026/42")),
        corrects_number="F-2026-0007" if is_credit else "",
        corrects_date=date(2026, 8, 31) if is_credit else None,
        lines=tuple(map(_paper_line, [rng] * len(inputs), inputs, totals.lines)),
        nature={"S1": "services", "B1": "goods", "M1": "mixed"}[scene.mode],
        exemptions=tuple(text for _code, text in why.values() if text),
        vat_on_debits=rng.random() < 0.2 and totals.vat_minor != 0,
        vat_minor_in_eur=_in_euros(totals),
        notes=rng.choice(("", "Merci.\nÀ bientôt", "x" * 1000)),
        billing_mode=scene.mode,
        treatment=scene.treatment,
    )


def _where(rng):
    """Where it is delivered, or where a service is: nowhere named, freely, or with its country."""
    freely = {"delivery_address": ("Quai 4", "Hangar 2", "Port", "29200 Brest")}
    named = {
        "delivery_address": ("Quai 4\u202f: hangar", "97420 Le Port"),
        "delivery_postal_code": "97420",
        "delivery_city": "Le Port",
        "delivery_country": rng.choice(("RE", "DE", "EL", "XI", "IC", "MC")),
    }
    countries_only = {"delivery_country": "DE"}
    tied = {"supplied_at": rng.choice((("Gare de Lyon",), ())), "supplied_in": "FR"}
    return rng.choice(({}, {}, freely, named, countries_only, tied, {**named, **tied}))


def _paper_line(rng, line, total):
    return PaperLine(
        description=rng.choice(WORDS) + rng.choice(("", "\nsuite\n• détail")),
        quantity=line.quantity,
        unit=rng.choice(UNITS),
        unit_price=line.unit_price,
        net_minor=total.net_minor,
        vat_category=line.vat_category,
        vat_rate=line.vat_rate,
        discount_percent=line.discount_percent,
        discount_minor=total.discount_minor,
    )


def _in_euros(totals):
    if totals.currency == "EUR" or not totals.vat_minor:
        return None
    unit = D(1) if totals.currency == "JPY" else D("0.01")
    return round_half_up(totals.vat_minor * unit * D("0.91") * 100)


def _days(rng, issued, breakdown, *, is_credit):
    service = rng.choice((0, 1, 2, 3))
    if any(row.vat_category == "K" for row in breakdown) and not service:
        service = 1
    return {
        "issue_date": issued,
        "due_date": None if is_credit else issued + timedelta(days=rng.choice((0, 30, 60))),
        "service_from": issued if service in (1, 3) else None,
        "service_until": issued + timedelta(days=29) if service in (2, 3) else None,
    }


def _sentences(scene, language, issued, *, is_credit):
    if is_credit:
        return {"payment_terms": mentions.set_against(language, "F-2026-0007")}
    found = {
        "payment_terms": mentions.due_by(language, issued),
        "early_payment": mentions.early_payment(language),
    }
    if scene.treatment == "B2C":
        return found
    return {
        **found,
        "late_penalty": mentions.late_penalty(language, rate=D("12.15"), over_the_ecb=10),
        "recovery_indemnity": mentions.recovery_indemnity(language),
    }


def _buyer(rng, scene):
    siren = siren_of(rng)
    at_home = scene.country in ("FR", "MC") and scene.treatment != "B2C"
    address = ("1, rue de la Paix", rng.choice(("", "Bâtiment B")), f"{scene.postal_code} Ville")
    return {
        "buyer": Buyer(
            name=rng.choice(("Brasserie du Port", "Ateliers Réunis <& fils>", "Ö" * 250)),
            address=tuple(line for line in address if line),
            postal_code=scene.postal_code,
            city="Ville",
            country=scene.country,
            siren=siren if at_home else "",
            vat_id=scene.vat_id or (f"FR{key_of(siren):02d}{siren}" if at_home else ""),
        ),
        "electronic_address": siren if at_home else "compta@client.example",
        "electronic_address_scheme": "0225" if at_home else "EM",
    }


def _group(rng, breakdown):
    if rng.random() > 0.05 or any(row.vat_category == "O" for row in breakdown):
        return {}
    return {
        "vat_group": "Membre d’un assujetti unique",
        "vat_group_name": "Groupe Kerlann",
        "vat_group_address": "1, quai de la Fosse, 44000 Nantes",
        "vat_group_vat_id": "FR96552100554",
    }


def _seller(rng, franchise):
    return Seller(
        name="Kerlann Conseil",
        legal_form="SAS",
        capital="80 000 €",
        siren="732829320",
        siret=rng.choice(("", "73282932000074")),
        rcs_city="Nantes",
        vat_id="" if franchise else "FR44732829320",
        address=("14, quai de la Fosse", "44000 Nantes"),
        postal_code="44000",
        city="Nantes",
        country="FR",
        iban=rng.choice(("", "FR76 3000 6000 0112 3456 7890 189")),
        bic="AGRIFRPP",
        email=rng.choice(("", "facturation@kerlann.example")),
        phone="+33 2 40 00 00 00",
    )


def siren_of(rng):
    """Nine digits with the check digit of Luhn."""
    digits = [rng.randrange(1, 10), *(rng.randrange(10) for _ in range(7))]
    doubled = [d * 2 if place % 2 else d for place, d in enumerate(digits)]
    check = -sum(sum(divmod(d, 10)) for d in doubled) % 10
    return "".join(map(str, [*digits, check]))


def key_of(siren):
    return (12 + 3 * (int(siren) % 97)) % 97
