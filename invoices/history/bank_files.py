"""A bank's statement brought as a file of payments: recognised, and told apart. Pure.

Its lines name no invoice: which of them a transfer settles is for a person to say, or for the page
of payments, which reads the numbers in its label. So such a file is never taken for the list of
payments of an older system, and what it is is said rather than that columns are missing.
"""

from __future__ import annotations

import csv
import io
import re
from typing import Final

# What the columns of a bank's own list are called: a label, and money by one column or by two.
_LABELS: Final = frozenset(
    (
        *("libellé", "libelle", "label", "description", "détail", "communication", "details"),
        *("wording", "intitulé", "libellé opération", "libelle operation", "narrative"),
    )
)
_SIDES: Final = (
    frozenset(("débit", "debit", "debit amount", "money out", "paid out")),
    frozenset(("crédit", "credit", "credit amount", "money in", "paid in")),
)
_DAYS: Final = frozenset(
    (
        *("date de valeur", "date valeur", "value date", "date opération", "date operation"),
        *("date d’opération", "date d'opération", "date comptable", "booking date"),
    )
)
_INVOICE: Final = re.compile(r"facture|invoice|pi[eè]ce|\bn[o°]|num[eé]ro")
_LOOKED_AT: Final = 8_192
_LINES: Final = 12


def bank_format(content: bytes) -> str:
    """The name of the format of a bank's statement, “CSV” among them; "" for anything else."""
    try:
        content.decode()
    except UnicodeDecodeError:
        text = content[:_LOOKED_AT].decode("cp1252", errors="replace").lstrip()
    else:
        text = content[:_LOOKED_AT].decode("utf-8-sig", errors="replace").lstrip()
    if text.startswith("<") and "camt.05" in text:
        return "CAMT"
    if text[:9].upper() == "OFXHEADER" or (text.startswith("<") and "<OFX>" in text.upper()):
        return "OFX"
    # Records of 120 columns; the first one says the balance from before.
    if re.match(r"01\d{5}[ A-Z0-9]{4}\d{5}[^\n]{24}", text):
        return "CFONB 120"
    if re.search(r"^:20:", text, re.MULTILINE) and re.search(r"^:(?:25|28C?):", text, re.MULTILINE):
        return "MT940"
    return "CSV" if _is_list(text) else ""


def _is_list(text: str) -> bool:
    """A CSV as a bank gives it: balances above the names of its columns are usual."""
    for line in text.splitlines()[:_LINES]:
        for separator in ";,\t":
            cells = next(csv.reader(io.StringIO(line), delimiter=separator), [])
            names = {" ".join(cell.split()).casefold() for cell in cells}
            if any(_INVOICE.search(name) for name in names):
                continue
            sides = all(names & side for side in _SIDES)
            if names & _LABELS and (sides or (names & _DAYS and len(names) > 2)):
                return True
    return False
