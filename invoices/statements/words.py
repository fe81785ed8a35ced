"""The words of letters about an account, in the language of the client, whoever reads the page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from babel.numbers import format_decimal

from invoices.documents.mentions import LOCALES, decimals_of
from invoices.documents.totals import sub_unit
from invoices.models import Payment

Language = Literal["fr", "en"]


@dataclass(frozen=True)
class Words:
    statement: str
    as_of: str
    period: str
    account: str
    movements_in: str
    open_in: str
    day: str
    document: str
    text: str
    debit: str
    credit: str
    balance: str
    opening: str
    closing: str
    issued: str
    due: str
    late: str
    total: str
    still_open: str
    days_late: str
    part: str
    receivable: str
    overdue: str
    free_credit: str
    free_cash: str
    owed_by_us: str
    nothing: str
    invoice: str
    credit_note: str
    payment: str
    reversal: str
    refund: str
    write_off: str
    applied_not: str
    claim_title: str
    claim_before: str
    formula: str
    unknown_rate: str
    days: str
    rate: str
    interest: str
    indemnity: str
    claim_total: str
    pay_title: str
    holder: str
    reference: str
    not_an_invoice: str
    differs: str
    claim: str
    claim_on: str
    claim_intro: tuple[str, ...]
    claim_closing: tuple[str, ...]
    worked_out: str
    principal: str
    first: str
    last: str
    receipt: str
    receipt_intro: str
    received: str
    method: str
    settles: str
    amount: str
    not_applied: str
    refunded: str
    still_due: str
    receipt_closing: str
    reversed_on: str
    methods: dict[str, str]


FR = Words(
    statement="Relevé de compte",
    as_of="Arrêté au",
    period="Période",
    account="Compte client",
    movements_in="Mouvements en {currency}",
    open_in="Factures ouvertes en {currency}",
    day="Date",
    document="Pièce",
    text="Libellé",
    debit="Débit",
    credit="Crédit",
    balance="Solde",
    opening="Solde au {day}",
    closing="Solde au {day}",
    issued="Émise le",
    due="Échéance",
    late="Retard",
    total="Montant TTC",
    still_open="Reste dû",
    days_late="{n} j",
    part="échéance {n}",
    receivable="Factures ouvertes",
    overdue="dont échu",
    free_credit="Avoirs non imputés",
    free_cash="Règlements non imputés",
    owed_by_us="Solde en votre faveur au {day}",
    nothing="Rien n’est ouvert\u202f: votre compte est soldé.",
    invoice="Facture",
    credit_note="Avoir",
    payment="Règlement",
    reversal="Règlement annulé",
    refund="Remboursement",
    write_off="Abandon de créance",
    applied_not="non imputé",
    claim_title="Pénalités de retard au {day}, non comprises dans le solde",
    claim_before="Réclamables de plein droit (C. com. L441-10 et D441-5), sans TVA\u202f: ce n’est "
    "ni une facture, ni une partie du solde ci-dessus.",
    formula="Intérêts simples sur le montant TTC resté dû, du lendemain de l’échéance au jour "
    "dit\u202f: montant × taux annuel × jours ÷ 365, arrondis une fois par échéance. Indemnité "
    "forfaitaire une fois par facture.",
    unknown_rate="Un taux manque pour certains jours\u202f: les intérêts de ces factures ne sont "
    "pas chiffrés.",
    days="Jours",
    rate="Taux",
    interest="Intérêts",
    indemnity="Indemnité",
    claim_total="Pénalités en {currency}",
    pay_title="Règlement",
    holder="Titulaire",
    reference="Référence",
    not_an_invoice="Ce relevé n’est pas une facture. Les règlements y figurent à leur date de "
    "valeur.",
    differs="Si vos livres disent autre chose, répondez-nous en citant la pièce.",
    claim="Pénalités de retard",
    claim_on="Chiffrées au",
    claim_intro=(
        "Les factures ci-dessous ont été payées après leur échéance, ou restent dues. Nous vous "
        "réclamons les pénalités de retard et l’indemnité forfaitaire pour frais de recouvrement "
        "que prévoit le code de commerce (articles L441-10 et D441-5).",
    ),
    claim_closing=(
        "Ces sommes sont des indemnités\u202f: elles ne rémunèrent aucune livraison ni prestation "
        "et ne sont pas soumises à la TVA. Ce document n’est pas une facture et ne change rien à "
        "vos factures.",
        "Les intérêts continuent de courir sur ce qui reste dû après ce jour.",
    ),
    worked_out="Calcul des intérêts",
    principal="Montant dû",
    first="Du",
    last="Au",
    receipt="Reçu",
    receipt_intro="Nous avons reçu de {client} la somme de {amount}.",
    received="Reçu le",
    method="Par",
    settles="Factures réglées",
    amount="Montant",
    not_applied="Non imputé à ce jour",
    refunded="Remboursé",
    still_due="Reste dû à ce jour",
    receipt_closing="Ce reçu n’est pas une facture\u202f; sous réserve d’encaissement définitif.",
    reversed_on="Ce règlement a été annulé le {day}\u202f: il ne règle plus rien.",
    methods={
        Payment.Method.TRANSFER: "virement",
        Payment.Method.CARD: "carte",
        Payment.Method.DIRECT_DEBIT: "prélèvement",
        Payment.Method.CHEQUE: "chèque",
        Payment.Method.CASH: "espèces",
        Payment.Method.OTHER: "autre moyen",
    },
)

EN = Words(
    statement="Statement of account",
    as_of="As of",
    period="Period",
    account="Account",
    movements_in="Movements in {currency}",
    open_in="Open invoices in {currency}",
    day="Date",
    document="Document",
    text="Description",
    debit="Debit",
    credit="Credit",
    balance="Balance",
    opening="Balance on {day}",
    closing="Balance on {day}",
    issued="Issued",
    due="Due",
    late="Late",
    total="Total",
    still_open="Outstanding",
    days_late="{n} d",
    part="instalment {n}",
    receivable="Open invoices",
    overdue="of which overdue",
    free_credit="Credit not used",
    free_cash="Payments not applied",
    owed_by_us="Balance in your favour on {day}",
    nothing="Nothing is open: your account is settled.",
    invoice="Invoice",
    credit_note="Credit note",
    payment="Payment",
    reversal="Payment reversed",
    refund="Refund",
    write_off="Written off",
    applied_not="not applied",
    claim_title="Late-payment claim on {day}, not part of the balance",
    claim_before="Due by law (French Code de commerce L441-10 and D441-5), without VAT: neither an "
    "invoice nor a part of the balance above.",
    formula="Simple interest on what stayed open, VAT included, from the day after the due date "
    "up to the day stated: amount × yearly rate × days ÷ 365, rounded once per due date. Fixed "
    "sum for recovery costs once per invoice.",
    unknown_rate="No rate is known for some days: the interest of these invoices is left out.",
    days="Days",
    rate="Rate",
    interest="Interest",
    indemnity="Fixed sum",
    claim_total="Claim in {currency}",
    pay_title="Payment",
    holder="Account holder",
    reference="Reference",
    not_an_invoice="This statement is not an invoice. Payments stand on their value date.",
    differs="If your books say otherwise, answer us and name the document.",
    claim="Late-payment claim",
    claim_on="As of",
    claim_intro=(
        "The invoices below were, or still are, paid after their due date. We claim the late "
        "interest and the fixed sum for recovery costs that French law provides (Code de commerce, "
        "L441-10 and D441-5).",
    ),
    claim_closing=(
        "These sums are damages: they pay for no supply and bear no VAT. This document is not an "
        "invoice and changes none of yours.",
        "Interest runs on after this day on what is still open.",
    ),
    worked_out="How the interest is worked out",
    principal="Open",
    first="From",
    last="To",
    receipt="Receipt",
    receipt_intro="We received {amount} from {client}.",
    received="Received",
    method="By",
    settles="Invoices it settled",
    amount="Amount",
    not_applied="Not applied so far",
    refunded="Refunded",
    still_due="Still due",
    receipt_closing="This receipt is not an invoice; subject to final clearing.",
    reversed_on="This payment was reversed on {day}: it settles nothing any more.",
    methods={
        Payment.Method.TRANSFER: "bank transfer",
        Payment.Method.CARD: "card",
        Payment.Method.DIRECT_DEBIT: "direct debit",
        Payment.Method.CHEQUE: "cheque",
        Payment.Method.CASH: "cash",
        Payment.Method.OTHER: "other means",
    },
)

WORDS: dict[str, Words] = {"fr": FR, "en": EN}


def language_of(code: str) -> Language:
    return "fr" if code.startswith("fr") else "en"


def figure(language: str, minor: int, currency: str) -> str:
    """1 234,50: the currency stands at the head of its table. Babel takes 0.1 ms for each."""
    unit, decimals = sub_unit(currency), len(decimals_of(currency))
    whole, rest = divmod(abs(minor), unit)
    grouping, point = ("\u202f", ",") if language == "fr" else (",", ".")
    text = f"{whole:,}".replace(",", grouping)
    if decimals:
        # The ariary has fifths.
        text += f"{point}{rest * 10**decimals // unit:0{decimals}d}"
    return f"\u2212{text}" if minor < 0 else text


def short_day(day: date) -> str:
    """27/11/2026, in both languages."""
    return f"{day:%d/%m/%Y}"


def percent(value: Decimal, language: str) -> str:
    text = format_decimal(value + 0, "#,##0.##", locale=LOCALES[language])
    return f"{text}\u00a0%" if language == "fr" else f"{text}%"
