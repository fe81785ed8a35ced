"""Who the seller is, as every commercial paper of his says it."""

from __future__ import annotations

from invoices.documents.paper import Seller
from invoices.documents.pdf.labels import Labels


def spaced(text: str, size: int = 3) -> str:
    """Groups with no-break spaces, as SIREN and IBAN are printed."""
    bare = text.replace(" ", "")
    return "\u00a0".join(bare[start : start + size] for start in range(0, len(bare), size))


def legal(seller: Seller, labels: Labels, language: str) -> str:
    """The line at the foot of the page, as the law wants it."""
    identity = " ".join(filter(None, (seller.name, seller.legal_form)))
    if seller.capital:
        comma = "," if language == "en" else ""
        identity += f"{comma} {labels.capital} {seller.capital}"
    return "\u00a0· ".join(
        filter(
            None,
            (
                identity,
                ", ".join(filter(None, seller.address)),
                f"SIREN\u00a0{spaced(seller.siren)}" if seller.siren else "",
                f"RCS\u00a0{seller.rcs_city}" if seller.rcs_city else "",
                f"SIRET\u00a0{spaced(seller.siret[:9])}\u00a0{seller.siret[9:]}"
                if seller.siret
                else "",
                f"{labels.vat_id}\u00a0{seller.vat_id}" if seller.vat_id else "",
            ),
        )
    )
