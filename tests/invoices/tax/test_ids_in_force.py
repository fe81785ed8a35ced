"""An invoice without VAT rests on the client's id: what VIES said of it decides or warns."""

from __future__ import annotations

import html
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from invoices.clients import vat_checks
from invoices.invoicing import deciding_otherwise
from invoices.invoicing.crediting import issue_credit_note
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.issuing import issue
from invoices.invoicing.readiness import reasons_not_to_issue, warnings_before_issue
from invoices.models import Client, InvoiceEvent, VatCheck
from tests.factories import make_client, make_draft, make_user

ON = date(2026, 11, 24)
GERMAN = "DE833179165"
OTHER = "DE129273398"
pytestmark = pytest.mark.django_db


def client_of(country="DE", vat_id=GERMAN, **fields):
    return make_client(country=country, vat_id=vat_id, siren="", postal_code="10115", **fields)


def without_vat(client=None, category="AE"):
    nature = {"AE": "services", "K": "goods"}.get(category, "services")
    draft = make_draft(client=client or client_of(), service_from=ON)
    rate = 20 if category == "S" else 0
    draft.lines.update(vat_category=category, vat_rate=rate, nature=nature)
    return draft


def said(answer, vat_id=GERMAN, on=ON, client=None, consultation="WAPIAAAAaEDkvhHx"):
    return VatCheck.objects.create(
        client=client or make_client(), vat_id=vat_id, asked_at=f"{on}T09:00Z", on=on,
        answered_at=None if answer == "asked" else f"{on}T09:00Z", answer=answer,
        trouble={"code": "vies.busy", "values": {}} if answer == "none" else None,
        consultation=consultation if answer in ("valid", "invalid") else "",
    )  # fmt: skip


def reasons(draft):
    return [each for each in reasons_not_to_issue(draft, ON) if each.field == "vat_id"]


def warnings(draft):
    return [each.text for each in warnings_before_issue(draft, ON) if each.field == "vat_id"]


KINDS = [("AE", "DE", GERMAN), ("K", "DE", GERMAN), ("K", "XI", "XI803586288")]


@pytest.mark.parametrize(("category", "country", "vat_id"), KINDS)
def test_an_id_that_vies_says_is_not_valid_is_a_reason_not_to_issue(category, country, vat_id):
    draft = without_vat(client_of(country, vat_id), category)
    said("invalid", vat_id)
    (reason,) = reasons(draft)
    assert reason.text == (
        f"VIES answered on 24\u00a0Nov 2026 that the client's VAT id, {vat_id}, is not valid: "
        "without a valid one, VAT is charged."
    )
    with pytest.raises(IssueRefused, match="is not valid"):
        issue(invoice_id=draft.pk, by=None, on=ON)
    # Asked again later, its register knows it.
    said("valid", vat_id)
    assert reasons(draft) == []
    assert issue(invoice_id=draft.pk, by=None, on=ON).is_issued


@pytest.mark.parametrize(("category", "country", "vat_id"), KINDS)
def test_an_id_never_asked_about_is_warned_about_and_may_be_issued(category, country, vat_id):
    draft = without_vat(client_of(country, vat_id), category)
    assert warnings(draft) == [
        f"VIES was never asked whether the client's VAT id, {vat_id}, is valid; without VAT, its "
        "answer is the proof."
    ]
    # A question without an answer is none.
    said("none", vat_id)
    said("asked", vat_id)
    assert len(warnings(draft)) == 1
    assert reasons(draft) == []
    issued = issue(invoice_id=draft.pk, by=None, on=ON)
    assert "vat_check" not in issued.events.get(kind=InvoiceEvent.Kind.ISSUED).data


@pytest.mark.parametrize(("days", "warned"), [(0, 0), (31, 0), (32, 1), (400, 1)])
def test_an_answer_is_fresh_for_a_month(days, warned):
    assert vat_checks.FRESH_DAYS == 31
    draft = without_vat()
    said("valid", on=ON - timedelta(days=days))
    assert len(warnings(draft)) == warned
    assert reasons(draft) == []


