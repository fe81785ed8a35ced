"""What only the e-invoice of a document says, frozen with the rest of its paper."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from billing_portal.money import from_minor, round_half_up
from invoices.clients.recipients import client_recipients
from invoices.clients.routes import address_in_use
from invoices.company.rates import rate_on
from invoices.documents.facturx.parties import FRENCH_ADDRESS
from invoices.documents.nature import nature_of_all
from invoices.models import Company, Invoice
from invoices.models.clients import BuyerKind
from invoices.tax.territories import territory_of
from invoices.tax.vat_ids import compact, state_of

# BT-23 of a document that is still to be paid, by what it supplies (XP Z12-012, BR-FR-08).
_BILLING_MODES: Final = {"goods": "B1", "services": "S1", "mixed": "M1"}
_EMAIL: Final = "EM"
# The schemes (EAS) of the VAT ids by which a business of another state is found.
_BY_VAT_ID: Final = {
    "AT": "9914", "BE": "9925", "BG": "9926", "CY": "9928", "CZ": "9929", "DE": "9930",
    "EE": "9931", "ES": "9920", "GR": "9933", "HR": "9934", "HU": "9910", "IE": "9935",
    "IT": "0211", "LT": "9937", "LU": "9938", "LV": "9939", "MT": "9943", "NL": "9944",
    "PL": "9945", "PT": "9946", "RO": "9947", "SE": "9955", "SI": "9949", "SK": "9950",
}  # fmt: skip


def of(
    invoice: Invoice, company: Company, issue_date: date, natures: Iterable[str], vat_minor: int
) -> dict[str, Any]:
    """Fields of a Paper; none for a seller outside France, who issues no Factur-X."""
    if not company.of_france:
        return {}
    # Of documents before 2026, and of history, nobody was asked what they supply.
    nature = nature_of_all(natures) or company.usual_nature
    address, scheme = _electronic_address(invoice)
    found = {
        "billing_mode": _BILLING_MODES[nature],
        "treatment": _treatment(invoice, company, issue_date),
        "electronic_address": address,
        "electronic_address_scheme": scheme,
        "einvoice_vat_minor_in_eur": _vat_in_eur(invoice, company, issue_date, vat_minor),
    }
    if company.in_vat_group:
        found |= {
            "vat_group_name": company.vat_group_name,
            "vat_group_address": company.vat_group_address,
            "vat_group_vat_id": company.vat_group_vat_id,
        }
    return found


def _treatment(invoice: Invoice, company: Company, issue_date: date) -> str:
    """To whom it goes, as the platforms tell it apart (note “BAR”, BR-FR-20); "" of a public body.

    Between businesses of France it needs both SIREN: a seller who is not obliged yet may still
    write to one who has none, by mail, and says nothing.
    """
    client = invoice.client
    at_home = territory_of(client.country, client.postal_code).in_france
    if client.buyer_kind == BuyerKind.CONSUMER:
        return "B2C" if at_home else "B2CINT"
    if client.buyer_kind == BuyerKind.PUBLIC:
        return ""
    if not at_home:
        return "B2BINT"
    return "B2B" if client.siren or company.must_einvoice(issue_date) else ""


def _vat_in_eur(invoice: Invoice, company: Company, issue_date: date, vat_minor: int) -> int | None:
    """Of a credit note whose invoice is older than our rates, in cents: at the rate of the
    invoice's day, else of its own. An e-invoice without VAT in euros is none (BR-FR-CO-12)."""
    was = invoice.corrects
    if was is None or invoice.exchange_rate is not None or not vat_minor:
        return None
    if invoice.currency == "EUR" or company.currency != "EUR":
        return None
    days = [day for day in (was.issue_date, issue_date) if day is not None]
    rates = [rate_on(invoice.currency, "EUR", day) for day in days]
    rate = next((rate for rate in rates if rate is not None), None)
    if rate is None:
        return None
    return round_half_up(from_minor(vat_minor, invoice.currency).amount * rate, "EUR")


def _electronic_address(invoice: Invoice) -> tuple[str, str]:
    """Where platforms find the buyer (BT-49), with the scheme: a French one by its SIREN."""
    client = invoice.client
    if client.siren:
        return address_in_use(client), FRENCH_ADDRESS
    if known := client_recipients(client) or list(invoice.recipients):
        return known[0], _EMAIL
    scheme = _BY_VAT_ID.get(state_of(client.vat_id), "")
    return (compact(client.vat_id), scheme) if scheme else ("", "")
