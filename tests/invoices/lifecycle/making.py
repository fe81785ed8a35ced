"""The addresses of the platform's pages, for the tests that judge every address."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from billing_portal.dates import as_typed
from invoices.einvoicing.transmitting import transmit
from tests.factories import make_issued
from tests.invoices.bulk.making import BEGIN_BATCHES, OF_BATCHES
from tests.invoices.quotes.making import BEGIN_QUOTES, OF_QUOTES
from tests.transmitted import at_platform

# Name: (permission, takes a key, only a POST)
PLATFORM_PAGES = {
    "integrations:platform": ("integrations.view_connection", False, False),
    "integrations:platform-ask": ("integrations.run_sync", False, True),
    "integrations:platform-secret": ("integrations.change_connection", False, True),
    "invoices:platform-answer": ("invoices.send_invoice", True, False),
    "invoices:einvoicing": ("invoices.view_invoice", False, False),
    "invoices:routing": ("invoices.view_client", False, False),
    "invoices:incoming": ("invoices.view_client", False, False),
    "invoices:incoming-file": ("invoices.view_client", True, False),
    "invoices:lifecycle-message": ("invoices.view_invoice", True, False),
    "invoices:put-right": ("invoices.add_creditnote", True, False),
    "invoices:transmit": ("invoices.send_invoice", True, False),
    "invoices:transmit-again": ("invoices.send_invoice", True, True),
    "invoices:dispute": ("invoices.change_invoice", True, False),
    "invoices:dispute-close": ("invoices.change_invoice", True, False),
    "invoices:take-address": ("invoices.change_client", True, True),
    "invoices:force-way": ("accounts.change_company", True, False),
}


def issued():
    return make_issued(on=timezone.localdate())


def rejected():
    """By the platform, under which it cannot stay."""
    found = transmit(invoice_id=issued().pk, by=None)
    at_platform(found, codes=["200", "213"])
    return found


RELEASED = timezone.localdate() + timedelta(days=500)


def retained():
    """An invoice of which a part is held back."""
    return make_issued(on=timezone.localdate(), retention_percent=Decimal(5))


# With those of the quotes: what cannot be undone, and what can or begins something new.
OF_OTHERS = (
    OF_QUOTES
    | OF_BATCHES
    | {
        "invoices:transmit": (issued, {}),
        "invoices:put-right": (rejected, {}),
        "invoices:release": (
            retained,
            {"to": as_typed(RELEASED), "to-really": RELEASED.isoformat(), "reason": "Late"},
        ),
    }
)
BEGIN_OTHERS = BEGIN_QUOTES | BEGIN_BATCHES | {
    "integrations:platform", "integrations:platform-ask", "invoices:transmit-again",
    "integrations:platform-secret", "integrations:platform-hook", "invoices:platform-answer",
    "invoices:dispute", "invoices:dispute-close", "invoices:take-address", "invoices:force-way",
    "invoices:item-archive", "invoices:item-give-back", "invoices:item-new", "invoices:item-edit",
}  # fmt: skip
