"""What no font of the page has is a reason not to issue, with its field and the character."""

from datetime import date

import pytest

from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.issuing import issue
from invoices.invoicing.readiness import reasons_not_to_issue
from invoices.invoicing.unprintable import reasons_of_paper
from invoices.models import Invoice
from tests.factories import make_client, make_draft
from tests.invoices.documents.pdf.papers import make_paper

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


def told(draft, on):
    found = reasons_not_to_issue(draft, on)
    return {(reason.field, reason.anchor) for reason in found if "no font" in reason.text}


def test_each_place_is_named_with_its_field_and_its_character():
    draft = make_draft(on=ON, title="Fête 🎉", note="สวัสดี")
    draft.lines.update(description="Atelier 🎉")
    assert told(draft, ON) == {
        ("lines", "#id_lines-0-description"),
        ("title", "#id_title"),
        ("note", "#id_note"),
    }
    texts = " ".join(reason.text for reason in reasons_not_to_issue(draft, ON))
    assert "Line 1: no font of the page has 🎉 (U+1F389)." in texts
    with pytest.raises(IssueRefused, match="U\\+1F389"):
        issue(invoice_id=draft.pk, by=None, on=ON)
    assert Invoice.objects.get(pk=draft.pk).is_draft


def test_a_client_from_japan_gets_an_invoice():
    draft = make_draft(on=ON, client=make_client(name="株式会社 東京サービス"))
    assert told(draft, ON) == set()


def test_the_page_itself_is_asked_too_and_a_credit_note_only_for_its_own_words():
    paper = make_paper(("Atelier 🎉", "C62", "1", "10", "20"))
    assert [reason.field for reason in reasons_of_paper(paper)] == ["lines"]
    note = make_paper(("Atelier 🎉", "C62", "1", "10", "20"), kind="credit_note")
    assert reasons_of_paper(note) == []
    note = make_paper(kind="credit_note", notes="Pardon 🎉")
    assert [reason.field for reason in reasons_of_paper(note)] == ["note"]