def test_the_last_answer_about_this_very_id_counts():
    draft = without_vat()
    said("invalid", on=ON - timedelta(days=9))
    said("valid", on=ON - timedelta(days=5), client=draft.client)
    said("none")
    said("invalid", OTHER)
    assert (reasons(draft), warnings(draft)) == ([], [])
    Client.objects.filter(pk=draft.client_id).update(vat_id=OTHER)
    draft.refresh_from_db()
    assert len(reasons(draft)) == 1
    # What is typed with blanks is the same id.
    Client.objects.filter(pk=draft.client_id).update(vat_id="de 833 179 165")
    draft.refresh_from_db()
    assert (reasons(draft), warnings(draft)) == ([], [])


def test_an_administrator_decides_otherwise_for_this_id_alone():
    draft, admin = without_vat(), make_user(role="administrator")
    said("invalid")
    why = "Its tax office confirmed it by letter of 20 November"
    deciding_otherwise.decide_otherwise(invoice_id=draft.pk, reason=why, by=admin, on=ON)
    assert reasons(draft) == []
    told = [each.text for each in warnings_before_issue(draft, ON) if each.field == "vat"]
    assert told == [f"VAT id {GERMAN}, which VIES says is not valid: decided by {admin}, “{why}”."]
    said("invalid", OTHER)
    Client.objects.filter(pk=draft.client_id).update(vat_id=OTHER)
    draft.refresh_from_db()
    assert len(reasons(draft)) == 1
    Client.objects.filter(pk=draft.client_id).update(vat_id=GERMAN)
    assert issue(invoice_id=draft.pk, by=admin, on=ON).is_issued


@pytest.mark.parametrize(
    ("country", "vat_id", "category"),
    [("FR", "FR96552100554", "S"), ("DE", GERMAN, "S"), ("US", "", "O")],
)
def test_what_does_not_rest_on_the_id_is_left_alone(country, vat_id, category):
    draft = without_vat(client_of(country, vat_id), category)
    said("invalid", vat_id)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert (reasons(draft), warnings(draft)) == ([], [])
    assert not [each for each in asked if "vatcheck" in each["sql"]]


def test_reverse_charge_within_france_asks_no_register():
    draft = without_vat(make_client(vat_id="FR96552100554"), "AE")
    said("invalid", "FR96552100554")
    assert [each for each in reasons(draft) if "VIES" in each.text] == []


def test_a_credit_note_is_never_held_up_by_it():
    said("valid")
    issued = issue(invoice_id=without_vat().pk, by=None, on=ON)
    said("invalid")
    note = issue_credit_note(invoice_id=issued.pk, reason="Wrong", by=None, on=ON)
    assert note.is_issued


def test_the_invoice_keeps_which_answer_it_rests_on(clerk_client):
    said("invalid", on=ON - timedelta(days=8))
    check = said("valid", on=ON - timedelta(days=3))
    issued = issue(invoice_id=without_vat().pk, by=None, on=ON)
    said("invalid")
    event = issued.events.get(kind=InvoiceEvent.Kind.ISSUED)
    assert event.data["vat_check"] == {
        "id": check.pk, "vat_id": GERMAN, "answer": "valid", "on": "2026-11-21",
        "consultation": "WAPIAAAAaEDkvhHx",
    }  # fmt: skip
    page = clerk_client.get(reverse("invoices:timeline", args=[issued.pk])).text
    told = html.unescape(page).replace("\u00a0", " ")
    assert f"VAT id {GERMAN} valid in VIES on 21 Nov 2026, consultation WAPIAAAAaEDkvhHx" in told


def test_the_editor_and_the_dialog_lead_to_where_vies_is_asked(clerk_client, admin_client):
    draft = without_vat()
    link = f'href="/clients/{draft.client_id}/#vat-check"'
    pages = [reverse(f"invoices:{name}", args=[draft.pk]) for name in ("edit", "issue")]
    for url in pages:
        text = html.unescape(clerk_client.get(url).text)
        assert link in text
        assert "VIES was never asked whether" in text
    said("invalid")
    for url in pages:
        text = html.unescape(admin_client.get(url).text)
        assert link in text
        assert "is not valid: without a valid one, VAT is charged." in text
    assert reverse("invoices:decide-vat", args=[draft.pk]) in admin_client.get(pages[0]).text
