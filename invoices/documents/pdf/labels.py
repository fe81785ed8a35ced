"""The words of a printed document, and its dates and amounts, in the client's language: no
gettext, no active locale."""

from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal

from invoices.documents.mentions import LOCALES, decimals_of, long_date, minus, money
from invoices.documents.paper import CREDIT_NOTE, INVOICE, QUOTE, Paper


@dataclass(frozen=True)
class Labels:
    invoice: str
    credit_note: str
    quote: str
    deposit: str
    final: str
    pro_forma: str
    pro_forma_mark: str
    pro_forma_note: str
    draft: str
    draft_note: str
    draft_quote_note: str
    issued: str
    due: str
    valid_until: str
    first_of: str
    billed_by: str
    billed_to: str
    quoted_to: str
    references: str
    contact: str
    delivered_to: str
    period: str
    month: str
    day_of_supply: str
    purchase_order: str
    your_reference: str
    corrects: str
    replaces: str
    why: str
    supplied_at: str
    goods: str
    services: str
    mixed: str
    description: str
    quantity: str
    unit_price: str
    discount: str
    vat: str
    net_amount: str
    total_lines: str
    before_deposits: str
    deposit_taken: str
    total_net: str
    vat_on: str
    no_vat_on: str
    total_gross: str
    total_no_vat: str
    total_credit: str
    paid: str
    payable: str
    payment: str
    account_holder: str
    reference: str
    amount: str
    scan: str
    scan_first: str
    in_parts: str
    settled: str
    vat_id: str
    capital: str
    page: str
    missing: str
    vat_in_eur: str
    offered: str
    agreed: str
    agreed_hint: str
    agreed_by: str
    accepted: str
    categories: dict[str, str]


FR = Labels(
    invoice="Facture",
    credit_note="Avoir",
    quote="Devis",
    deposit="Facture d’acompte",
    final="Facture définitive",
    pro_forma="Facture pro forma",
    pro_forma_mark="PRO FORMA",
    pro_forma_note="Pro forma\u202f: ce document n’est pas une facture et n’ouvre aucun droit à "
    "déduction de la TVA.",
    draft="BROUILLON",
    draft_note="Brouillon sans valeur comptable\u202f: ce document n’est pas une facture.",
    draft_quote_note="Projet de devis, sans engagement tant qu’il n’est pas envoyé.",
    issued="Date d’émission",
    due="Échéance",
    valid_until="Valable jusqu’au",
    first_of="(1re sur {n})",
    billed_by="Émetteur",
    billed_to="Facturé à",
    quoted_to="Établi pour",
    references="Références",
    contact="À l’attention de",
    delivered_to="Livré à",
    period="Période\u202f: du {start} au {end}",
    month="Période\u202f: {month}",
    day_of_supply="Date de prestation ou de livraison\u202f: {day}",
    purchase_order="Bon de commande",
    your_reference="Votre référence",
    corrects="Rectifie la facture {number} du {day}",
    replaces="Annule et remplace la facture {number} du {day}",
    why="Motif\u202f: {reason}",
    supplied_at="Lieu de la prestation",
    goods="Livraison de biens",
    services="Prestation de services",
    mixed="Biens et services",
    description="Désignation",
    quantity="Qté",
    unit_price="Prix unit. HT",
    discount="Remise",
    vat="TVA",
    net_amount="Montant HT",
    total_lines="Total des lignes",
    before_deposits="Total HT avant acomptes",
    deposit_taken="Acompte {number} du {day}\u202f: {net} HT, TVA {vat}, {total} TTC",
    total_net="Total HT",
    vat_on="TVA {rate} sur {basis}",
    no_vat_on="{category} sur {basis}",
    total_gross="Total TTC",
    total_no_vat="Total",
    total_credit="Total de l’avoir",
    paid="Déjà réglé",
    payable="Net à payer",
    payment="Règlement",
    account_holder="Titulaire",
    reference="Référence",
    amount="Montant",
    scan="Virement prérempli\u202f: scannez avec l’application de votre banque.",
    scan_first="Virement prérempli de la 1re échéance\u202f: scannez avec l’application de votre "
    "banque.",
    in_parts="À régler en {n} échéances, au plus tard le",
    settled="Facture acquittée.",
    vat_id="TVA",
    capital="au capital de",
    page="Page {page} sur {pages}",
    missing="Le signe □ remplace un caractère que ce document ne peut pas imprimer.",
    vat_in_eur="Montant de la TVA en euros\u202f: {amount}.",
    offered="Au choix, non compris dans le total (montants HT)",
    agreed="Bon pour accord",
    agreed_hint="Date et mention manuscrite «\u00a0Bon pour accord\u00a0»",
    agreed_by="Nom, fonction, signature et cachet",
    accepted="Accepté",
    categories={
        "S": "TVA",
        "Z": "TVA 0\u202f%",
        "E": "Exonéré de TVA",
        "AE": "Autoliquidation",
        "K": "Exonéré (intracommunautaire)",
        "G": "Exonéré (exportation)",
        "O": "Hors champ de la TVA",
    },
)

