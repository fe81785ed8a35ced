"""Numbers and amounts as people type them, read by the language of the reader (pure).

English groups with a comma and has a decimal point: 1,234.50. French groups with a space and has a
decimal comma: 1 234,50. Both are understood in both languages as long as only one number can be
meant. Where two can (`1.500` in French, `1500,000` in English) the reader is asked and nothing
guessed: a factor of a thousand on an invoice is the dearest misreading there is.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from babel.numbers import format_decimal, get_currency_symbol
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.figures import decimal
from billing_portal.money import MINUS, is_currency, reader_locale
from billing_portal.typed.texts import Unreadable, refuse_unseen, shown

MOST_DIGITS, MOST_DECIMALS = 18, 12
_LONGEST = 60
# Blank, no-break, narrow no-break, thin and figure space: all of them group.
_SPACES = " \u00a0\u202f\u2009\u2007"
_SHORT_FORM = re.compile(
    rf"[-+{MINUS}]?([0-9]{{1,6}})(?:[.,]([0-9]{{1,6}}))?[eE][-+]?([0-9]{{1,3}})"
)
_DECIMAL_SIGN = {"fr_FR": ",", "en_GB": "."}


class Ambiguous(Unreadable):
    """Two numbers can be meant; the message asks which."""

    def __init__(self, message: str, readings: tuple[Decimal, Decimal]) -> None:
        super().__init__(message)
        self.readings = readings


def read_number(text: str, locale: str | None = None) -> Decimal:
    """The number that was typed. Raises Unreadable, or Ambiguous where two can be meant."""
    locale = locale or reader_locale()
    body = text.strip(_SPACES + "\t\r\n")
    refuse_unseen(body)
    if len(body) > _LONGEST:
        raise Unreadable(_("That is too long for a number: %(n)s signs.") % {"n": len(body)})
    _refuse_other_spellings(body)
    negative = body[:1] in ("-", MINUS)
    body = body[1:] if negative or body[:1] == "+" else body
    for space in _SPACES:
        body = body.replace(space, " ")
    found = _unsigned(text, body.strip(" ").replace("’", "'"), locale)
    # copy_negate: a minus sign would round to 28 digits, and zero has none.
    found = [each.copy_negate() if negative and each else each for each in found]
    if len(found) > 1:
        raise _question(found[0], found[1], locale)
    return found[0]


def readings(text: str, locale: str | None = None) -> tuple[Decimal, ...]:
    """Every number that can be meant, whatever the currency beside it; none if it is none.

    A search looks for all of them.
    """
    body = "".join(letter for letter in text if unicodedata.category(letter) != "Sc")
    body = re.sub(r"^\s*[A-Za-z]{2,3}\b|\b[A-Za-z]{3}\s*$", "", body)
    try:
        return (read_number(body, locale),)
    except Ambiguous as question:
        return question.readings
    except Unreadable:
        return ()


def read_amount(text: str, currency: str, locale: str | None = None) -> Decimal:
    """The same for an amount, which may bear the sign or code of its own currency."""
    return read_number(without_currency(text, currency), locale)


def without_currency(text: str, currency: str) -> str:
    """What stands beside the sign or code of `currency`. Raises Unreadable for one of another."""
    body = text
    for sign in _signs_of(currency):
        kept = re.sub(rf"(?i)^([-{MINUS}\s]*){re.escape(sign)}|{re.escape(sign)}\s*$", r"\1", body)
        if kept != body:
            body = kept
            break
    if names_a_currency(body):
        raise Unreadable(
            _("This amount is in %(currency)s: leave “%(text)s” without the sign of another.")
            % {"currency": currency, "text": shown(text)}
        )
    return body


def as_typed(number: Decimal, locale: str | None = None) -> str:
    """How a field shows a number: no groups, the decimal sign of the reader; it reads back."""
    return format(number, "f").replace(".", _DECIMAL_SIGN[locale or reader_locale()])


def machine_number(text: str) -> Decimal:
    """A number of an address of ours: 1234.50 whatever the language. Raises ValueError."""
    if not re.fullmatch(rf"-?[0-9]{{1,{MOST_DIGITS}}}(\.[0-9]{{1,{MOST_DECIMALS}}})?", text):
        raise ValueError(text)
    return Decimal(text)


def machine_whole(text: str) -> int:
    """A whole number of an address of ours. Raises ValueError."""
    if not re.fullmatch(rf"-?[0-9]{{1,{MOST_DIGITS}}}", text):
        raise ValueError(text)
    return int(text)


# ─ The grammar ──────────────────────────────────────────────────────────────────────────────────
def _unsigned(text: str, body: str, locale: str) -> list[Decimal]:
    """The number, or the two that can be meant."""
    if not re.fullmatch(r"[0-9 ',.]*[0-9][0-9 ',.]*", body):
        raise _no_number(text)
    own = _DECIMAL_SIGN[locale]
    head, sign, rest = _split_off_last(body)
    whole = _joined_groups(body)
    if not sign:
        if whole is None:
            raise _bad_groups(text)
        return [_bounded(whole, "")]
    before = _joined_groups(head, but=sign) if head else ""
    if before is None or not (rest.isdigit() or not rest):
        # The sign is no decimal one: it repeats, or stands among signs of another kind.
        if whole is None:
            raise _bad_groups(text)
        return [_bounded(whole, "")]
    if sign == own:
        return [_bounded(before, rest)]
    if own == "." and whole is not None:
        # English: a comma before exactly three digits is a group.
        return [_bounded(whole, "")]
    # The decimal sign of the other language. Only one number can be meant where zero stands before
    # it, or where what follows is too short for a group (in French: is no group of three).
    if before == "0" or len(rest) < 3 or (own == "," and len(rest) > 3):
        return [_bounded(before, rest)]
    return [_bounded(before + rest, ""), _bounded(before, rest)]


def _split_off_last(body: str) -> tuple[str, str, str]:
    """What stands before and behind the last comma or point; no sign if there is none."""
    place = max(body.rfind(","), body.rfind("."))
    return (body[:place], body[place], body[place + 1 :]) if place >= 0 else (body, "", "")


def _joined_groups(body: str, but: str = "") -> str | None:
    """The digits of a whole number whose groups, if there are any, are of three; else None."""
    if body.isdigit():
        return body
    found = re.fullmatch(r"([1-9][0-9]{0,2})(?:([ ',.])[0-9]{3})(?:\2[0-9]{3})*", body)
    if found is None or found[2] == but:
        return None
    return body.replace(found[2], "")


def _bounded(whole: str, decimals: str) -> Decimal:
    whole = whole.lstrip("0")
    if len(whole) > MOST_DIGITS:
        raise Unreadable(
            _("No number here has more than %(n)s digits before its decimal sign.")
            % {"n": MOST_DIGITS}
        )
    if len(decimals) > MOST_DECIMALS:
        raise Unreadable(too_fine(MOST_DECIMALS))
    return Decimal(f"{whole or '0'}.{decimals}" if decimals else whole or "0")


def too_fine(places: int) -> str:
    """The sentence for more decimals than a field has."""
    if not places:
        return _("A whole number, without decimals.")
    text = ngettext("At most %(places)s decimal here.", "At most %(places)s decimals here.", places)
    return text % {"places": places}


def _refuse_other_spellings(body: str) -> None:
    if any(letter.isnumeric() and not letter.isascii() for letter in body):
        raise Unreadable(
            _("Write the number with the digits 0 to 9: “%(text)s” has others.")
            % {"text": shown(body)}
        )
    if any(unicodedata.east_asian_width(letter) == "F" for letter in body):
        raise Unreadable(
            _("“%(text)s” has signs of double width: type them narrow, as in 1.5.")
            % {"text": shown(body)}
        )
    if found := _SHORT_FORM.fullmatch(body):
        whole, decimals, power = found[1], found[2] or "", int(found[3])
        if power <= MOST_DECIMALS and "-" not in body:
            number = Decimal(f"{whole}.{decimals or 0}").scaleb(power)
            raise Unreadable(
                _("“%(text)s” is a short form: write all digits, %(number)s.")
                % {"text": shown(body), "number": decimal(number)}
            )
        raise Unreadable(_("“%(text)s” is a short form: write all digits.") % {"text": shown(body)})


def _no_number(text: str) -> Unreadable:
    return Unreadable(_("“%(text)s” is not a number.") % {"text": shown(text)})


def _bad_groups(text: str) -> Unreadable:
    return Unreadable(
        _("“%(text)s” is not a number: write it like %(example)s.")
        % {"text": shown(text), "example": _sample()}
    )


def _sample() -> str:
    text: str = format_decimal(Decimal("1234.5"), format="#,##0.00", locale=reader_locale())
    return text


def _question(large: Decimal, small: Decimal, locale: str) -> Ambiguous:
    if as_typed(large, locale) == _named(large, locale):
        sentence = _("Is that %(large)s or %(small)s? Type it so.")
    else:
        sentence = _("Is that %(large)s or %(small)s? Type %(large_typed)s or %(small_typed)s.")
    words = {
        "large": _named(large, locale),
        "small": _named(small, locale),
        "large_typed": as_typed(large, locale),
        "small_typed": as_typed(small.normalize() + 0, locale),
    }
    return Ambiguous(sentence % words, (large, small))


def _named(number: Decimal, locale: str) -> str:
    text: str = format_decimal(number, format="#,##0.############", locale=locale)
    return text


# ─ Currencies ───────────────────────────────────────────────────────────────────────────────────
def _signs_of(currency: str) -> list[str]:
    """“US$”, “$US”, “USD”, “$”: what may stand beside an amount of this currency, longest first."""
    signs = {currency} | {get_currency_symbol(currency, locale) for locale in _DECIMAL_SIGN}
    signs |= {letter for sign in signs for letter in sign if unicodedata.category(letter) == "Sc"}
    return sorted(signs, key=len, reverse=True)


def names_a_currency(body: str) -> bool:
    """There is the sign or the code of some currency in it."""
    if any(unicodedata.category(letter) == "Sc" for letter in body):
        return True
    return any(is_currency(word.upper()) for word in re.findall(r"\b[A-Za-z]{3}\b", body))


def is_finer(number: Decimal, places: int) -> bool:
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and -exponent > places
