"""A supply as VAT sees it: from where, to whom, delivered where, taking place where (pure).

Goods are where they are delivered (directive 2006/112/EC, articles 31 and 32; CGI 258), services
where a business client is (article 44; CGI 259, 1°), unless they belong to something that stands or
happens somewhere (articles 47 to 55; CGI 259 A): then they are there, whoever the client is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from invoices.documents.nature import Nature
from invoices.tax.territories import Territory, territory_of

# Where French law says what is taxed: with the letters that its parts overseas have, and Monaco.
_FRENCH: Final = frozenset(
    ["FR", "MC", "GP", "MQ", "RE", "GF", "YT", "PM", "BL", "MF", "WF", "PF", "NC", "TF"]
)


class Tie(StrEnum):
    """What ties a service to a place, whoever the client is.

    Sources: CGI 259 A, 2° (buildings), 5° and 5° bis (events, meals), 4° (passengers); directive
    2006/112/EC, articles 47, 53, 54, 55, 48. [U] Of a journey through several states each is taxed
    for its own distance: one document speaks of one of them.
    """

    BUILDING = "building"
    EVENT = "event"
    MEAL = "meal"
    JOURNEY = "journey"


@dataclass(frozen=True)
class Place:
    country: str
    postal_code: str = ""

    @property
    def territory(self) -> Territory:
        return territory_of(self.country, self.postal_code)

    @property
    def state(self) -> str:
        """The letters in which a VAT id of there is led by `vat_ids.state_of`."""
        return self.country.strip().upper().replace("EL", "GR")

    @property
    def of_french_law(self) -> bool:
        return self.state in _FRENCH

    @property
    def market(self) -> str:
        """Goods that stay in it neither leave nor enter.

        Guadeloupe and Martinique are one, Réunion is another (CGI 294, 2, 2° and 3°).
        """
        territory = self.territory
        if territory == Territory.CORSICA:
            return str(Territory.METROPOLE)
        if territory != Territory.DOM_WITH_VAT:
            return str(territory)
        digits = re.sub(r"\D", "", self.postal_code)
        return "reunion" if self.state == "RE" or digits.startswith("974") else "antilles"


@dataclass(frozen=True)
class Supply:
    """`vat_id` is the client's, "" of a consumer; `delivered` None is at the client's address.

    `tied` is where what a service belongs to stands or happens, None of any other service.
    """

    seller: Place
    client: Place
    vat_id: str = ""
    delivered: Place | None = None
    tied: Place | None = None

    def place_of(self, nature: str) -> Place:
        if nature == Nature.GOODS:
            return self.delivered or self.client
        return self.tied or self.client

    @property
    def leaves(self) -> bool:
        """Whether its goods are sent out of the market in which the seller is."""
        return self.place_of(Nature.GOODS).market != self.seller.market