EN = Labels(
    invoice="Invoice",
    credit_note="Credit note",
    quote="Quote",
    deposit="Deposit invoice",
    final="Final invoice",
    pro_forma="Pro forma invoice",
    pro_forma_mark="PRO FORMA",
    pro_forma_note="Pro forma: this document is not an invoice and gives no right to deduct VAT.",
    draft="DRAFT",
    draft_note="Draft without accounting value: this document is not an invoice.",
    draft_quote_note="Draft of a quote, not binding until it is sent.",
    issued="Issue date",
    due="Due date",
    valid_until="Valid until",
    first_of="(1st of {n})",
    billed_by="From",
    billed_to="Billed to",
    quoted_to="Prepared for",
    references="References",
    contact="Attn",
    delivered_to="Delivered to",
    period="Period: {start} to {end}",
    month="Period: {month}",
    day_of_supply="Supplied on {day}",
    purchase_order="Purchase order",
    your_reference="Your reference",
    corrects="Corrects invoice {number} of {day}",
    replaces="Cancels and replaces invoice {number} of {day}",
    why="Reason: {reason}",
    supplied_at="Place of supply",
    goods="Supply of goods",
    services="Supply of services",
    mixed="Goods and services",
    description="Description",
    quantity="Qty",
    unit_price="Unit price excl. VAT",
    discount="Discount",
    vat="VAT",
    net_amount="Net amount",
    total_lines="Total of lines",
    before_deposits="Total before deposits, excluding VAT",
    deposit_taken="Deposit {number} of {day}: {net} net, VAT {vat}, {total} in all",
    total_net="Total excluding VAT",
    vat_on="VAT {rate} on {basis}",
    no_vat_on="{category} on {basis}",
    total_gross="Total including VAT",
    total_no_vat="Total",
    total_credit="Total credited",
    paid="Already paid",
    payable="Amount due",
    payment="Payment",
    account_holder="Account holder",
    reference="Reference",
    amount="Amount",
    scan="Prefilled transfer: scan it with your bank’s app.",
    scan_first="Prefilled transfer of the 1st instalment: scan it with your bank’s app.",
    in_parts="To be paid in {n} instalments, by",
    settled="Paid in full.",
    vat_id="VAT",
    capital="share capital",
    page="Page {page} of {pages}",
    missing="The sign □ stands for a character that this document cannot print.",
    vat_in_eur="VAT amount in euros: {amount}.",
    offered="To choose, not part of the total (excluding VAT)",
    agreed="Agreed",
    agreed_hint="Date, and “Agreed” by hand",
    agreed_by="Name, function, signature and stamp",
    accepted="Accepted",
    categories={
        "S": "VAT",
        "Z": "VAT 0%",
        "E": "VAT exempt",
        "AE": "Reverse charge",
        "K": "Exempt (intra-Community)",
        "G": "Exempt (export)",
        "O": "Outside the scope of VAT",
    },
)

_NONE = {"fr": ("", ""), "en": ("", "")}
# UN/ECE Recommendation 20; a piece needs no word.
UNITS = {
    "": _NONE,
    "C62": _NONE,
    "DAY": {"fr": ("jour", "jours"), "en": ("day", "days")},
    "HUR": {"fr": ("heure", "heures"), "en": ("hour", "hours")},
    "MIN": {"fr": ("min", "min"), "en": ("min", "min")},
    "WEE": {"fr": ("semaine", "semaines"), "en": ("week", "weeks")},
    "MON": {"fr": ("mois", "mois"), "en": ("month", "months")},
    "ANN": {"fr": ("an", "ans"), "en": ("year", "years")},
    "KGM": {"fr": ("kg", "kg"), "en": ("kg", "kg")},
    "MTR": {"fr": ("m", "m"), "en": ("m", "m")},
    "MTK": {"fr": ("m²", "m²"), "en": ("m²", "m²")},
    "LTR": {"fr": ("l", "l"), "en": ("l", "l")},
    "KMT": {"fr": ("km", "km"), "en": ("km", "km")},
    "LS": {"fr": ("forfait", "forfaits"), "en": ("lump sum", "lump sums")},
}

