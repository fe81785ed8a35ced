"""Nothing that cannot be seen comes onto a page or into a mail, whichever way it came in."""

from __future__ import annotations

import pytest

from integrations.crm.values import clean
from invoices.invoicing.forms import lines
from invoices.invoicing.forms.lines import TypedLine


def test_the_lines_of_a_draft_keep_only_what_is_seen():
    typed = [
        TypedLine(description="\u202eAudit\0 of\u200b\r\nthe\tyard\u2069", unit_price="10"),
        TypedLine(description="\u200b\u202e", unit_price=""),
    ]
    (line,) = lines.clean(typed, "EUR")
    assert line["description"] == "Audit of\nthe\tyard"
    assert typed[1].is_blank


@pytest.mark.parametrize("text", ["a\0b", "a\u202eb", "a\u200bb", "a\ud800b", "a\x07b"])
def test_comments_of_the_crm_are_printed_without_what_is_not_seen(text):
    assert clean(text) == "ab"
    assert clean("a\r\nb") == "a\nb"
