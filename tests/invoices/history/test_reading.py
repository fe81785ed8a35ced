"""Large files are read by the worker: shown, gone on with after a kill, and one import each."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from billing_portal.spreadsheets import ZIP_START
from invoices.history import imports
from invoices.models import Client, HistoryImport
from invoices.tasks import bring_in_history, sweep_history_imports
from tests.confirm import confirm
from tests.invoices.history.files import CLIENT, as_csv, changed
from tests.invoices.history.test_pages import all_files, bring_in, upload
from tests.race import at_once

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch):
    monkeypatch.setattr(imports, "AT_ONCE_BYTES", 0)


def sources(*names):
    rows = [changed(CLIENT, name=name) for name in names or ("Atelier Brume",)]
    return {"clients": ("clients.csv", as_csv("clients", rows))}


def test_files_are_read_by_the_worker_and_then_shown(clerk_client):
    url = upload(clerk_client, **all_files())["Location"]
    kept = HistoryImport.objects.get()
    assert kept.state == "reading" and OrmQ.objects.count() == 1
    page = clerk_client.get(url).text
    assert "The files are read" in page and "Waiting for the worker" in page
    assert f'hx-get="{url}progress/"' in page and "bring-in/" not in page
    imports._said_to_board(kept.pk)(2_000, 90_000)
    answer = clerk_client.get(f"{url}progress/", headers={"HX-Request": "true"})
    assert "2,000 of 90,000 rows read" in answer.text and "<html" not in answer.text
    # Twice, as a queue may deliver it.
    for _ in range(2):
        bring_in_history(kept.pk)
    answer = clerk_client.get(f"{url}progress/", headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == url
    assert "Bring 3 rows in" in clerk_client.get(url).text
    bring_in(clerk_client, url)
    assert "The history is in" in clerk_client.get(url).text


def test_the_same_files_sent_twice_are_one_import(clerk, clerk_client, admin_client):
    first = upload(clerk_client, **all_files())["Location"]
    assert upload(clerk_client, **all_files())["Location"] == first
    bring_in_history(HistoryImport.objects.get().pk)
    # Looked at anew, with the same answer: the books may have moved.
    assert upload(clerk_client, **all_files())["Location"] == first
    assert HistoryImport.objects.get().state == "reading"
    # Other files, and other people, have their own.
    assert upload(clerk_client, clients=[CLIENT])["Location"] != first
    assert upload(admin_client, **all_files())["Location"] != first
    assert HistoryImport.objects.count() == 3


def test_files_that_were_refused_are_looked_at_again_when_they_come_again(clerk, monkeypatch):
    monkeypatch.setattr(imports, "AT_ONCE_BYTES", 10_000)
    bad = {"invoices": all_files()["invoices"]}
    given = {kind: (f"{kind}.csv", as_csv(kind, rows)) for kind, rows in bad.items()}
    kept = imports.keep(sources=given, by=clerk, on=ON)
    assert kept.report["refused"] == 1
    imports.keep(sources=sources(), by=clerk, on=ON)
    imports.start(import_id=HistoryImport.objects.get(clients_name__gt="").pk, by=clerk, on=ON)
    again = imports.keep(sources=given, by=clerk, on=ON)
    assert again.pk == kept.pk and again.report["refused"] == 0


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_are_one_import(clerk):
    found = at_once(*[lambda: imports.keep(sources=sources(), by=clerk, on=ON).pk] * 2)
    assert len(set(found)) == 1 and HistoryImport.objects.count() == 1


def test_a_worker_that_dies_while_it_reads_is_told_and_another_one_goes_on(
    clerk_client, monkeypatch
):
    url = upload(clerk_client, **all_files())["Location"]
    kept = HistoryImport.objects.get()

    class Killed(BaseException):
        pass

    def killed(*_args, **_options):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(imports, "read", killed)
        # kill -9 leaves what was said on the board.
        patch.setattr(imports, "_key", lambda pk: f"other-{pk}")
        with pytest.raises(Killed):
            bring_in_history(kept.pk)
    imports._said_to_board(kept.pk)(2_000, 90_000)
    assert sweep_history_imports() == 0
    HistoryImport.objects.update(asked_at=timezone.now() - timedelta(minutes=4))
    # It may only be slow: it spoke a moment ago.
    assert sweep_history_imports() == 0
    imports._board().set(imports._key(kept.pk), (2_000, 90_000, "reading", 0.0), 60)
    assert "The worker was cut short" in clerk_client.get(url).text
    assert sweep_history_imports() == 1
    kept.refresh_from_db()
    assert kept.state == "previewed" and kept.report["writes"] == 3


def test_what_kills_each_worker_is_given_up_and_said(clerk_client, monkeypatch):
    url = upload(clerk_client, **all_files())["Location"]
    kept = HistoryImport.objects.get()

    def killed(**_options):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(imports, "look", killed)
        for _ in range(imports.MOST_ATTEMPTS):
            with pytest.raises(MemoryError):
                bring_in_history(kept.pk)
        bring_in_history(kept.pk)
    page = clerk_client.get(url).text
    assert "cut short three times" in page and "Choose other files" in page
    assert HistoryImport.objects.get().state == "refused"


def test_files_that_are_being_read_can_be_thrown_away(clerk_client):
    url = upload(clerk_client, **all_files())["Location"]
    pk = HistoryImport.objects.get().pk
    answer = confirm(clerk_client, f"{url}discard/", at=url)
    assert answer["Location"] == reverse("invoices:import_history")
    bring_in_history(pk)
    assert not HistoryImport.objects.exists() and not Client.objects.exists()


def test_an_import_that_is_open_is_found_again_by_its_person_only(clerk_client, admin_client):
    url = upload(clerk_client, **all_files())["Location"]
    page = reverse("invoices:import_history")
    assert url in clerk_client.get(page).text
    assert "Earlier imports" not in admin_client.get(page).text


def test_answers_are_read_by_the_worker_too(clerk):
    row = changed(CLIENT, name="A")
    days = {"issued_on": "03/04/2026", "due_on": "2026-06-01"}
    invoice = {**all_files()["invoices"][0], "client": "A", **days}
    given = {"clients": ("c.csv", as_csv("clients", [row])),
             "invoices": ("i.csv", as_csv("invoices", [invoice]))}  # fmt: skip
    kept = imports.keep(sources=given, by=clerk, on=ON)
    bring_in_history(kept.pk)
    kept = imports.answer(import_id=kept.pk, by=clerk, on=ON, answers={"invoices.issued_on": "day"})
    assert kept.state == "reading"
    bring_in_history(kept.pk)
    kept.refresh_from_db()
    assert kept.state == "previewed" and imports.is_ready(kept)


def test_a_small_workbook_weighs_what_it_holds(monkeypatch):
    assert imports._weight({"clients": ("c.xlsx", ZIP_START + b"x" * 96)}) == 800
    assert imports._weight({"clients": ("c.csv", b"x" * 100)}) == 100
