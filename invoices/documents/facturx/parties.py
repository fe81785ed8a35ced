"""Seller, buyer, and where it went, as business terms."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from invoices.documents.facturx.spelling import plain
from invoices.documents.paper import Buyer, Paper, Seller

Party = dict[str, Any]

# ISO/IEC 6523 identifiers: SIREN, SIRET, the SIREN of a VAT group, a French electronic address.
SIREN, SIRET, VAT_GROUP, FRENCH_ADDRESS = "0002", "0009", "0231", "0225"
# What VAT ids of the Union begin with; Greece and Northern Ireland have letters of their own.
_VAT_PREFIXES: Final = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "EL",
        "ES",
        "FI",
        "FR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
        "XI",
    ]
)
# What people and customs write for a country, and ISO 3166 does not have.
_ISO: Final = {"EL": "GR", "XI": "GB", "IC": "ES", "EA": "ES"}


def seller_party(paper: Paper) -> Party:
    seller = paper.seller
    siren = _digits(seller.siren)
    party = {
        **_named(seller, seller.name),
        "identifiers": _identifiers(paper),
        "legal_identifier": siren,
        "legal_identifier_schemeid": SIREN if siren else "",
        "legal_info": plain(_standing(seller)),
        "einvoicing_addr": siren,
        "einvoicing_addr_schemeid": FRENCH_ADDRESS if siren else "",
        "contacts": _contacts(seller),
    }
    if not _outside_vat(paper):
        party["vat_identifier"] = _compact(seller.vat_id)
        if not seller.vat_id:
            # In the franchise there need not be a VAT id: the tax office knows the SIREN (BR-E-02).
            party["tax_identifier"] = siren
    return _filled(party)


def buyer_party(paper: Paper) -> Party:
    buyer = paper.buyer
    siren = _digits(buyer.siren)
    party = {
        **_named(buyer, buyer.name),
        "legal_identifier": siren,
        "legal_identifier_schemeid": SIREN if siren else "",
        "einvoicing_addr": plain(paper.electronic_address),
        "einvoicing_addr_schemeid": paper.electronic_address_scheme,
    }
    if not _outside_vat(paper):
        party["vat_identifier"] = _vat_id(buyer)
    return _filled(party)


def tax_representative(paper: Paper) -> Party:
    """The VAT group of which the seller is a member (BR-FR-CO-15)."""
    if not paper.vat_group_vat_id or _outside_vat(paper):
        return {}
    return _filled(
        {
            "name": plain(paper.vat_group_name),
            "addr_l1": plain(paper.vat_group_address).replace("\n", ", "),
            "country_code": "FR",
            "vat_identifier": _compact(paper.vat_group_vat_id),
        }
    )


def delivery_party(paper: Paper) -> Party:
    """Where it went, when that is said, and of deliveries within the Union in any case (BR-IC-12).

    A delivery address without a country is taken for one of the buyer's. Where nothing is
    delivered, the place to which a service belongs.
    """
    within_eu = any(row.vat_category == "K" for row in paper.breakdown)
    lines = [plain(line) for line in paper.delivery_address if plain(line)]
    if paper.delivery_country:
        if lines and lines[-1] == plain(f"{paper.delivery_postal_code} {paper.delivery_city}"):
            lines.pop()
        return _filled(
            {
                "name": plain(paper.buyer.name),
                **_lines(lines),
                "postcode": plain(paper.delivery_postal_code),
                "city": plain(paper.delivery_city),
                "country_code": _iso(paper.delivery_country),
            }
        )
    if not lines and paper.supplied_in and not within_eu:
        at = [plain(line) for line in paper.supplied_at if plain(line)]
        there = {"name": plain(paper.buyer.name), **_lines(at)}
        return _filled({**there, "country_code": _iso(paper.supplied_in)})
    if not lines:
        return _filled(_named(paper.buyer, paper.buyer.name)) if within_eu else {}
    return _filled(
        {
            "name": plain(paper.buyer.name),
            **_lines(lines),
            "country_code": _iso(paper.buyer.country),
        }
    )


def _named(party: Seller | Buyer, name: str) -> Party:
    lines = [plain(line) for line in party.address]
    if lines and lines[-1] == plain(f"{party.postal_code} {party.city}"):
        lines.pop()
    return {
        "name": plain(name),
        **_lines([line for line in lines if line]),
        "postcode": plain(party.postal_code),
        "city": plain(party.city),
        "country_code": _iso(party.country),
    }


def _lines(lines: Sequence[str]) -> Party:
    """EN 16931 has three lines of an address; what is more goes into the last one."""
    first, second = (*lines, "", "")[:2]
    return {"addr_l1": first, "addr_l2": second, "addr_l3": ", ".join(lines[2:])}


def _identifiers(paper: Paper) -> dict[str, str]:
    siret, group = _digits(paper.seller.siret), _compact(paper.vat_group_vat_id)
    found = {SIRET: siret} if siret else {}
    if group.startswith("FR"):
        # The last nine digits of a French VAT id are a SIREN.
        found[VAT_GROUP] = group[4:]
    return found


def _standing(seller: Seller) -> str:
    """Legal form, capital and register, as the foot of the page has them."""
    parts = (
        " ".join(filter(None, (seller.legal_form, seller.capital))),
        f"RCS {seller.rcs_city} {seller.siren}" if seller.rcs_city else "",
    )
    return ", ".join(filter(None, parts))


def _contacts(seller: Seller) -> list[Party]:
    if not (seller.phone or seller.email):
        return []
    contact = {"name": plain(seller.name), "phone": plain(seller.phone)}
    return [_filled({**contact, "email": plain(seller.email)})]


def _vat_id(buyer: Buyer) -> str:
    """Only one that names its country (BR-CO-09), which tax numbers of other countries need not."""
    written = _compact(buyer.vat_id)
    names_a_country = written[:2] in _VAT_PREFIXES or written[:2] == _iso(buyer.country)
    return written if names_a_country else ""


def _outside_vat(paper: Paper) -> bool:
    """Outside VAT no VAT id may stand on the document, of either party (BR-O-02)."""
    return any(row.vat_category == "O" for row in paper.breakdown)


def _iso(country: str) -> str:
    code = country.strip().upper()
    return _ISO.get(code, code)


def _compact(vat_id: str) -> str:
    return re.sub(r"[\s.\-/]", "", vat_id).upper()


def _digits(text: str) -> str:
    return re.sub(r"\s", "", text)


def _filled(party: Party) -> Party:
    return {key: value for key, value in party.items() if value}
