"""Payment terms and languages as people type them, read whole or not at all (pure).

A term is a contract: from a fragment of it another date would come. So every word must be one that
we know, in an order that has one meaning; “30 jours fin de mois le 10” is refused, not read as 30.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LONGEST_DAYS: Final = 365

_NUMBERS: Final = {
    "huit": 8,
    "dix": 10,
    "quinze": 15,
    "vingt": 20,
    "trente": 30,
    "soixante": 60,
    "quarante cinq": 45,
    "quatre vingt dix": 90,
    "seven": 7,
    "ten": 10,
    "fourteen": 14,
    "fifteen": 15,
    "thirty": 30,
    "forty five": 45,
    "sixty": 60,
    "ninety": 90,
}
# What several words say together, in the order in which they are looked for.
_PHRASES: Final = [
    (r"(?:a |de |en |au |l |le |la )*(?:fin (?:de |du )(?:le )?mois|fdm)", "EOM"),
    (r"(?:the )?(?:end of (?:the |calendar )*month|month end|eom)", "EOM"),
    (
        r"(?:a|a compter de|a partir de|des|sur|on|upon|at|after|from|of|apres|de)?"
        r"(?: la| the| your)? ?\b(?:reception|receipt)"
        r"(?: (?:de|of))?(?: (?:la|votre|the|your|l))?(?: (?:facture|invoice))?\b",
        "RECEIPT",
    ),
    (r"(?:a )?(?:compter|partir)(?: de| du)?|apres|after|from|following|past", "AFTER"),
    (r"suivant(?= (?:la |l )?(?:date|facture|emission))", "AFTER"),
    (r"(?:au )?comptant|immediate?(?:ment|ly)?|immediat(?:ement)?|cash|right away", "NOW"),
    (r"jours?|jrs?|j|days?|d", "DAY"),
    (r"semaines?|weeks?", "WEEK"),
]
_UNIT: Final = r"(?: (DAY|WEEK))"
# They change nothing, wherever they stand.
_FILLERS: Final = frozenset(
    [
        "a",
        "de",
        "du",
        "des",
        "d",
        "la",
        "l",
        "date",
        "facture",
        "factures",
        "facturation",
        "emission",
        "net",
        "nets",
        "nette",
        "paiement",
        "reglement",
        "delai",
        "delais",
        "sous",
        "dans",
        "les",
        "echeance",
        "conditions",
        "condition",
        "terme",
        "termes",
        "payment",
        "payments",
        "terms",
        "term",
        "due",
        "within",
        "of",
        "the",
        "invoice",
        "invoices",
        "in",
        "on",
        "calendar",
        "calendaires",
        "payable",
        "is",
        "your",
        "votre",
        "notre",
        "our",
    ]
)


def plain(text: str) -> str:
    """Small letters without accents."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in folded if not unicodedata.combining(letter))


def read_terms(text: str) -> tuple[str, int] | None:
    """“45 jours fin de mois”, “net 30”, “à réception”, “net:30” as kind and days, or None."""
    text = plain(text).strip()
    if stored := re.fullmatch(r"(net|eom_after|eom_before):(\d{1,3})", text):
        return stored[1], int(stored[2])
    words = _words(text)
    return _meaning(words) if words else None


def _words(text: str) -> str:
    """The text in our few words, blanks between them; "" if it holds anything else."""
    text = re.sub(r"(\d)[.,]0+(?!\d)", r"\1", re.sub("(?:\\bd)?[’']", " ", text))
    # 30-60, 2/10 and -30 are no days; n/30 is net 30.
    if re.search(r"\d\s*[-–/.,:]\s*\d|(?:^|\s)[-–]\d|%", text):
        return ""
    text = re.sub(r"\bn\s*/?\s*(?=\d)", "net ", text)
    text = re.sub(r"[-–—_.,;:()\[\]/]", " ", text)
    text = re.sub(r"(\d)([a-z])", r"\1 \2", re.sub(r"([a-z])(\d)", r"\1 \2", text))
    text = re.sub(r"\b(?:then|puis|plus)\b", "+", text)
    text = " ".join(text.replace("+", " + ").split())
    for word, number in _NUMBERS.items():
        text = re.sub(rf"\b{word}\b", str(number), text)
    # A day of the month: “le 10”, “au 15”.
    if re.search(r"\b(?:le|au|du|the|by)\s+\d", text):
        return ""
    for pattern, token in _PHRASES:
        text = re.sub(rf"(?:^|(?<=\s))(?:{pattern})(?=\s|$)", f" {token} ", f" {text} ")
        text = " ".join(text.split())
    kept = [word for word in text.split() if word not in _FILLERS]
    known = {"EOM", "RECEIPT", "AFTER", "NOW", "DAY", "WEEK", "+"}
    if not all(word in known or word.isdecimal() for word in kept):
        return ""
    return " ".join(kept)


def _meaning(words: str) -> tuple[str, int] | None:
    if re.fullmatch(r"(?:RECEIPT|NOW)(?: (?:AFTER )?(?:RECEIPT|NOW))?", words):
        return ("net", 0)
    if found := re.fullmatch(rf"(\d+){_UNIT}?(?: AFTER)?(?: RECEIPT)?", words):
        return _counted("net", found[1], found[2])
    if found := re.fullmatch(r"DAY \+ (\d+)", words):
        return _counted("net", found[1], None)
    if found := re.fullmatch(rf"(\d+){_UNIT}?(?: AFTER)? EOM", words):
        after = " AFTER EOM" in words
        return _counted("eom_before" if after else "eom_after", found[1], found[2])
    if found := re.fullmatch(rf"(\d+){_UNIT}?(?: \+)? EOM(?: AFTER)?", words):
        return _counted("eom_after", found[1], found[2])
    if found := re.fullmatch(rf"EOM(?: \+| AFTER)? (\d+){_UNIT}?(?: AFTER)?", words):
        return _counted("eom_before", found[1], found[2])
    return ("eom_after", 0) if re.fullmatch(r"EOM(?: AFTER)?", words) else None


def _counted(kind: str, number: str, unit: str | None) -> tuple[str, int] | None:
    if len(number) > 3:
        return None
    days = int(number) * (7 if unit == "WEEK" else 1)
    return (kind, days) if days <= LONGEST_DAYS else None


_LANGUAGES: Final = {
    **dict.fromkeys(("fr", "fra", "fre", "francais", "francaise", "french"), "fr"),
    **dict.fromkeys(("en", "eng", "english", "anglais", "anglaise"), "en"),
}
_REGIONS: Final = frozenset(
    [
        "france",
        "be",
        "belgique",
        "belgium",
        "ch",
        "suisse",
        "ca",
        "canada",
        "lu",
        "gb",
        "uk",
        "us",
        "usa",
        "ie",
        "au",
        "britannique",
        "british",
        "americain",
        "american",
        "international",
    ]
)


def read_language(text: str) -> str | None:
    """“Français”, “fr-BE”, “English (UK)”; None for another one, and for two at once."""
    words = re.findall(r"[^\W\d_]+", plain(text))
    known = {_LANGUAGES[word] for word in words if word in _LANGUAGES}
    rest = [word for word in words if word not in _LANGUAGES and word not in _REGIONS]
    return known.pop() if len(known) == 1 and not rest else None
