"""billing_portal/words.py"""

from __future__ import annotations

from django.utils.translation import override

from billing_portal.words import labelled
from invoices.invoicing.forms.lines import TypedLine


def test_the_colon_stands_as_the_language_sets_it():
    with override("en-gb"):
        assert labelled("Unit price", "12") == "Unit price: 12"
    with override("fr"):
        assert labelled("Prix", "12") == "Prix\u202f: 12"
        line = TypedLine(vat="S:20")
        line.errors["unit_price"] = "…"
        assert line.told == ["Prix unitaire\u202f: …"]
