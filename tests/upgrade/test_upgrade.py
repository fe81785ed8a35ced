"""A house that lived with the former version wakes up in this one: nothing is lost, doubled or
reckoned otherwise. README.md beside this file says where it comes from.

It holds for every later change too: whoever adds a migration finds rows here, not an empty table.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client as Browser
from django.urls import reverse
from django.utils.module_loading import import_string

from billing_portal.accounts.models import User
from integrations.core.runs import claim, start_sync
from integrations.crm.importing import carry_out
from integrations.models import Connection, ExternalLink, SyncRun
from integrations.registry import open_crm
from integrations.sandbox import Sandbox, build_world
from invoices.invoicing import drafting, issuing
from invoices.models import Client, Deal, Document, Invoice, Message, NumberSeries
from reports.alerts import running
from reports.models import Alert
from reports.receivables import cash
from tests.accounts.test_roles import PAGES
from tests.integrations.crm.doing import picture
from tests.upgrade import house

SAID = json.loads((house.HERE / "former.json").read_text())
ON = date.fromisoformat(SAID["on"])


@pytest.fixture(scope="module")
def upgraded(django_db_setup, django_db_blocker, tmp_path_factory):
    with django_db_blocker.unblock(), house.former_house(tmp_path_factory.mktemp("former")) as rows:
        house.migrate()
        yield rows


@pytest.fixture(autouse=True)
def _each_on_its_own(upgraded):
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def asked(*command):
    out = StringIO()
    call_command(*command, "--as-of", ON.isoformat(), "--format", "json", stdout=out)
    return json.loads(out.getvalue())


def test_every_row_is_still_there():
    from django.apps import apps

    counts = {name: apps.get_model(name).objects.count() for name in SAID["counts"]}
    assert counts == SAID["counts"]


def test_what_is_owed_is_what_the_former_version_said():
    assert figures(asked("receivables"), SAID["receivables"]) == SAID["receivables"]


def figures(told, former):
    """Of what is told today, what the former version told as well: new figures may join.

    The former version drew percentiles from a payment or two; today there is a reason instead.
    """
    if isinstance(former, dict):
        withheld = [p for p in ("p50", "p75", "p90") if told.get(f"{p}_state") == "too_few"]
        return {n: former[n] if n in withheld else figures(told[n], former[n]) for n in former}
    if isinstance(former, list):
        today = {group["group"]: group for group in told}
        assert len(told) == len(former)
        return [figures(today[group["group"]], group) for group in former]
    return told


def test_the_delays_by_type_are_what_the_former_version_said():
    assert figures(asked("payment_delays", "--by", "client_type"), SAID["delays"]) == SAID["delays"]


def test_the_delays_by_client_are_what_the_former_version_said_but_for_the_merged_one():
    loser = Client.objects.exclude(merged_into=None).get()
    one_account = [loser.name, loser.merged_into.name]
    told, former = asked("payment_delays", "--by", "client"), dict(SAID["delays_by_client"])

    def apart(groups):
        merged = [g for g in groups if g["group"] in one_account]
        return sum(g["n"] for g in merged), [g for g in groups if g not in merged]

    (n, told["groups"]), (former_n, former["groups"]) = (
        apart(told["groups"]),
        apart(former["groups"]),
    )
    assert n == former_n > 1
    assert figures(told, former) == former


def test_credit_and_unapplied_cash_are_what_the_former_version_said():
    assert cash.credit_balances(ON) == SAID["credit_balances"]
    assert cash.unapplied_cash(ON) == SAID["unapplied_cash"]


def test_every_document_has_its_balance_and_its_state():
    rows = Invoice.objects.exclude(number="").values(
        "number", "status", "total_minor", "outstanding_minor"
    )
    assert {
        row["number"]: [row["status"], row["total_minor"], row["outstanding_minor"]] for row in rows
    } == SAID["balances"]


def test_every_pdf_is_the_same_byte_for_byte():
    found = {
        f"{d.invoice.number} {d.kind}": hashlib.sha256(bytes(d.content)).hexdigest()
        for d in Document.objects.select_related("invoice")
    }
    assert found == SAID["documents"]


def test_the_books_hold_under_the_old_seals():
    out = StringIO()
    call_command("verify_books", stdout=out)
    assert "The books hold" in out.getvalue()


def test_the_next_invoice_gets_the_next_number():
    series = NumberSeries.objects.all()
    assert sorted(s.number(s.next_value) for s in series) == SAID["next_numbers"]
    client = Invoice.objects.get(number="F-2026-0001").client
    draft = drafting.new_draft(client_id=client.pk, by=None, on=ON)
    assert draft.pk > max(Invoice.objects.exclude(pk=draft.pk).values_list("pk", flat=True))


def test_a_draft_of_the_former_version_can_be_issued():
    by = User.objects.get(role=User.Role.FINANCE)
    draft = Invoice.objects.filter(status="draft", deal__isnull=False).earliest("pk")
    issued = issuing.issue(invoice_id=draft.pk, by=by, on=ON)
    assert issued.number in SAID["next_numbers"]
    call_command("verify_books", stdout=StringIO())


def test_the_mails_are_in_their_states_and_what_the_queue_holds_can_be_run():
    mails = [[m.reason_key.split(":")[0], m.state, m.attempts] for m in Message.objects.all()]
    assert sorted(mails) == SAID["mails"]
    from django_q.models import OrmQ

    assert OrmQ.objects.count() > 10
    for row in OrmQ.objects.all():
        assert callable(import_string(row.task["func"]))


def test_the_merged_client_is_one_account_with_the_one_that_stayed():
    loser = Client.objects.exclude(merged_into=None).get()
    browser = signed_in()
    page = browser.get(reverse("invoices:client", args=[loser.merged_into_id]))
    assert Invoice.objects.outstanding().get(client=loser).number in page.text


def test_alerts_that_were_told_are_not_told_again():
    before = Alert.objects.count()
    running.run(on=ON)
    assert Alert.objects.count() == before


def signed_in():
    browser = Browser()
    browser.force_login(
        User.objects.get(role=User.Role.ADMINISTRATOR),
        backend="allauth.account.auth_backends.AuthenticationBackend",
    )
    return browser


def test_every_page_opens():
    browser = signed_in()
    # There is no logo, and nothing to try without a rule's fields.
    without = {"company:logo", "reports:rule-try", "invoices:account"}
    wrong = {}
    for name, page in PAGES.items():
        if page.args or page.post or name in without:
            continue
        answer = browser.get(reverse(name))
        if answer.streaming:
            list(answer.streaming_content)
        if answer.status_code not in (200, 302, 303):
            wrong[name] = answer.status_code
    assert wrong == {}


def test_invoices_drafts_clients_and_deals_have_their_pages():
    browser = signed_in()
    for name, rows in (
        ("invoices:detail", Invoice.objects.exclude(status="draft").order_by("-pk")[:30]),
        ("invoices:edit", Invoice.objects.filter(status="draft")),
        ("invoices:client", Client.objects.filter(invoices__isnull=False).distinct()[:20]),
        ("invoices:deal", Deal.objects.order_by("-pk")[:20]),
    ):
        for row in rows:
            assert browser.get(reverse(name, args=[row.pk])).status_code == 200, row


def test_the_next_import_doubles_nothing(upgraded, settings):
    settings.DEMO = True
    with Sandbox(build_world(today=ON, deals=150)) as sandbox:
        pipedrive = Connection.objects.get()
        pipedrive.base_url = sandbox.base_url
        pipedrive.save()
        for _time in range(2):
            before = picture()
            run = start_sync(connection_id=pipedrive.pk, full=True, by=None, enqueue=False)
            assert carry_out(claim(run.pk), open_crm=open_crm).state == SyncRun.State.DONE
    links = set(ExternalLink.objects.values_list("kind", "external_id", "local_id"))
    assert links >= set(upgraded["integrations_externallink"])
    assert len(links) == len({(kind, local) for kind, _external, local in links})
    assert picture() == before
