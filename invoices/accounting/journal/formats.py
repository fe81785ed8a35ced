"""The files that the entries are written into: one line for each line of an entry.

fec: the eighteen columns of the fichier des écritures comptables (LPF A47 A-1, VII; BOI-CF-IOR-60-
  40-20), separated by tabs, days as YYYYMMDD, decimal commas, ISO 8859-15 (one of the character
  sets of the article). An extract: the sales and receipts of a portal are no whole ledger, and the
  numbers of its entries have gaps. Montantdevise is signed as debit less credit.
sage: Sage 50 and Sage 100 read a text whose columns are told when it is imported (“Importer des
  écritures”, online help of Sage 50; “format paramétrable” of Sage 100). Windows-1252, semicolons,
  decimal commas. Which column is which has to be told there once.
pennylane: the columns that an import of entries asks for: date, journal, account, label, piece,
  debit, credit; each client on an account of its own. Its template is behind a sign-in and was not
  seen: the columns are matched by hand there. Pennylane also reads the FEC form.
quickbooks: “Import journal entries” of QuickBooks Online (help of Intuit): Journal No., Journal
  Date, Account Name, Debits, Credits, Description, Name. Accounts go by their names, so the names
  here have to be those there; receivables want the customer under Name.
xero: the template of “Import manual journals” (help of Xero): one narration and day a journal, an
  amount above zero is a debit. At most 300 lines a file; Xero takes no lines on its own receivable
  and bank accounts, so these two need clearing accounts there. The tax rate is the name that Xero
  gives to no tax, which differs by country: “Tax Exempt” may have to be renamed.
"""

from __future__ import annotations

import codecs
import csv
import io
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Final

from billing_portal.lists.exports import guarded
from billing_portal.money import digits
from invoices.accounting.journal.entries import Entry, Posting
from invoices.accounting.journal.making import Making

Row = Sequence[str]
_NO_TAX: Final = "Tax Exempt"
# What Latin alphabets of one byte lack, as people type it.
_PLAIN: Final = str.maketrans({"’": "'", "‘": "'", "–": "-", "—": "-", "“": '"', "”": '"'})


@dataclass(frozen=True)
class Format:
    key: str
    name: str
    head: Row
    row: Callable[[Making, Entry, Posting], Row]
    separator: str = ";"
    encoding: str = "utf-8"
    ending: str = "csv"
    # The most lines that the other side takes in one file.
    most_lines: int | None = None

    def line(self, cells: Row) -> bytes:
        if self.separator == "\t":
            # The FEC knows no quotation marks: no cell has a tab in it.
            return ("\t".join(cells) + "\r\n").encode(self.encoding, "plainly")
        out = io.StringIO()
        csv.writer(out, delimiter=self.separator).writerow(cells)
        return out.getvalue().encode(self.encoding, "plainly")

    def filename(self, making: Making) -> str:
        """Of the FEC: SIREN, FEC and the last day; and that it is an extract."""
        span = making.span
        if self.key == "fec":
            return f"{making.company.siren}FEC{span.ends_on:%Y%m%d}-extrait.{self.ending}"
        return f"journal-{self.key}-{span.starts_on}-{span.ends_on}.{self.ending}"


def _plainly(problem: UnicodeError) -> tuple[str, int]:
    """The signs that an encoding lacks, by their plain letters; one that has none becomes “?”."""
    assert isinstance(problem, UnicodeEncodeError)
    signs = problem.object[problem.start : problem.end].translate(_PLAIN)
    plain = unicodedata.normalize("NFKD", signs)
    told = "".join(sign if sign.isascii() else "?" for sign in plain if not _is_accent(sign))
    return told, problem.end


def _is_accent(sign: str) -> bool:
    return bool(unicodedata.combining(sign))


codecs.register_error("plainly", _plainly)


_places = cache(digits)


def amount(minor: int, currency: str, point: str) -> str:
    """Digits alone: 1234,50; with the decimals of its currency."""
    places = _places(currency)
    sign = "-" if minor < 0 else ""
    whole, rest = divmod(abs(minor), 10**places)
    return f"{sign}{whole}{point}{rest:0{places}d}" if places else f"{sign}{whole}"


# Labels, names and days come again on line after line.
@lru_cache(maxsize=10_000)
def text(value: str) -> str:
    """On one line, without signs that separate, and nothing that a spreadsheet would run."""
    return guarded(" ".join(value.replace("|", " ").split()))


def _one_account(posting: Posting) -> tuple[str, str]:
    """Number and name where the ledger keeps an account for each client: 411C000123."""
    if posting.auxiliary is None:
        return posting.account.number, posting.account.label
    return posting.account.number[:3] + posting.auxiliary.code, posting.auxiliary.name


