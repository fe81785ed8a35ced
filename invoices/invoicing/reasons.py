"""What stands in the way of a document, and where it is mended."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """Why a draft cannot be issued yet. `anchor` leads to the field: "#id_due_date" in the editor,
    "client", "vat_check", "company", "rates", "books", "numbers" and "deal" on their own pages."""

    field: str
    text: str
    anchor: str
    # What an administrator may decide otherwise (invoicing.deciding_otherwise); "" for the rest.
    key: str = ""
