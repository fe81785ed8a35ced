"""The EPC code of a SEPA transfer."""

from __future__ import annotations

import logging
from decimal import Decimal

import segno
from segno import helpers

from invoices.documents.paper import CREDIT_NOTE, QUOTE, Paper

logger = logging.getLogger(__name__)

EPC_LIMITS = {"name": 70, "text": 140}


def payment_code(paper: Paper) -> segno.QRCode | None:
    """Where one can be made: euros, an IBAN, something to pay.

    Of several instalments it asks for the first one.
    """
    iban = paper.seller.iban.replace(" ", "")
    in_parts = paper.instalments and not paper.paid_minor
    minor = paper.instalments[0].amount_minor if in_parts else paper.payable_minor
    amount = Decimal(minor) / 100
    if paper.kind in (CREDIT_NOTE, QUOTE) or paper.currency != "EUR" or not iban:
        return None
    if not Decimal("0.01") <= amount <= Decimal("999999999.99"):
        return None
    try:
        return helpers.make_epc_qr(
            name=paper.seller.name[: EPC_LIMITS["name"]],
            iban=iban,
            amount=amount,
            text=paper.number[: EPC_LIMITS["text"]],
            bic=paper.seller.bic.replace(" ", "") or None,
            encoding="utf-8",
        )
    except ValueError:
        # A malformed IBAN or BIC: the page still prints it, and the seller's form is where it is
        # refused.
        logger.warning("No payment code for a document of %s", paper.issue_date)
        return None
