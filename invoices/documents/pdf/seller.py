"""Who the seller is, as every commercial paper of his says it."""

from __future__ import annotations

from invoices.documents.paper import Seller
from invoices.documents.pdf.labels import Labels


def spaced(text: str, size: int = 3) -> str:
    """Groups with no-break spaces, as SIREN and IBAN are printed."""
    bare = text.replace(" ", "")
    return "\u00a0".join(bare[start : start + size] for start in range(0, len(bare), size))


def legal(seller: Seller, labels: Labels, language: str, *, vat_label: str = "") -> str:
    """The line at the foot of the page, as the law wants it on every commercial paper."""
    identity = " ".join(filter(None, (seller.name, seller.legal_form)))
    if seller.capital:
        comma = "," if language == "en" else ""
        identity += f"{comma} {labels.capital} {seller.capital}"
    number = spaced(seller.siren)
    parts = (
        identity,
        ", ".join(filter(None, seller.address)),
        # One number, which the register's name goes before (C. com. R123-237).
        f"RCS\u00a0{seller.rcs_city}\u00a0{number}" if seller.rcs_city and number else "",
        f"SIREN\u00a0{number}" if number and not seller.rcs_city else "",
        f"RCS\u00a0{seller.rcs_city}" if seller.rcs_city and not number else "",
        f"SIRET\u00a0{spaced(seller.siret[:9])}\u00a0{seller.siret[9:]}" if seller.siret else "",
        f"{vat_label or labels.vat_id}\u00a0{seller.vat_id}" if seller.vat_id else "",
    )
    return "\u00a0· ".join(filter(None, parts))
