"""The registers behind VIES: whose ids are in force, and which state's register is in trouble."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Final

STATES: Final = frozenset(
    [
        "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "EL", "ES", "FI", "FR", "HR", "HU",
        "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK", "XI",
    ]
)  # fmt: skip
# They answer "---" for name and address.
SILENT: Final = frozenset({"DE", "ES"})


@dataclass(frozen=True)
class Trader:
    name: str
    address: str


# Ids with check digits, for tests; the first is ours.
KNOWN: Final = {
    "FR44732829320": Trader("KERLANN CONSEIL", "14 QUAI DE LA FOSSE\n44000 NANTES"),
    "FR96552100554": Trader("PAPETERIES DE LA VILAINE", "2 RUE DU PORT\n35600 REDON"),
    "DE833179165": Trader("Wendland Logistik GmbH", "Lange Str. 4\n29439 Lüchow"),
    "ATU72982347": Trader("Ennsbrücke Handels GmbH", "Grabenstraße 12\nAT-4470 Enns"),
    "EL121553981": Trader("ΑΙΓΑΙΟ ΕΜΠΟΡΙΚΗ ΑΕ", "ΠΕΙΡΑΙΩΣ 10\n10552 - ΑΘΗΝΑ"),
    "NL031144123B01": Trader("WATERLAND ADVIES B.V.", "KADE 00007\n1141AA MONNICKENDAM"),
    "XI803586288": Trader("LAGAN FREIGHT LTD", "2 QUAY STREET\nBELFAST\nBT1 1AA"),
}


class Register:
    """`traders` by id. What is added with `trouble` or `say` is answered first, each once."""

    def __init__(self, traders: dict[str, Trader] | None = None) -> None:
        self.traders = {**KNOWN, **(traders or {})}
        # The questions, as they came in.
        self.asked: list[dict[str, str]] = []
        self._troubles: list[tuple[str, str]] = []
        self._said: list[Any] = []
        self._lock = threading.Lock()
        self._numbers = 0

    def strike_off(self, vat_id: str) -> None:
        with self._lock:
            self.traders.pop(vat_id, None)

    def enter(self, vat_id: str, name: str, address: str) -> None:
        with self._lock:
            self.traders[vat_id] = Trader(name, address)

    def trouble(self, state: str, error: str, times: int = 1) -> None:
        """The next questions about ids of this state are answered by an error of VIES."""
        with self._lock:
            self._troubles += [(state, error)] * times

    def say(self, body: Any) -> None:
        """The next question is answered by this, whatever it is about."""
        with self._lock:
            self._said.append(body)

    def forget_troubles(self) -> None:
        with self._lock:
            self._troubles.clear()
            self._said.clear()

    def to_say(self) -> list[Any]:
        """What `say` left, as a list of one or none."""
        with self._lock:
            return [self._said.pop(0)] if self._said else []

    def error_of(self, state: str) -> str:
        with self._lock:
            for place, (where, error) in enumerate(self._troubles):
                if where == state:
                    del self._troubles[place]
                    return error
        return ""

    def note(self, question: dict[str, str]) -> None:
        with self._lock:
            self.asked.append(question)

    def find(self, vat_id: str) -> Trader | None:
        with self._lock:
            return self.traders.get(vat_id)

    def consultation(self) -> str:
        with self._lock:
            self._numbers += 1
            return f"WAPIAAAAZ{self._numbers:07d}"
