"""What a letter about an account says: a statement, a claim for late payment, a receipt.

No invoice: it bills nothing and bears no VAT. All texts are written out already, in the language of
whoever reads it; `documents/pdf/letters.py` only lays them out. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from invoices.documents.look import NO_LOOK, Look
from invoices.documents.paper import Buyer, Seller


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    label: str
    # Points; the one column of width 0 takes what the others leave.
    width: float = 0
    right: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of plain strings, and the sums below them; the last of `sums` may be strong."""

    title: str = ""
    # Above the head and below the sums.
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    # (label, amount, "", "strong" or "grand")
    sums: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    language: Literal["fr", "en"]
    # "Relevé de compte"
    kind: str
    number: str = ""
    on: date
    seller: Seller
    recipient: Buyer
    # (label, value) beneath the kind.
    facts: tuple[tuple[str, str], ...] = ()
    subject: str = ""
    intro: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    # Beneath them; (label, value) of where money goes, "" values left out.
    pay_title: str = ""
    pay: tuple[tuple[str, str], ...] = ()
    closing: tuple[str, ...] = ()
    look: Look = NO_LOOK
