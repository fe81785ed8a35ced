"""The register of VAT ids of the Union, which staff ask about a client's.

Who can ask it registers when the app is ready: it stands above us, for it goes out over HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from billing_portal.notices import Notice


@dataclass(frozen=True)
class Answer:
    """What the register said; `valid` is None when it gave no answer, and `trouble` says why.

    `name` and `address` are empty where its state does not tell them, `consultation` is the number
    by which the register knows the question again, `raw` all of it, as evidence.
    """

    valid: bool | None
    trouble: Notice | None = None
    name: str = ""
    address: str = ""
    consultation: str = ""
    raw: str = ""


class VatRegister(Protocol):
    def ask(self, vat_id: str, *, requester: str) -> Answer:
        """About a well-formed id of the Union, compact; `requester` is ours, "" without one.

        Takes up to half a minute, so never inside a transaction. Whatever goes wrong is an answer
        without `valid`.
        """
        ...


_REGISTERS: list[VatRegister] = []


def register(found: VatRegister) -> None:
    """The one that is asked from now on."""
    _REGISTERS[:] = [found]


def ask(vat_id: str, *, requester: str) -> Answer:
    return _REGISTERS[0].ask(vat_id, requester=requester)
