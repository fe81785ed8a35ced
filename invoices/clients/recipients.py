"""Who receives a mail about a client's invoices."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from billing_portal.typed.texts import shown
from invoices.models import Client, Deal

MAX_RECIPIENTS = 20


def recipients_for(deal: Deal) -> list[str]:
    """Billing email, else the contacts that receive invoices, else the deal's contact."""
    client = deal.client
    if client is None:
        return []
    found = client_recipients(client)
    contact = deal.contact
    if not found and contact is not None and contact.email and contact.gone_at is None:
        found = [contact.email]
    return found


def client_recipients(client: Client) -> list[str]:
    if client.billing_email:
        return [client.billing_email]
    return [
        contact.email
        for contact in client.contacts.all()
        if contact.receives_invoices and contact.email and contact.gone_at is None
    ][:MAX_RECIPIENTS]


def address_problem(addresses: Sequence[str]) -> str:
    """What is wrong with a list of addresses, as a sentence; empty when nothing is."""
    if len(addresses) > MAX_RECIPIENTS:
        return _("At most %(limit)s recipients.") % {"limit": MAX_RECIPIENTS}
    for address in addresses:
        try:
            validate_email(address)
        except ValidationError:
            return _("“%(address)s” is not an email address.") % {"address": shown(address, 80)}
    return ""