LABELS = {"fr": FR, "en": EN}
JOINT = " / "
# Where both languages share what is filled in: the form, then the words of each.
_SHARED: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {
    "vat_on": ("{0} {{rate}} {1} {{basis}}", {"fr": ("TVA", "sur"), "en": ("VAT", "on")}),
    "no_vat_on": ("{{category}} {0} {{basis}}", {"fr": ("sur",), "en": ("on",)}),
    "page": ("{0} {{page}} {1} {{pages}}", {"fr": ("Page", "sur"), "en": ("Page", "of")}),
    "month": ("{0}\u00a0: {{month}}", {"fr": ("Période",), "en": ("Period",)}),
    "period": ("{0}\u00a0: {{start}} – {{end}}", {"fr": ("Période",), "en": ("Period",)}),
    "day_of_supply": (
        "{0}\u00a0: {{day}}",
        {"fr": ("Date de prestation ou de livraison",), "en": ("Supplied on",)},
    ),
    "corrects": (
        "{0} {{number}}, {{day}}",
        {"fr": ("Rectifie la facture",), "en": ("Corrects invoice",)},
    ),
    "replaces": (
        "{0} {{number}}, {{day}}",
        {"fr": ("Annule et remplace la facture",), "en": ("Cancels and replaces invoice",)},
    ),
    "why": ("{0}\u00a0: {{reason}}", {"fr": ("Motif",), "en": ("Reason",)}),
    "deposit_taken": (
        "{0} {{number}}, {{day}}\u00a0: {{net}} {1}, {2} {{vat}}, {{total}} {3}",
        {"fr": ("Acompte", "HT", "TVA", "TTC"), "en": ("Deposit", "net", "VAT", "in all")},
    ),
    "vat_in_eur": (
        "{0}\u00a0: {{amount}}.",
        {"fr": ("Montant de la TVA en euros",), "en": ("VAT amount in euros",)},
    ),
}


@cache
def in_both(first: str, second: str) -> Labels:
    """The labels of a page in two languages: “Facture / Invoice”."""
    joined: dict[str, Any] = {}
    for field in fields(Labels):
        one, other = getattr(LABELS[first], field.name), getattr(LABELS[second], field.name)
        if field.name in _SHARED:
            form, said = _SHARED[field.name]
            pairs = zip(said[first], said[second], strict=True)
            joined[field.name] = form.format(*(_joined(*pair) for pair in pairs))
        elif isinstance(one, str):
            joined[field.name] = _joined(one, other)
        else:
            joined[field.name] = {key: _joined(one[key], other[key]) for key in one}
    return Labels(**joined)


def _joined(one: str, other: str) -> str:
    return one if one == other else f"{one}{JOINT}{other}"


def as_dict(labels: Labels) -> dict[str, object]:
    return {field.name: getattr(labels, field.name) for field in fields(labels)}


class Words:
    """The labels of one paper, with its amounts, rates and days written in its language."""

    def __init__(self, paper: Paper, *, pro_forma: bool = False) -> None:
        self.paper = paper
        self.pro_forma = pro_forma
        # Of its first language alone, and as the page says them.
        self.own = LABELS[paper.language]
        second = paper.second_language
        self.labels = in_both(paper.language, second) if second else self.own
        self.locale = LOCALES[paper.language]
        self.decimals = decimals_of(paper.currency)

    def kind(self) -> str:
        labels, paper = self.labels, self.paper
        if self.pro_forma:
            return labels.pro_forma
        named = {CREDIT_NOTE: labels.credit_note, QUOTE: labels.quote}
        if paper.kind == INVOICE:
            named = {"deposit": labels.deposit, "final": labels.final}
        return named.get(paper.purpose if paper.kind == INVOICE else paper.kind, labels.invoice)

    @property
    def mark(self) -> str:
        """Across every page of what is no invoice."""
        return self.own.pro_forma_mark if self.pro_forma else self.own.draft

    def money(self, minor: int) -> str:
        return money(self.paper.language, minor, self.paper.currency)

    def number(self, minor: int) -> str:
        return self._decimal(Decimal(minor) / self.paper.sub_unit, self.decimals)

    def price(self, value: Decimal) -> str:
        """At least the currency's decimals, at most six."""
        return self._decimal(value, self.decimals + "#" * (6 - len(self.decimals)))

    def quantity(self, value: Decimal) -> str:
        return self._decimal(value, "####")

    def percent(self, value: Decimal) -> str:
        return self._decimal(value, "####") + ("\u202f%" if self.paper.language == "fr" else "%")

    def day(self, day: date | None) -> str:
        """Unbreakable, so that no line ends between a day and its month."""
        return long_date(day, self.paper.language).replace(" ", "\u00a0") if day else ""

    def month(self, day: date) -> str:
        return format_date(day, "MMMM\u00a0y", locale=self.locale)

    def euros(self, cents: int) -> str:
        return money(self.paper.language, cents, "EUR")

    def unit(self, code: str, quantity: Decimal) -> str:
        """jour, jours: plural from 2 in French, for all but 1 in English. An unknown code stays."""
        forms = UNITS.get(code)
        if forms is None:
            return code
        said = []
        for language in filter(None, (self.paper.language, self.paper.second_language)):
            plural = abs(quantity) >= 2 if language == "fr" else abs(quantity) != 1
            said.append(forms[language][plural])
        return said[0] if len(said) == 1 else _joined(*said)

    def country(self, code: str) -> str:
        return str(Locale.parse(self.locale).territories.get(code.upper(), code))

    def _decimal(self, value: Decimal, decimals: str) -> str:
        pattern = "#,##0" + (f".{decimals}" if decimals else "")
        return minus(format_decimal(value + 0, pattern, locale=self.locale))
