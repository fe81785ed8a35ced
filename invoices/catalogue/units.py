"""Units of the CRM and of files in the code that a line has (UN/ECE Recommendation 20). Pure."""

from __future__ import annotations

from typing import Final

PIECE: Final = "C62"
# The words that people use for them; anything else is a piece.
WORDS: Final = {
    "C62": {"piece", "pieces", "pièce", "pièces", "pce", "pc", "unit", "unité", "u", "ex."},
    "DAY": {"d", "day", "days", "j", "jour", "jours", "tag", "tage"},
    "HUR": {"h", "hour", "hours", "heure", "heures", "hr", "hrs"},
    "WEE": {"week", "weeks", "semaine", "semaines"},
    "MON": {"month", "months", "mois"},
    "ANN": {"year", "years", "an", "ans", "année", "années"},
    "LS": {"forfait", "lump sum"},
    "KMT": {"km"},
    "KGM": {"kg"},
    "MTR": {"m", "mètre", "metre"},
    "MTK": {"m²", "m2"},
    "LTR": {"l", "litre", "liter"},
}


def known_unit(word: str) -> str:
    """Its code, and "" for a word that nobody here knows."""
    lowered = word.strip().casefold()
    for code, words in WORDS.items():
        if lowered in words or lowered == code.casefold():
            return code
    return ""
