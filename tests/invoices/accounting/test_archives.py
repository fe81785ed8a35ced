"""The page of yearly archives: asked for, made by the worker, downloaded, one at a time."""

from __future__ import annotations

import hashlib
import io
import zipfile
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from billing_portal.idempotency import new_key
from invoices.accounting import archive_reader, archives
from invoices.accounting.archive import ArchiveRefused
from invoices.models import BooksArchive
from invoices.tasks import make_archive, sweep_archives
from tests.factories import make_company, make_invoice
from tests.race import at_once

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.ARCHIVES_DIR = str(tmp_path / "archives")
    return tmp_path / "archives"


@pytest.fixture
def books_of_2025():
    make_company()
    return make_invoice(issue_date=date(2025, 3, 3))


def ask(browser, year=2025, **more):
    given = {"year": year, "once": new_key(), **more}
    return browser.post(reverse("invoices:archive-make"), given)


def test_an_archive_is_asked_for_made_and_downloaded(books_of_2025, clerk_client, clerk):
    page = reverse("invoices:archives")
    assert "2026 is not over" in clerk_client.get(page).text
    assert ask(clerk_client).status_code == 303
    row = BooksArchive.objects.get()
    assert row.state == "making" and OrmQ.objects.count() == 1
    shown = clerk_client.get(page).text
    assert "2025: waiting for the worker" in shown and "archive-make" not in shown
    # Twice, as a queue may deliver it.
    assert make_archive(row.pk) == "done" and make_archive(row.pk) == "untouched"
    answer = clerk_client.get(reverse("invoices:archive-progress"), headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == page
    row.refresh_from_db()
    shown = clerk_client.get(page).text
    assert row.sha256 in shown and clerk.name in shown and "before the year was over" not in shown
    answer = clerk_client.get(reverse("invoices:archive-file", args=[row.pk]))
    content = b"".join(answer.streaming_content)
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (row.sha256, row.size)
    assert "books-2025.zip" in answer["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert list(archive_reader.problems(file)) == []
        assert books_of_2025.number in file.read("index.csv").decode()


def test_of_each_year_the_youngest_file_is_kept_and_the_others_are_named(
    books_of_2025, clerk, clerk_client, folder
):
    for _ in range(3):
        make_archive(archives.ask(year=2025, by=clerk, on=ON).pk)
    make_archive(archives.ask(year=2026, by=clerk, on=ON).pk)
    kept = [row.file_name for row in BooksArchive.objects.order_by("pk")]
    assert [bool(name) for name in kept] == [False, False, True, True]
    assert sorted(path.name for path in folder.iterdir()) == sorted(filter(None, kept))
    page = clerk_client.get(reverse("invoices:archives")).text
    assert page.count("a younger one is kept") == 2 and "before the year was over" in page
    gone = BooksArchive.objects.order_by("pk").first()
    assert clerk_client.get(reverse("invoices:archive-file", args=[gone.pk])).status_code == 404


def test_a_second_one_is_refused_while_one_is_made(books_of_2025, clerk, clerk_client):
    archives.ask(year=2025, by=clerk, on=ON)
    answer = ask(clerk_client, 2026)
    assert answer.status_code == 422 and "Another archive is being made" in answer.text
    assert BooksArchive.objects.count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        BooksArchive.objects.create(year=2024, asked_by=clerk)


def test_a_double_click_makes_one(books_of_2025, clerk_client):
    once = new_key()
    for _ in range(2):
        assert ask(clerk_client, once=once).status_code == 303
    assert BooksArchive.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_make_one(clerk):
    make_company()
    make_invoice(issue_date=date(2025, 3, 3))
    found = at_once(*[lambda: archives.ask(year=2025, by=clerk, on=ON).pk] * 2)
    assert BooksArchive.objects.count() == 1
    assert sum(isinstance(each, int) for each in found) == 1


@pytest.mark.parametrize("year", ["1999", "2024", "2027", "soon", "", "-1", "20250000000000"])
def test_a_year_without_books_is_refused_in_the_form(books_of_2025, clerk_client, clerk, year):
    answer = ask(clerk_client, year)
    assert answer.status_code == 422 and "is-invalid" in answer.text
    assert not BooksArchive.objects.exists()
    with pytest.raises(ArchiveRefused):
        archives.ask(year=2024, by=clerk, on=ON)


def test_a_worker_that_was_killed_is_replaced_and_one_that_always_dies_is_told(
    books_of_2025, clerk, clerk_client, monkeypatch, folder
):
    class Killed(BaseException):
        pass

    def killed(**_options):
        raise Killed

    row = archives.ask(year=2025, by=clerk, on=ON)
    with monkeypatch.context() as patch:
        patch.setattr(archives, "archive", killed)
        with pytest.raises(Killed):
            make_archive(row.pk)
        # It may only be slow.
        assert make_archive(row.pk) == "untouched"
        _a_while_passes()
        with pytest.raises(Killed):
            sweep_archives()
    _a_while_passes()
    assert sweep_archives() == 1
    row.refresh_from_db()
    assert row.state == "done" and len(list(folder.iterdir())) == 1
    row = archives.ask(year=2025, by=clerk, on=ON)
    BooksArchive.objects.filter(pk=row.pk).update(attempts=archives.MOST_ATTEMPTS)
    assert make_archive(row.pk) == "failed"
    assert "cut short three times" in clerk_client.get(reverse("invoices:archives")).text


def _a_while_passes():
    ago = timezone.now() - timedelta(minutes=6)
    BooksArchive.objects.update(said_at=ago, asked_at=ago)


def test_a_full_disk_is_a_sentence(books_of_2025, clerk, clerk_client, settings, tmp_path):
    file = tmp_path / "no-folder"
    file.write_text("")
    settings.ARCHIVES_DIR = str(file)
    row = archives.ask(year=2025, by=clerk, on=ON)
    assert make_archive(row.pk) == "failed"
    page = clerk_client.get(reverse("invoices:archives")).text
    assert "could not be written" in page and "Archive a year" in page


def test_a_worker_that_comes_late_leaves_no_second_file(books_of_2025, clerk, monkeypatch, folder):
    row = archives.ask(year=2025, by=clerk, on=ON)
    real = archives.archive

    def overtaken(**options):
        made = real(**options)
        with monkeypatch.context() as patch:
            patch.setattr(archives, "archive", real)
            BooksArchive.objects.update(said_at=None)
            assert make_archive(row.pk) == "done"
        return made

    with monkeypatch.context() as patch:
        patch.setattr(archives, "archive", overtaken)
        assert archives.make(row.pk, on=ON) == "done"
    row.refresh_from_db()
    assert [path.name for path in folder.iterdir()] == [row.file_name]


def test_an_empty_portal_says_what_comes_first(clerk_client):
    page = clerk_client.get(reverse("invoices:archives")).text
    assert "There are no books yet" in page and "Archives made" not in page
