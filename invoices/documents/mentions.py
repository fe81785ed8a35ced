"""The sentences that the law wants on an invoice, in the language of the document (not of the
reader).

Sources: Code de commerce L441-9, L441-10 and D441-5; CGI annexe II, 242 nonies A. To be confirmed
by an accountant.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, get_currency_symbol

from invoices.documents.totals import sub_unit

LOCALES = {"fr": "fr_FR", "en": "en_GB"}

_SENTENCES = {
    "due": {
        "fr": "À régler au plus tard le {day}.",
        "en": "To be paid by {day} at the latest.",
    },
    "due_in_parts": {
        "fr": "À régler en {n} échéances\u202f: {parts}.",
        "en": "To be paid in {n} instalments: {parts}.",
    },
    "part": {
        "fr": "{amount} au plus tard le {day}",
        "en": "{amount} by {day}",
    },
    "due_of_rest": {
        "fr": "{amount} à régler au plus tard le {day}.",
        "en": "{amount} to be paid by {day}.",
    },
    "retention": {
        "fr": "Retenue de garantie de {rate}\u202f%\u202f: {amount}, à libérer le {day} "
        "(loi n°\u00a071-584 du 16 juillet 1971).",
        "en": "Retention of {rate}%: {amount}, to be released on {day} (French law 71-584 of "
        "16 July 1971).",
    },
    "retained": {
        "fr": "Retenue de garantie {rate}, à libérer le {day}",
        "en": "Retention {rate}, to be released on {day}",
    },
    "no_early_discount": {
        "fr": "Pas d’escompte pour paiement anticipé.",
        "en": "No discount for early payment.",
    },
    "early_discount": {
        "fr": "Escompte de {rate}\u202f% pour tout paiement sous {days} jours.",
        "en": "{rate}% discount for payment within {days} days.",
    },
    "late_penalty": {
        "fr": "Tout retard de paiement entraîne, sans rappel, des pénalités au taux annuel de "
        "{rate}\u202f%, exigibles dès le lendemain de l’échéance.",
        "en": "Late payment bears interest at {rate}% a year, without reminder, from the day after "
        "the due date.",
    },
    "late_penalty_ecb": {
        "fr": "Tout retard de paiement entraîne, sans rappel, des pénalités au taux annuel de "
        "{rate}\u202f% (taux de refinancement de la BCE majoré de {points} points), exigibles dès "
        "le lendemain de l’échéance.",
        "en": "Late payment bears interest at {rate}% a year (ECB refinancing rate plus {points} "
        "points), without reminder, from the day after the due date.",
    },
    "late_penalty_words": {
        "fr": "Tout retard de paiement entraîne, sans rappel, des pénalités au taux de "
        "refinancement de la BCE majoré de {points} points, exigibles dès le lendemain de "
        "l’échéance.",
        "en": "Late payment bears interest at the ECB refinancing rate plus {points} points, "
        "without reminder, from the day after the due date.",
    },
    "exchange": {
        "fr": "Cours appliqué\u202f: 1\u00a0{currency} = {rate}\u00a0EUR ({source}, {day}).",
        "en": "Exchange rate: 1\u00a0{currency} = {rate}\u00a0EUR ({source}, {day}).",
    },
    "vat_group": {
        "fr": "Membre d’un assujetti unique\u202f: {name}, {address}, n°\u00a0TVA\u00a0{vat_id}.",
        "en": "Member of a VAT group (assujetti unique): {name}, {address}, VAT id {vat_id}.",
    },
    "indemnity": {
        "fr": "Indemnité forfaitaire pour frais de recouvrement due en cas de retard\u202f: "
        "{amount}\u00a0€.",
        "en": "A fixed sum of €{amount} is due for recovery costs on late payment.",
    },
    "debits": {
        "fr": "Option pour le paiement de la TVA d’après les débits.",
        "en": "VAT is due on debits, by option.",
    },
    "credit": {
        "fr": "Cet avoir s’impute sur la facture {number}.",
        "en": "This credit note is set against invoice {number}.",
    },
    "credit_several": {
        "fr": "Cet avoir vient en déduction des factures citées et, pour le reste, des suivantes, "
        "ou est remboursé.",
        "en": "This credit note is set against the invoices named; the rest against later ones, or "
        "paid back.",
    },
    "credit_period": {
        "fr": "Cet avoir vient en déduction des prochaines factures, ou est remboursé.",
        "en": "This credit note is set against the next invoices, or paid back.",
    },
}


def due_by(language: str, day: date) -> str:
    return _sentence("due", language, day=long_date(day, language))


def due_in_parts(language: str, parts: Sequence[tuple[date, int]], currency: str) -> str:
    """Days and amounts in minor units."""
    said = [
        _sentence(
            "part",
            language,
            amount=money(language, minor, currency),
            day=long_date(day, language),
        )
        for day, minor in parts
    ]
    return _sentence("due_in_parts", language, n=len(parts), parts=", ".join(said))


def due_with_retention(
    language: str, parts: Sequence[tuple[date, int]], currency: str, rate: Decimal
) -> str:
    """Of instalments of which the last, `rate` per cent of the total, is held back."""
    *others, (release, held) = parts
    if len(others) > 1:
        said = due_in_parts(language, others, currency)
    else:
        ((day, minor),) = others
        said = _sentence(
            "due_of_rest",
            language,
            amount=money(language, minor, currency),
            day=long_date(day, language),
        )
    held_back = _sentence(
        "retention",
        language,
        rate=_rate(rate, language),
        amount=money(language, held, currency),
        day=long_date(release, language),
    )
    return f"{said} {held_back}"


def retained(language: str, *, rate: str, day: str) -> str:
    """Among the totals; both as the page writes them."""
    return _sentence("retained", language, rate=rate, day=day)


def early_payment(language: str, *, rate: Decimal = Decimal(0), days: int = 0) -> str:
    """The terms of an early-payment discount; without a rate, that there is none (which must be
    said too)."""
    if not rate:
        return _sentence("no_early_discount", language)
    return _sentence("early_discount", language, rate=_rate(rate, language), days=days)


def late_penalty(language: str, *, rate: Decimal, over_the_ecb: int = 0) -> str:
    """`rate` in percent a year; `over_the_ecb`: the points in it that the law adds to the ECB's."""
    key = "late_penalty_ecb" if over_the_ecb else "late_penalty"
    return _sentence(key, language, rate=_rate(rate, language), points=over_the_ecb)


