"""The sentences of a quote in the language of the document: no gettext, no active locale."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from babel.dates import format_time
from babel.numbers import format_decimal
from django.utils import timezone

from billing_portal.money import formatted_minor
from invoices.company.sales_terms import name_of
from invoices.documents.mentions import LOCALES, long_date
from invoices.models import QuoteAcceptance, QuoteVersion, SalesTerms
from invoices.models.terms import TermsKind
from invoices.quotes.choices import deposit_of

_SENTENCES: Final = {
    "deposit": {"fr": "Acompte de {share}\u202f%", "en": "Deposit of {share}%"},
    "deposit_amount": {"fr": "Acompte", "en": "Deposit"},
    "deposit_when": {
        "fr": "À réception de la facture d’acompte, avant de commencer",
        "en": "On receipt of the deposit invoice, before work begins",
    },
    "balance": {"fr": "Solde", "en": "Balance"},
    "total": {"fr": "Totalité", "en": "The whole"},
    "receipt": {"fr": "à réception de la facture", "en": "on receipt of the invoice"},
    "net": {"fr": "à {days}\u00a0jours de la facture", "en": "{days} days from the invoice"},
    "eom_after": {
        "fr": "à {days}\u00a0jours fin de mois",
        "en": "{days} days from the invoice, then the end of that month",
    },
    "eom_before": {
        "fr": "fin de mois, puis {days}\u00a0jours",
        "en": "the end of the month of the invoice, then {days} days",
    },
    "accepted": {
        "fr": "{who} a accepté la version {version} de ce devis le {day} à {time} ({zone}).",
        "en": "{who} accepted version {version} of this quote on {day} at {time} ({zone}).",
    },
    "accepted_from": {
        "fr": "Par voie électronique, depuis l’adresse IP {ip}.",
        "en": "Electronically, from the IP address {ip}.",
    },
    "accepted_on_paper": {
        "fr": "Accord donné hors ligne, enregistré par {by}.",
        "en": "Agreed off line, recorded by {by}.",
    },
    "accepted_sum": {
        "fr": "Montant accepté, choix compris\u202f: {total} TTC.",
        "en": "Amount accepted, choices included: {total} including VAT.",
    },
    "sale_terms": {
        "fr": "{terms}, jointes à ce devis.",
        "en": "{terms}, with this quote.",
    },
    "accepted_terms": {
        "fr": "{terms}, acceptées avec le devis. Empreinte SHA-256\u202f: {sha256}",
        "en": "{terms}, accepted with the quote. SHA-256: {sha256}",
    },
    "accepted_of": {
        "fr": "Empreinte SHA-256 du devis envoyé\u202f: {sha256}",
        "en": "SHA-256 of the quote as sent: {sha256}",
    },
}


def sentence(key: str, language: str, **values: object) -> str:
    return _SENTENCES[key]["fr" if language == "fr" else "en"].format(**values)


def locale_of(language: str) -> str:
    return LOCALES["fr" if language == "fr" else "en"]


def terms(version: QuoteVersion, language: str) -> str:
    """Within how many days an invoice is paid, as the end of a sentence."""
    days = version.terms_days
    if version.terms_kind == TermsKind.NET:
        return sentence("net" if days else "receipt", language, days=days)
    return sentence(version.terms_kind, language, days=days)


def plan(version: QuoteVersion, total_minor: int, language: str) -> list[tuple[str, str, int]]:
    """How it is paid: what, when, and how much of a total with VAT, in minor units."""
    deposit = deposit_of(version, total_minor)
    when = terms(version, language)
    when = when[:1].upper() + when[1:]
    if not deposit:
        return [(sentence("total", language), when, total_minor)]
    share = format_decimal(version.deposit_percent, "#,##0.##", locale=locale_of(language))
    label = (
        sentence("deposit", language, share=share)
        if version.deposit_percent
        else sentence("deposit_amount", language)
    )
    first = (label, sentence("deposit_when", language), deposit)
    if deposit == total_minor:
        return [first]
    return [first, (sentence("balance", language), when, total_minor - deposit)]


def plan_in_words(version: QuoteVersion, total_minor: int) -> str:
    """The same as one sentence for the printed page."""
    language = version.language
    locale = locale_of(language)
    colon = "\u202f: " if language == "fr" else ": "
    parts = [
        f"{label}{colon}{formatted_minor(minor, version.currency, locale)}, {_small(when)}"
        for label, when, minor in plan(version, total_minor, language)
    ]
    return ". ".join(parts) + "."


def sale_terms(terms: SalesTerms) -> str:
    """That the general terms of sale go with it, as the printed page says it."""
    return sentence("sale_terms", terms.language, terms=name_of(terms))


def _small(words: str) -> str:
    return words[:1].lower() + words[1:]


def moment(at: datetime, language: str) -> dict[str, str]:
    """Day, hour and zone of the company's clock, in the language of the document."""
    local = timezone.localtime(at)
    offset = f"{local:%z}"
    return {
        "day": long_date(local.date(), "fr" if language == "fr" else "en"),
        "time": format_time(local, "HH:mm", locale=locale_of(language)),
        "zone": f"UTC{offset[:3]}:{offset[3:]}",
    }


def stamp(acceptance: QuoteAcceptance, sent_sha256: str) -> tuple[str, ...]:
    """What the accepted page says of its acceptance."""
    language = acceptance.version.language
    who = f"{acceptance.name} ({acceptance.role})" if acceptance.role else acceptance.name
    total = formatted_minor(acceptance.total_minor, acceptance.currency, locale_of(language))
    if acceptance.via == QuoteAcceptance.Via.PAPER:
        way = sentence("accepted_on_paper", language, by=acceptance.recorded_by)
    else:
        way = sentence("accepted_from", language, ip=acceptance.ip or "–")
    number = acceptance.version.number
    terms = acceptance.sales_terms
    return (
        sentence("accepted", language, who=who, version=number, **moment(acceptance.at, language)),
        sentence("accepted_sum", language, total=total),
        way,
        sentence("accepted_of", language, sha256=sent_sha256),
        *(
            [sentence("accepted_terms", language, terms=name_of(terms), sha256=terms.sha256)]
            if terms
            else []
        ),
    )
