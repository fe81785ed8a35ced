"""A quote whose invoice is corrected: what was billed of it goes over to the new one.

Beside the other tests of quotes: a quote is valid until a day, and they live on that of `making`.
"""

from __future__ import annotations

import pytest

from invoices.invoicing import issuing
from invoices.invoicing.correcting import draft_correction
from invoices.quotes import converting
from invoices.quotes.converting import bill_whole
from tests.factories import make_unprinted
from tests.invoices.quotes.making import TODAY, accepted_quote, line

pytestmark = pytest.mark.django_db
DAY = {"by": None, "on": TODAY}


def test_the_quote_of_a_corrected_invoice_is_billed_by_the_new_one():
    quote = accepted_quote(lines=[line("1000")])
    old = make_unprinted(bill_whole(quote_id=quote.pk, **DAY))
    draft = draft_correction(invoice_id=old.pk, move_payments=False, **DAY)
    billed = converting.standing(quote.acceptance, converting.alive(quote)).billed_minor
    assert billed == 1200_00
    issuing.issue(invoice_id=draft.pk, **DAY)
    (left,) = converting.alive(quote)
    assert left.invoice_id == draft.pk
    assert [row.left for row in converting.left_of_lines(quote.acceptance, [left])] == [0]