def _journal(making: Making, entry: Entry) -> tuple[str, str]:
    setup = making.setup
    return {
        "sales": (setup.sales_code, setup.sales_label),
        "bank": (setup.bank_code, setup.bank_label),
        "other": (setup.other_code, setup.other_label),
    }[entry.journal]


@lru_cache(maxsize=4_000)
def _ymd(day: date | None) -> str:
    return f"{day:%Y%m%d}" if day else ""


@lru_cache(maxsize=4_000)
def _dmy(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else ""


def _fec(making: Making, entry: Entry, posting: Posting) -> Row:
    code, label = _journal(making, entry)
    who = posting.auxiliary
    foreign = posting.currency
    return [
        text(code),
        text(label),
        entry.number,
        _ymd(entry.day),
        posting.account.number,
        text(posting.account.label),
        text(who.code) if who else "",
        text(who.name) if who else "",
        text(entry.piece),
        _ymd(entry.piece_day),
        text(entry.text),
        amount(posting.debit, making.home, ","),
        amount(posting.credit, making.home, ","),
        posting.letter,
        _ymd(posting.lettered_on),
        _ymd(entry.recorded_on),
        amount(posting.foreign_minor, foreign, ",") if foreign else "",
        foreign,
    ]


def _sage(making: Making, entry: Entry, posting: Posting) -> Row:
    return [
        text(_journal(making, entry)[0]),
        _dmy(entry.day),
        text(entry.piece),
        posting.account.number,
        text(posting.auxiliary.code) if posting.auxiliary else "",
        text(entry.text),
        amount(posting.debit, making.home, ","),
        amount(posting.credit, making.home, ","),
        _dmy(posting.due_on),
        posting.currency or making.home,
        amount(posting.foreign_minor, posting.currency, ",") if posting.currency else "",
        entry.number,
    ]


def _pennylane(making: Making, entry: Entry, posting: Posting) -> Row:
    number, label = _one_account(posting)
    return [
        _dmy(entry.day),
        text(_journal(making, entry)[0]),
        text(number),
        text(label),
        text(entry.text),
        text(entry.piece),
        amount(posting.debit, making.home, ","),
        amount(posting.credit, making.home, ","),
        _dmy(posting.due_on),
        posting.letter,
        entry.number,
    ]


def _quickbooks(making: Making, entry: Entry, posting: Posting) -> Row:
    return [
        entry.number,
        _dmy(entry.day),
        text(posting.account.label),
        amount(posting.debit, making.home, ".") if posting.debit else "",
        amount(posting.credit, making.home, ".") if posting.credit else "",
        text(entry.text),
        text(posting.auxiliary.name) if posting.auxiliary else "",
        making.home,
    ]


def _xero(making: Making, entry: Entry, posting: Posting) -> Row:
    return [
        f"{entry.number} {text(entry.text)}",
        _dmy(entry.day),
        text(f"{entry.piece} {posting.auxiliary.name}" if posting.auxiliary else entry.piece),
        posting.account.number,
        _NO_TAX,
        amount(posting.debit - posting.credit, making.home, "."),
        *[""] * 4,
    ]


FORMATS: Final = {
    each.key: each
    for each in (
        Format(
            "fec",
            "FEC",
            (
                "JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum",
                "CompteLib", "CompAuxNum", "CompAuxLib", "PieceRef", "PieceDate", "EcritureLib",
                "Debit", "Credit", "EcritureLet", "DateLet", "ValidDate", "Montantdevise",
                "Idevise",
            ),
            _fec,
            separator="\t",
            encoding="iso8859-15",
            ending="txt",
        ),
        Format(
            "sage",
            "Sage",
            (
                "Code journal", "Date", "Pièce", "Compte général", "Compte tiers", "Libellé",
                "Débit", "Crédit", "Échéance", "Devise", "Montant en devise", "Écriture",
            ),
            _sage,
            encoding="cp1252",
        ),
        Format(
            "pennylane",
            "Pennylane",
            (
                "Date", "Code journal", "Numéro de compte", "Libellé de compte", "Libellé",
                "Numéro de pièce", "Débit", "Crédit", "Échéance", "Lettrage", "Écriture",
            ),
            _pennylane,
        ),
        Format(
            "quickbooks",
            "QuickBooks",
            (
                "Journal No", "Journal Date", "Account Name", "Debits", "Credits", "Description",
                "Name", "Currency",
            ),
            _quickbooks,
            separator=",",
        ),
        Format(
            "xero",
            "Xero",
            (
                "*Narration", "*Date", "Description", "*AccountCode", "*TaxRate", "*Amount",
                "TrackingName1", "TrackingOption1", "TrackingName2", "TrackingOption2",
            ),
            _xero,
            separator=",",
            most_lines=300,
        ),
    )
}  # fmt: skip
