"""The pages about the platform: the list, the life of an invoice, routing, putting right."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing_portal.idempotency import new_key
from invoices.einvoicing import platforms
from invoices.einvoicing.transmitting import transmit
from invoices.models import (
    ClientRoute,
    Company,
    Dispute,
    IncomingInvoice,
    Invoice,
    LifecycleStatus,
    PlatformFlow,
    Transmission,
)
from tests import clock
from tests.factories import make_client, make_company, make_draft
from tests.transmitted import BUYER, at_platform, make_transmission, say

PAGE = "/invoices/platform/"
LONG = "Société " + "très longue " * 20


@pytest.fixture
def connected(monkeypatch):
    monkeypatch.setattr(platforms, "_CONNECTED", [lambda: "Plateforme Armor"])
    monkeypatch.setattr(platforms, "_HURRY", [])


@pytest.fixture
def every_group(db):
    """One in each state that the page knows."""
    make_company()
    found = {}
    for name, codes in {
        "rejected": ["200", "213"],
        "refused": ["200", "202", "203", "210"],
        "disputed": ["200", "202", "203", "207"],
        "suspended": ["200", "203", "208"],
        "deposited": ["200"],
        "approved": ["200", "202", "203", "205"],
        "announced": ["200", "203", "211"],
    }.items():
        found[name] = make_transmission(
            client=make_client(name=f"{name} {LONG}"[:250], siren=BUYER)
        )
        reasons = {"213": "ADR_ERR", "210": "TX_TVA_ERR", "207": "QTE_ERR"}
        at_platform(found[name], codes=[])
        for code in codes:
            say(found[name], code, reason_code=reasons.get(code, ""), reason="<b>dit</b>")
    found["waiting"] = make_transmission()
    return found


def test_the_strip_counts_each_invoice_once_and_the_oldest_that_needs_somebody_is_open(
    clerk_client, every_group
):
    page = clerk_client.get(PAGE)
    assert page.status_code == 200
    strip = {tile["key"]: tile["count"] for tile in page.context["strip"]}
    assert strip == {"failed": 2, "disputed": 2, "waiting": 2, "client": 2, "paid": 0}
    assert page.context["transmission"] == every_group["rejected"]
    assert page.context["after"] == every_group["refused"].pk
    text = page.content.decode()
    assert "The client’s electronic address is wrong or closed." in text
    assert "&lt;b&gt;dit&lt;/b&gt;" in text
    assert "<b>dit</b>" not in text
    for group, count in strip.items():
        rows = clerk_client.get(PAGE, {"is": group}).context["rows"]
        assert len(rows) == count


@pytest.mark.parametrize("name", ["refused", "disputed", "deposited", "waiting", "announced"])
def test_each_state_has_its_life(clerk_client, every_group, name):
    found = every_group[name]
    page = clerk_client.get(PAGE, {"show": found.pk})
    assert page.context["transmission"] == found
    marks = {mark.label: mark.look for mark in page.context["life"].marks}
    expected = {
        "refused": ("Refused", "bad"),
        "disputed": ("In dispute", "bad"),
        "deposited": ("Received", "todo"),
        "waiting": ("Sent", "now"),
        # 202 was not told: 203 implies it.
        "announced": ("Received", "done"),
    }[name]
    assert marks[expected[0]] == expected[1]
    detail = clerk_client.get(f"/invoices/{found.invoice_id}/", {"tab": "einvoice"})
    assert detail.context["life"].marks
    assert "Life of" in detail.content.decode()


def test_an_empty_page_says_what_to_do_first(clerk_client, db):
    make_company()
    text = clerk_client.get(PAGE).content.decode()
    assert "Nothing was given to the platform yet" in text
    assert "No platform is connected yet." in text


def test_what_is_odd_in_the_address_is_no_fault(clerk_client, every_group):
    for query in ("is=nothing", "show=999999999999999999999", "show=x", "from=-1", "from=99999999"):
        assert clerk_client.get(f"{PAGE}?{query}").status_code == 200


def test_the_list_of_invoices_is_narrowed_by_it(clerk_client, every_group):
    def numbers(**params):
        page = clerk_client.get("/invoices/", params)
        return {row.name for row in page.context["rows"]}

    failed = {every_group[name].invoice.number for name in ("rejected", "refused")}
    assert numbers(einvoice="failed") == failed
    assert numbers(disputed="1") == {every_group["disputed"].invoice.number}
    assert numbers(einvoice="none", state="all") == set()


def test_sales_see_only_what_is_theirs(sales_client, every_group):
    page = sales_client.get(PAGE)
    assert page.status_code == 200
    assert page.context["rows"] == []
    found = every_group["rejected"]
    status = found.statuses.first()
    assert sales_client.get(f"/invoices/platform/messages/{status.pk}/").status_code == 404
    assert sales_client.get("/invoices/platform/clients/").status_code == 403
    assert sales_client.get("/invoices/platform/received/").status_code == 403


def test_messages_and_suppliers_invoices_are_downloaded_as_they_came(clerk_client, every_group):
    status = every_group["rejected"].statuses.first()
    answer = clerk_client.get(f"/invoices/platform/messages/{status.pk}/")
    assert answer.content == bytes(status.content)
    assert answer["Content-Disposition"].startswith("attachment")
    row = IncomingInvoice.objects.create(
        platform_id="in-1", filename="<x>.html", content=b"<script>", sha256="0" * 64, size=8
    )
    page = clerk_client.get("/invoices/platform/received/")
    assert "&lt;x&gt;.html" in page.content.decode()
    answer = clerk_client.get(f"/invoices/platform/received/{row.pk}/")
    assert answer["Content-Type"] == "application/octet-stream"
    assert "attachment" in answer["Content-Disposition"]
    assert "One supplier’s invoice" in clerk_client.get(PAGE).content.decode()


def test_a_message_about_a_stranger_has_a_list_of_its_own(clerk_client, every_group):
    LifecycleStatus.objects.create(
        platform_id="odd", filename="odd.xml", content=b"<a/>", sha256="0" * 64,
        problem={"code": "lifecycle.unknown", "values": {"number": "F-NOBODY"}},
    )  # fmt: skip
    text = clerk_client.get(PAGE).content.decode()
    assert "Messages about nothing that we know" in text
    assert "We sent no document of the number F-NOBODY." in text


# ─ Handing over ─────────────────────────────────────────────────────────────────────────────────
def test_handed_over_from_the_page_once(clerk_client, connected):
    found = make_transmission()
    other = make_transmission()
    url = reverse("invoices:transmit", args=[found.invoice_id])
    assert "handed over already" in clerk_client.get(url).content.decode()
    assert other.flow.tracking_id != found.flow.tracking_id
    given = {"once": new_key(), "confirmed": clerk_client.get(url).context["confirmed"]}
    assert clerk_client.post(url, given).status_code == 303
    assert PlatformFlow.objects.count() == 2


def test_what_has_no_einvoice_says_why(clerk_client, db):
    from tests.factories import make_invoice

    make_company()
    url = reverse("invoices:transmit", args=[make_invoice().pk])
    assert "has no e-invoice here" in clerk_client.get(url).content.decode()
    given = {"once": new_key(), "confirmed": clerk_client.get(url).context["confirmed"]}
    answer = clerk_client.post(url, given)
    assert answer.status_code == 422
    assert "has no e-invoice here" in answer.content.decode()
    assert not Transmission.objects.exists()


# ─ Disputes ─────────────────────────────────────────────────────────────────────────────────────
def test_a_dispute_is_noted_by_hand_and_closed(clerk_client, db):
    found = make_transmission()
    url = reverse("invoices:dispute", args=[found.invoice_id])
    assert clerk_client.post(url, {"once": new_key(), "reason": ""}).status_code == 422
    clerk_client.post(url, {"once": new_key(), "reason": "Two days billed, one done"})
    dispute = Dispute.objects.get()
    assert (dispute.reason, dispute.closed_at) == ("Two days billed, one done", None)
    again = clerk_client.post(url, {"once": new_key(), "reason": "Again"})
    assert again.status_code == 422
    assert "in dispute already" in again.content.decode()
    page = clerk_client.get(f"/invoices/{found.invoice_id}/").content.decode()
    assert "Two days billed, one done" in page
    close = reverse("invoices:dispute-close", args=[dispute.pk])
    clerk_client.post(close, {"once": new_key(), "outcome": "We credited one day"})
    dispute.refresh_from_db()
    assert (dispute.outcome, dispute.closed_at is not None) == ("We credited one day", True)
    late = clerk_client.post(close, {"once": new_key(), "outcome": "Once more"})
    assert late.status_code == 422


def test_clients_are_searched_and_those_who_need_somebody_have_a_tab(clerk_client, db):
    make_company()
    for name, fields in {
        "Hénaff": {"siren": "", "vat_id": ""}, "Croix": {"billing_email": ""},
        "Moreau": {"country": "GB", "siren": "", "billing_email": ""},
    }.items():  # fmt: skip
        make_client(name=name, **fields)

    def names(**given):
        with CaptureQueriesContext(connection) as queries:
            rows = clerk_client.get("/invoices/platform/clients/", given).context["rows"]
        return {row["client"].name for row in rows}, len(queries)

    one, few = names(q="héNaff")
    # As many queries for one client as for all.
    assert (one, few) == ({"Hénaff"}, names()[1])
    assert names(q=BUYER)[0] == {"Croix"}
    assert names(by="lacks")[0] == {"Hénaff", "Moreau"}


# ─ Routing ──────────────────────────────────────────────────────────────────────────────────────
def test_each_client_has_a_way_and_a_reason(clerk_client, admin_client, db):
    make_company()
    Company.objects.update(einvoicing_from=date(2026, 9, 1))
    rows = {
        "Hénaff": ({"siren": "", "vat_id": ""}, "unknown", "no SIREN"),
        "Saint-Aubin": ({}, "platform", "in the directory"),
        "Moved": ({}, "platform", "no longer names"),
        "Hargreaves": ({"country": "GB", "siren": "", "vat_id": ""}, "mail", "United Kingdom"),
        "Private": (
            {"buyer_kind": "consumer", "siren": "", "billing_email": ""},
            "post",
            "private",
        ),
        "CHU": ({"buyer_kind": "public", "vat_id": ""}, "platform", "Chorus Pro"),
        "Croix": ({"vat_id": ""}, "mail", "in no directory"),
        "Ghost": ({}, "unknown", "does not name it"),
        "New": ({}, "platform", "not asked yet"),
        "NewPlain": ({"vat_id": ""}, "unknown", "not asked yet"),
    }
    clients = {name: make_client(name=name, **fields) for name, (fields, *_rest) in rows.items()}
    answers = {
        "Saint-Aubin": (True, [BUYER]), "Moved": (True, [f"{BUYER}_COMPTA"]),
        "Croix": (False, []), "Ghost": (False, []),
    }  # fmt: skip
    for name, (found, offered) in answers.items():
        ClientRoute.objects.create(
            client=clients[name], siren=BUYER, found=found, offered=offered,
            asked_at="2026-11-24T03:00:00Z",
        )  # fmt: skip
    page = clerk_client.get("/invoices/platform/clients/")
    shown = {row["client"].name: row for row in page.context["rows"]}
    for name, (_fields, way, reason) in rows.items():
        assert shown[name]["route"].way == way, name
        assert reason in shown[name]["reason"], name
    assert [n for _key, _label, n in page.context["tabs"]] == [10, 4, 2, 1, 3, 5]
    mail = clerk_client.get("/invoices/platform/clients/", {"by": "mail"})
    assert {row["client"].name for row in mail.context["rows"]} == {"Hargreaves", "Croix"}
    # The new address is taken when somebody says so, and only one that the directory names.
    url = reverse("invoices:take-address", args=[clients["Moved"].pk])
    clerk_client.post(url, {"once": new_key(), "address": "999999999"})
    assert ClientRoute.objects.get(client=clients["Moved"]).address == ""
    clerk_client.post(url, {"once": new_key(), "address": f"{BUYER}_COMPTA"})
    assert ClientRoute.objects.get(client=clients["Moved"]).address == f"{BUYER}_COMPTA"
    # Forcing a way is an administrator's, and has its reason.
    url = reverse("invoices:force-way", args=[clients["Ghost"].pk])
    assert clerk_client.get(url).status_code == 403
    refused = admin_client.post(url, {"once": new_key(), "way": "mail", "reason": ""})
    assert refused.status_code == 422
    admin_client.post(url, {"once": new_key(), "way": "mail", "reason": "Asked for by letter"})
    page = clerk_client.get("/invoices/platform/clients/")
    (ghost,) = [row for row in page.context["rows"] if row["client"].name == "Ghost"]
    assert ghost["route"].way == "mail"
    assert "Asked for by letter" in ghost["reason"]


# ─ Through the real thing ───────────────────────────────────────────────────────────────────────
@pytest.fixture
def issued(clerk, connected):
    """Issued by us, with its real files, handed over by itself because the law asks for it."""
    from invoices.invoicing.issuing import issue

    draft = make_draft(
        client=make_client(siren=BUYER, name="Banque Saint-Aubin"),
        lines=((2, "1000.00"), (1, "500.00", "5.5")),
        on=clock.days_ago(0),
    )
    Company.objects.update(einvoicing_from=date(2026, 9, 1))
    return issue(invoice_id=draft.pk, by=clerk, on=clock.days_ago(0))


def test_an_obliged_seller_hands_over_at_issue_and_a_rejection_is_put_right_in_one_go(
    clerk_client, issued
):
    found = Transmission.objects.get(invoice=issued)
    pdf = issued.documents.get(kind="pdf")
    assert (found.address, found.flow.document_id) == (BUYER, pdf.pk)
    assert found.flow.sha256 == pdf.sha256
    assert found.flow.processing_rule == "B2B"
    # Mailing it is a copy.
    assert (
        "this is a copy by mail"
        in clerk_client.get(f"/invoices/{issued.pk}/send/").content.decode()
    )
    ClientRoute.objects.create(
        client=issued.client, siren=BUYER, found=True, offered=[f"{BUYER}_COMPTA"]
    )
    at_platform(found, codes=["200"])
    say(found, "213", reason_code="ADR_ERR", reason="Erreur d’adresse")
    url = reverse("invoices:put-right", args=[found.pk])
    page = clerk_client.get(url)
    assert page.context["plan"].addresses == (f"{BUYER}_COMPTA",)
    given = {
        "once": new_key(),
        "confirmed": page.context["confirmed"],
        "address": f"{BUYER}_COMPTA",
    }
    answer = clerk_client.post(url, given)
    assert answer.status_code == 303, answer.content.decode()
    found.refresh_from_db()
    new = found.replaced_by
    assert (found.group, new.total_minor, new.status) == ("closed", issued.total_minor, "issued")
    assert new.number != issued.number
    note = Invoice.objects.get(corrects=issued)
    assert not Transmission.objects.filter(invoice=note).exists()
    assert new.transmission.address == f"{BUYER}_COMPTA"
    assert f"{BUYER}_COMPTA".encode() in bytes(new.documents.get(kind="xml").content)
    issued.refresh_from_db()
    assert issued.outstanding_minor == 0
    assert [line.net_minor for line in new.lines.all()] == [
        line.net_minor for line in issued.lines.all()
    ]
    # The same click again leads there; another one hears that it is done.
    assert clerk_client.post(url, given).status_code == 303
    later = clerk_client.get(url, follow=True)
    assert "was put right already" in later.content.decode()
    assert Invoice.objects.filter(kind="invoice").count() == 2


def test_a_refused_one_sends_its_credit_note_and_may_wait_as_a_draft(clerk_client, issued):
    found = Transmission.objects.get(invoice=issued)
    at_platform(found, codes=["200", "202", "203"])
    say(found, "210", reason_code="TX_TVA_ERR", reason="Taux de TVA erroné")
    url = reverse("invoices:put-right", args=[found.pk])
    confirmed = clerk_client.get(url).context["confirmed"]
    answer = clerk_client.post(
        url, {"once": new_key(), "confirmed": confirmed, "address": BUYER, "draft": "1"}
    )
    found.refresh_from_db()
    assert answer["Location"] == reverse("invoices:edit", args=[found.replaced_by_id])
    note = Invoice.objects.get(corrects=issued)
    assert note.transmission.flow.state == "waiting"
    assert found.replaced_by.is_draft


def test_a_refused_handing_over_leaves_everything_as_it_was(clerk_client, issued, monkeypatch):
    from invoices.lifecycle import replacing

    found = Transmission.objects.get(invoice=issued)
    at_platform(found, codes=["200"])
    say(found, "213", reason_code="REJ_SEMAN")

    def refuse(**_given):
        raise replacing.TransmitRefused("Not today.")

    monkeypatch.setattr(replacing, "transmit", refuse)
    url = reverse("invoices:put-right", args=[found.pk])
    confirmed = clerk_client.get(url).context["confirmed"]
    answer = clerk_client.post(url, {"once": new_key(), "confirmed": confirmed, "address": BUYER})
    assert answer.status_code == 422
    assert "Not today." in answer.content.decode()
    assert Invoice.objects.count() == 1
    issued.refresh_from_db()
    assert issued.outstanding_minor == issued.total_minor


def test_without_a_platform_mailing_warns_and_the_platform_is_offered(clerk_client, clerk):
    from invoices.invoicing.issuing import issue

    draft = make_draft(client=make_client(siren=BUYER), on=clock.days_ago(0))
    Company.objects.update(einvoicing_from=date(2026, 9, 1))
    invoice = issue(invoice_id=draft.pk, by=clerk, on=clock.days_ago(0))
    assert not Transmission.objects.exists()
    text = clerk_client.get(f"/invoices/{invoice.pk}/send/").content.decode()
    assert "A mailed PDF is no invoice for this client." in text
    assert reverse("invoices:transmit", args=[invoice.pk]) in text
    assert "We are obliged to" in clerk_client.get(f"/invoices/{invoice.pk}/").content.decode()
    url = reverse("invoices:transmit", args=[invoice.pk])
    given = {"once": new_key(), "confirmed": clerk_client.get(url).context["confirmed"]}
    assert clerk_client.post(url, given).status_code == 303
    assert transmit(invoice_id=invoice.pk, by=clerk).flow.state == "waiting"
    assert Transmission.objects.count() == 1
