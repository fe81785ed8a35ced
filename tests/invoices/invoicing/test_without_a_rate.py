"""Invoices in a currency whose rate nobody knows."""

from __future__ import annotations

import pytest

from invoices.invoicing import drafting, readiness, vat_readiness
from invoices.models import (
    Company,
    ExchangeRate,
    ExemptionReason,
)
from tests.factories import (
    make_client,
    make_draft,
    make_issued,
)
from tests.invoices.invoicing.test_issuing import ON, credit, fields

pytestmark = pytest.mark.django_db


def test_a_warning_is_not_a_reason():
    Company.objects.all().delete()
    assert readiness.warnings_before_issue(make_draft(), ON)[0].field == "penalty"
    invoice = make_draft(
        client=make_client(siren="", billing_email=""), currency="USD", title="Emoji 🎉"
    )
    # VAT that cannot be stated in euros is a reason; figures that leave it out are none.
    assert fields(invoice) == {"currency"}
    invoice.lines.update(vat_category="E", vat_rate=0, exemption=ExemptionReason.objects.first())
    drafting.recalculate(invoice)
    Company.objects.update(iban="")
    assert {"currency", "siren", "company.iban", "recipients", "lines"} <= {
        warning.field for warning in readiness.warnings_before_issue(invoice, ON)
    }
    assert fields(invoice) == set()


def test_where_the_rate_was_not_known_the_note_states_none_either(monkeypatch):
    client = make_client(currency="GBP", country="FR")
    # As an earlier version issued it: today VAT without a rate is a reason not to.
    with monkeypatch.context() as earlier:
        earlier.setattr(vat_readiness, "_currency_reasons", lambda *_given: [])
        invoice = make_issued(client=client)
    ExchangeRate.objects.create(currency="GBP", on=ON, rate="1.30", source="ECB")
    note = credit(invoice)
    assert (note.exchange_rate, note.paper.get("vat_minor_in_eur")) == (None, None)
