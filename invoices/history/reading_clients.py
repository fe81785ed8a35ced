"""What the rows of a clients file say. Pure: no query, no clock."""

from __future__ import annotations

import re
from functools import cache

from babel import Locale
from stdnum.fr import siren as siren_numbers

from billing_portal.notices import count
from invoices.history.cells import Reader, Sheet
from invoices.history.rows import ClientRow

LONGEST_TERMS = 365
LAWFUL_TERMS = 60
_LANGUAGES = {"fr": "fr", "fr_fr": "fr", "french": "fr", "en": "en", "en_gb": "en", "en_us": "en"}
# In the list of territories, and no place for an invoice.
_NO_COUNTRIES = {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}


@cache
def _countries() -> frozenset[str]:
    codes = [str(code) for code in Locale("en").territories]
    return frozenset(code for code in codes if re.fullmatch("[A-Z]{2}", code)) - _NO_COUNTRIES


def read_clients(sheet: Sheet) -> tuple[list[ClientRow], set[str]]:
    """The good rows, and the names of the bad ones: their invoices need no second complaint."""
    rows: list[ClientRow] = []
    refused: set[str] = set()
    lines: dict[str, int] = {}
    for row in sheet.each_row():
        cell = Reader(sheet, row)
        found = _client(cell)
        if found.key in lines:
            cell.complain("name", "history.name_twice", name=found.name, line=lines[found.key])
        lines.setdefault(found.key, row.line)
        if cell.bad:
            refused.add(found.key)
        else:
            rows.append(found)
    if long_terms := sum((row.terms_days or 0) > LAWFUL_TERMS for row in rows):
        sheet.say("history.long_terms", count=count(long_terms), days=LAWFUL_TERMS)
    return rows, refused


def _client(cell: Reader) -> ClientRow:
    found = ClientRow(
        line=cell.row.line,
        name=cell.text("name", most=255, needed=True),
        client_type=cell.text("client_type", most=80),
        country=_country(cell),
        currency=cell.currency("currency", needed=False),
        language=cell.choice("language", _LANGUAGES) if cell.row.cells["language"] else "",
        terms_days=_terms(cell),
        billing_email=cell.email("billing_email"),
        vat_id=cell.text("vat_id", most=30).replace(" ", "").upper(),
        siren=_siren(cell),
        owner_email=cell.email("owner_email").lower(),
    )
    if len(found.vat_id) > 20:
        cell.complain("vat_id", "history.vat_id")
    return found


def _country(cell: Reader) -> str:
    value = cell.text("country", most=60).upper()
    if value and value not in _countries():
        cell.complain("country", "history.country", text=value)
        return ""
    return value


def _terms(cell: Reader) -> int | None:
    value = cell.text("payment_terms_days", most=20)
    if not value:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) > LONGEST_TERMS:
        cell.complain("payment_terms_days", "history.terms", text=value, most=LONGEST_TERMS)
        return None
    return int(value)


def _siren(cell: Reader) -> str:
    value = re.sub(r"[\s.]", "", cell.text("siren", most=30))
    if value and not re.fullmatch(r"[0-9]{9}", value):
        cell.complain("siren", "history.siren_digits", text=value)
        return ""
    if value and not siren_numbers.is_valid(value):
        cell.complain("siren", "history.siren_check", text=value)
    return value
