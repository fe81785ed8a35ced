"""Drafts of any parties, deliveries, places and VAT: issued by the rules, or refused whole."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from random import Random

import pytest

from invoices.clients.vat import supply_of, vat_treatment
from invoices.company.vat_rates import FrenchRates
from invoices.documents.totals import TotalsRefused
from invoices.invoicing import deciding_otherwise, drafting
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.issuing import issue
from invoices.invoicing.vat_readiness import decided_otherwise, questions
from invoices.models import Company
from tests.factories import make_client, make_company, make_draft, make_user
from tests.invoices.tax.test_supplies import SELLERS
from tests.invoices.tax.test_where_supplied import (
    AT_BERLIN,
    AT_PARIS,
    ON,
    TO_BERLIN,
    TO_PARIS,
    TO_REUNION,
    WHY,
)

pytestmark = pytest.mark.django_db


def _anything(rng):
    place = rng.choice(SELLERS)
    client = make_client(
        country=place.country, postal_code=place.postal_code,
        vat_id=rng.choice(["", "DE129273398", "FR96552100554", "XI980780684"]),
        buyer_kind=rng.choice(["business", "business", "public", "consumer"]),
    )  # fmt: skip
    where = rng.choice([{}, TO_REUNION, TO_BERLIN, TO_PARIS, {"delivered_to": "client"}])
    tie = rng.choice([{}, {}, AT_BERLIN, AT_PARIS])
    draft = make_draft(
        client=client, lines=((1, "100"), (2, "50")), service_from=ON, **where, **tie
    )
    seller = rng.choice(SELLERS[:8])
    Company.objects.update(
        country=seller.country, postal_code=seller.postal_code, vat_id="FR44732829320"
    )
    for line in draft.lines.all():
        nature = rng.choice(["goods", "services"])
        found = vat_treatment(client, Company.ours(), nature, document=draft)
        vat = rng.choice([
            (found.category, found.rate), (found.category, found.rate), ("S", Decimal(20)),
            ("S", Decimal("8.5")), ("AE", 0), ("K", 0), ("G", 0), ("O", 0),
        ])  # fmt: skip
        draft.lines.filter(pk=line.pk).update(nature=nature, vat_category=vat[0], vat_rate=vat[1])
    draft.refresh_from_db()
    with suppress(TotalsRefused):
        # Where VAT does not reach, a line stands beside no other: issuing says so.
        drafting.recalculate(draft)
    return draft


@pytest.mark.parametrize("seed", range(6))
def test_an_issued_document_follows_what_is_decided_or_bears_a_decision(seed):
    """Drafts of any parties and any VAT: each is issued lawfully, or refused in words and whole."""
    rng, admin = Random(seed), make_user(role="administrator")
    make_company()
    issued = refused = 0
    for n in range(30):
        draft = _anything(rng)
        if n % 3 == 0 and deciding_otherwise.open_questions(draft, ON):
            deciding_otherwise.decide_otherwise(invoice_id=draft.pk, reason=WHY, by=admin, on=ON)
        try:
            invoice = issue(invoice_id=draft.pk, by=None, on=ON)
        except IssueRefused as refusal:
            refused += 1
            assert all(reason.text for reason in refusal.reasons)
            draft.refresh_from_db()
            assert (draft.status, draft.number, draft.documents.count()) == ("draft", "", 0)
            continue
        issued += 1
        decided = decided_otherwise(invoice)
        company, lines = Company.ours(), list(invoice.lines.all())
        assert {each.key for each in questions(invoice, lines, company, ON)} <= set(decided)
        supply = supply_of(invoice.client, company, invoice)
        for line in lines:
            found = vat_treatment(invoice.client, company, line.nature, document=invoice)
            if supply.seller.of_french_law and not decided and line.vat_category == "S":
                assert found.category == "S"
                assert line.vat_rate in FrenchRates().on(ON, found.taxed_in)
    assert issued and refused