def late_penalty_in_words(language: str, *, over_the_ecb: int) -> str:
    """Where no rate of the day is known: that of the law, which is lawful in words."""
    return _sentence("late_penalty_words", language, points=over_the_ecb)


def recovery_indemnity(language: str, *, cents: int = 4000) -> str:
    """The law sets 40 € (D441-5); a contract may set more."""
    return _sentence("indemnity", language, amount=_rate(Decimal(cents) / 100, language))


def exchange(language: str, *, currency: str, rate: Decimal, source: str, day: date) -> str:
    """The rate behind an amount in euros, with its day and source (CGI 266, 1 bis)."""
    worth = format_decimal(rate, "#,##0.00######", locale=LOCALES[language])
    return _sentence(
        "exchange",
        language,
        currency=currency,
        rate=worth,
        source=source,
        day=long_date(day, language),
    )


def vat_group(language: str, *, name: str, address: str, vat_id: str) -> str:
    """On each document of a member, beside its own particulars (CGI ann. II, 242 nonies A)."""
    return _sentence("vat_group", language, name=name, address=address, vat_id=vat_id)


# By the code of the list (models.standing.CreditReason).
_CREDIT_REASONS: Final[dict[str, dict[str, str]]] = {
    "error": {"fr": "Erreur de facturation", "en": "Billing error"},
    "price": {"fr": "Prix ou remise corrigés", "en": "Price or discount corrected"},
    "return": {"fr": "Retour de marchandises", "en": "Goods returned"},
    "not_done": {"fr": "Prestation non réalisée", "en": "Service not rendered"},
    "cancelled": {"fr": "Commande annulée", "en": "Order cancelled"},
    "duplicate": {"fr": "Double facturation", "en": "Billed twice"},
    "dispute": {"fr": "Litige résolu", "en": "Dispute settled"},
    "goodwill": {"fr": "Geste commercial", "en": "Goodwill gesture"},
    "rebate": {"fr": "Remise de fin d’année", "en": "Year-end rebate"},
    "replaced": {"fr": "Facture rectifiée", "en": "Invoice corrected"},
    # The words of the note say it.
    "other": {"fr": "", "en": ""},
    "": {"fr": "", "en": ""},
}


def credit_reason(language: str, code: str) -> str:
    return _CREDIT_REASONS[code]["fr" if language == "fr" else "en"]


def vat_on_debits(language: str) -> str:
    return _sentence("debits", language)


def set_against(language: str, number: str) -> str:
    return _sentence("credit", language, number=number)


def set_against_several(language: str, *, named: bool) -> str:
    """Of a rebate over invoices that are `named`, or over a period without any."""
    return _sentence("credit_several" if named else "credit_period", language)


def money(language: str, minor: int, currency: str) -> str:
    """With the currency's sign, after the amount in French and before it in English."""
    decimals, locale = decimals_of(currency), LOCALES[language]
    pattern = "#,##0" + (f".{decimals}" if decimals else "")
    if language == "fr":
        pattern += "\u00a0¤"
    else:
        sign = get_currency_symbol(currency, locale=locale)
        pattern = ("¤\u00a0" if sign[-1:].isalpha() else "¤") + pattern
    return minus(
        format_currency(
            Decimal(minor) / sub_unit(currency),
            currency,
            format=pattern,
            locale=locale,
            currency_digits=False,
        )
    )


def decimals_of(currency: str) -> str:
    """As many zeros as its amounts have decimals."""
    unit = sub_unit(currency)
    # The ariary and the ouguiya have fifths.
    return "0" if unit == 5 else "0" * (len(str(unit)) - 1)


def minus(text: str) -> str:
    return text.replace("-", "\u2212")


def long_date(day: date, language: str) -> str:
    if language == "fr" and day.day == 1:
        return format_date(day, "d'er' MMMM y", locale="fr_FR")
    return format_date(day, "d MMMM y", locale=LOCALES[language])


def _rate(rate: Decimal, language: str) -> str:
    return format_decimal(rate, "#,##0.####", locale=LOCALES[language])


def _sentence(key: str, language: str, **values: object) -> str:
    return _SENTENCES[key][language].format(**values)
