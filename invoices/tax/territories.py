"""VAT territories: what an ISO country and a postal code mean for VAT.

A country is not a territory: parts of France, Spain, Italy, Germany, Finland and Greece lie outside
the VAT territory of the Union or have rates of their own, and people write the overseas departments
both as FR with their postal code and under their own letters.

Sources: directive 2006/112/EC, articles 5 to 7; CGI 256-0, 294, 296, 297; BOI-TVA-GEO-20.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

EU: Final = frozenset(
    [
        "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
        "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
    ]
)  # fmt: skip


class Territory(StrEnum):
    # Metropolitan France and Monaco, which is taxed as if it were in it.
    METROPOLE = "metropole"
    CORSICA = "corsica"
    # Guadeloupe, Martinique, Réunion: French VAT at their own rates.
    DOM_WITH_VAT = "dom_with_vat"
    # Guyane, Mayotte: French VAT law, and no VAT for the time being.
    DOM_WITHOUT_VAT = "dom_without_vat"
    # Polynesia, New Caledonia, Saint-Martin and the others: not the VAT territory of France.
    COLLECTIVITY = "collectivity"
    EU = "eu"
    # The Canary Islands, Livigno, Büsingen and the like: a state of the Union, outside its VAT.
    EU_OUTSIDE_VAT = "eu_outside_vat"
    # In the Union for goods, outside it for services.
    NORTHERN_IRELAND = "northern_ireland"
    BEYOND = "beyond"

    @property
    def in_france(self) -> bool:
        """Where French VAT is charged at home."""
        return self in (Territory.METROPOLE, Territory.CORSICA, Territory.DOM_WITH_VAT)


_BY_COUNTRY: Final = {
    "MC": Territory.METROPOLE,
    **dict.fromkeys(("GP", "MQ", "RE"), Territory.DOM_WITH_VAT),
    **dict.fromkeys(("GF", "YT"), Territory.DOM_WITHOUT_VAT),
    **dict.fromkeys(("PM", "BL", "MF", "WF", "PF", "NC", "TF"), Territory.COLLECTIVITY),
    # Åland, and the letters that customs keep for the Canary Islands, and for Ceuta and Melilla.
    **dict.fromkeys(("AX", "IC", "EA"), Territory.EU_OUTSIDE_VAT),
    "XI": Territory.NORTHERN_IRELAND,
}
# The first that matches counts: 97133 is Saint-Barthélemy and not Guadeloupe.
_BY_POSTAL_CODE: Final[dict[str, tuple[tuple[str, Territory], ...]]] = {
    "FR": (
        ("97133|97150", Territory.COLLECTIVITY),
        ("971|972|974", Territory.DOM_WITH_VAT),
        ("973|976", Territory.DOM_WITHOUT_VAT),
        ("975|977|978|984|986|987|988", Territory.COLLECTIVITY),
        ("20", Territory.CORSICA),
        # Monaco's own, written as if it were in France.
        ("980", Territory.METROPOLE),
    ),
    "ES": (("35|38|51|52", Territory.EU_OUTSIDE_VAT),),
    "IT": (("23041|22061", Territory.EU_OUTSIDE_VAT),),
    "DE": (("78266|27498", Territory.EU_OUTSIDE_VAT),),
    "FI": (("22", Territory.EU_OUTSIDE_VAT),),
    "GR": (("63086|63087", Territory.EU_OUTSIDE_VAT),),
    "GB": (("BT", Territory.NORTHERN_IRELAND),),
}


def territory_of(country: str, postal_code: str = "") -> Territory:
    """The territory of an address; `country` in the two letters of ISO 3166, or "EL" and "XI".

    Without a postal code the main part of the country is meant.
    """
    code = country.strip().upper().replace("EL", "GR")
    if code in _BY_COUNTRY:
        return _BY_COUNTRY[code]
    written = re.sub(r"[\s\-]", "", postal_code).upper()
    # People write F-97400 and DE 78266 too.
    written = re.sub(rf"^(?:{code}|{code[:1]})(?=\d)", "", written)
    for beginnings, territory in _BY_POSTAL_CODE.get(code, ()):
        if re.match(beginnings, written):
            return territory
    if code == "FR":
        return Territory.METROPOLE
    return Territory.EU if code in EU else Territory.BEYOND
