"""Invoices in a currency whose rate nobody knows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from invoices.documents.facturx import judging
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
    invoice = make_draft(client=make_client(siren="", billing_email=""), currency="USD")
    # VAT that cannot be stated in euros is a reason; figures that leave it out are none.
    assert fields(invoice) == {"currency"}
    invoice.lines.update(vat_category="E", vat_rate=0, exemption=ExemptionReason.objects.first())
    drafting.recalculate(invoice)
    Company.objects.update(iban="")
    assert {"currency", "siren", "company.iban", "recipients"} <= {
        warning.field for warning in readiness.warnings_before_issue(invoice, ON)
    }
    assert fields(invoice) == set()


def test_where_the_rate_was_not_known_the_note_states_none_either(monkeypatch):
    client = make_client(currency="GBP", country="FR")
    # As an earlier version issued it: today VAT without a rate is a reason not to.
    with monkeypatch.context() as earlier:
        earlier.setattr(vat_readiness, "_currency_reasons", lambda *_given: [])
        earlier.setattr(judging, "is_for", lambda _paper: False)
        invoice = make_issued(client=client)
    ExchangeRate.objects.create(currency="GBP", on=ON, rate="1.30", source="ECB")
    note = credit(invoice)
    assert (note.exchange_rate, note.paper.get("vat_minor_in_eur")) == (None, None)


def test_a_rate_of_another_week_is_no_rate_of_the_day():
    client = make_client(currency="GBP", country="FR")
    draft = make_draft(client=client)
    ExchangeRate.objects.create(
        currency="GBP", on=ON - timedelta(days=6), rate="1.1523", source="ECB"
    )
    (reason,) = readiness.reasons_not_to_issue(draft, ON)
    assert (reason.field, reason.anchor) == ("currency", "rates")
    assert "is of 18" in reason.text and "at the one of 24" in reason.text
    ExchangeRate.objects.update(on=ON - timedelta(days=5))
    assert readiness.reasons_not_to_issue(draft, ON) == []
    # Without VAT nothing is stated in euros.
    ExchangeRate.objects.update(on=ON - timedelta(days=60))
    draft.lines.update(vat_category="E", vat_rate=0, exemption=ExemptionReason.objects.first())
    drafting.recalculate(draft)
    assert fields(draft) == set()


def test_the_page_and_its_credit_note_name_rate_day_and_source():
    client = make_client(currency="GBP", country="FR")
    ExchangeRate.objects.create(currency="GBP", on=ON, rate="1.1523", source="BCE")
    invoice = make_issued(client=client)
    said = "Cours appliqué\u202f: 1\u00a0GBP = 1,1523\u00a0EUR (BCE, 24 novembre 2026)."
    assert invoice.paper["eur_rate"] == said
    later = ON + timedelta(days=3)
    ExchangeRate.objects.create(currency="GBP", on=later, rate="1.30", source="BCE")
    assert credit(invoice).paper["eur_rate"] == said
