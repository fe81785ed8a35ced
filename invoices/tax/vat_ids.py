"""Whose VAT id a text is: its form and its check digits, by python-stdnum.

That a number is well formed does not say that it was given out; only VIES does.
"""

from __future__ import annotations

import re

from stdnum import get_cc_module
from stdnum.exceptions import ValidationError as NumberError

from invoices.tax.territories import EU


def compact(text: str) -> str:
    return re.sub(r"[\s.\-/]", "", text).upper()


def state_of(vat_id: str) -> str:
    """The state of the Union whose id this is, as ISO letters ("XI" for Northern Ireland).

    "" when it is no valid id of any: an empty text, "N/A", a wrong digit, a state outside.
    """
    written = compact(vat_id)
    prefix = written[:2]
    state = {"EL": "GR"}.get(prefix, prefix)
    if prefix == "GR" or state not in {*EU, "XI"}:
        # Greece writes EL; its ISO letters stand before no VAT id.
        return ""
    # Northern Ireland's are the British ones with letters of their own.
    module = get_cc_module("gb" if state == "XI" else state.lower(), "vat")
    number = f"GB{written[2:]}" if state == "XI" else written
    assert module is not None  # python-stdnum knows every state of the Union
    try:
        module.validate(number)
    except NumberError:
        return ""
    return state
