"""VIES as the register that clients' VAT ids are asked of (invoices.clients.vat_register)."""

from __future__ import annotations

from django.conf import settings

from integrations.core.http import AddressRefused, ProviderError
from integrations.vies import mapping
from integrations.vies.client import Vies
from invoices.clients.vat_register import Answer


class ViesRegister:
    """Its address is of the environment, never of a form; it is asked for nothing but one id."""

    def ask(self, vat_id: str, *, requester: str) -> Answer:
        try:
            with Vies(settings.VIES_URL) as vies:
                body = vies.check(vat_id, requester=requester)
        except AddressRefused as refusal:
            return Answer(None, refusal.notice)
        except ProviderError as error:
            return Answer(None, mapping.failure(error, vat_id=vat_id, requester=requester))
        return mapping.answer_of(body, vat_id=vat_id, requester=requester)
