"""Files beside documents are archived and verified: as they left, so they stay."""

from __future__ import annotations

import hashlib
import json
import zipfile
from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction

from invoices.accounting import books
from invoices.accounting.archive import archive
from invoices.attachments.keeping import add, remove
from invoices.invoicing.sending import queue_invoice
from invoices.models import Attachment, InvoiceEvent, Message, StoredFile, database_rules
from invoices.outbox import delivering
from tests.factories import make_issued
from tests.invoices.accounting.test_archive import found

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)
TERMS, FORGED = b"%PDF-1.7\nterms", b"%PDF-1.7\nother"


@pytest.fixture
def sent(db, postbox):
    """An invoice that left with its terms of work."""
    invoice = make_issued()
    add(owner=invoice, name="Conditions générales.pdf", content=TERMS, by=None)
    message = queue_invoice(invoice_id=invoice.pk, recipients=["pay@client.example"], by=None)
    assert delivering.deliver(message.pk) == "sent"
    assert books.verify() == []
    return invoice


def without_rules(change):
    database_rules.remove(connection)
    change()
    database_rules.install(connection)
    return [str(each) for each in books.verify()]


def test_the_event_of_the_sending_says_which_files_left(sent):
    event = InvoiceEvent.objects.get(invoice=sent, kind="sent")
    digest = hashlib.sha256(TERMS).hexdigest()
    assert event.data["enclosed"] == [["Conditions générales.pdf", digest]]
    # Taken away since, it is kept, and nothing is broken.
    remove(attachment_id=Attachment.objects.get().pk, by=None)
    assert books.verify() == []


def test_the_database_changes_no_stored_file(sent):
    for change in ({"content": FORGED}, {"size": 1}, {"sha256": "0" * 64}):
        with pytest.raises(IntegrityError), transaction.atomic():
            StoredFile.objects.update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        Attachment.objects.update(filename="x.pdf")


def test_a_changed_file_is_named_with_its_invoice(sent):
    told = without_rules(lambda: StoredFile.objects.update(content=FORGED))
    assert any(sent.number in text and "Conditions générales.pdf" in text for text in told)


def test_one_that_was_changed_with_its_hash_is_not_the_one_that_left(sent):
    def forge():
        digest = hashlib.sha256(FORGED).hexdigest()
        StoredFile.objects.update(content=FORGED, size=len(FORGED), sha256=digest)

    told = without_rules(forge)
    assert any("no longer stored" in text and sent.number in text for text in told)


def test_one_that_is_gone_is_named(sent):
    def lose():
        Message.enclosures.through.objects.all().delete()
        Attachment.objects.all().delete()
        StoredFile.objects.all().delete()

    told = without_rules(lose)
    assert any("no longer stored" in text and sent.number in text for text in told)


def test_one_that_stands_beside_another_invoice_now_is_missed_here(sent):
    other = make_issued()
    told = without_rules(lambda: Attachment.objects.update(invoice=other))
    assert any("no longer stored" in text and sent.number in text for text in told)


# ─ The archive ──────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def file(sent, tmp_path):
    remove(attachment_id=Attachment.objects.get().pk, by=None)
    add(owner=sent, name="Plan.pdf", content=FORGED, by=None)
    archive(year=2026, path=tmp_path / "2026.zip", on=ON)
    return tmp_path / "2026.zip"


def test_the_archive_holds_what_left_and_what_stands_there(file, sent):
    assert found(file) == []
    with zipfile.ZipFile(file) as opened:
        kept = [
            opened.read(name)
            for name in opened.namelist()
            if name.startswith(f"attachments/{sent.number}/")
        ]
    assert sorted(kept) == sorted([TERMS, FORGED])


def _as_if(file, rows, change):
    """The archive with lines changed, and its manifest made anew: only the contents can tell."""
    other = file.with_name("forged.zip")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(other, "w") as new:
        manifest = old.read("manifest.csv").decode()
        for name in old.namelist():
            content = old.read(name)
            if name in ("manifest.csv", "manifest.sha256"):
                continue
            if name == rows or rows in name:
                was, content = content, change(content)
                manifest = manifest.replace(
                    f"{len(was)},{hashlib.sha256(was).hexdigest()}",
                    f"{len(content)},{hashlib.sha256(content).hexdigest()}",
                )
            new.writestr(name, content)
        new.writestr("manifest.csv", manifest)
        digest = hashlib.sha256(manifest.encode()).hexdigest()
        new.writestr("manifest.sha256", f"{digest}  manifest.csv\n")
    return other


def test_a_file_that_was_changed_with_the_manifest_is_named(file):
    other = _as_if(file, "Conditions", lambda content: content + b" ")
    assert any("is not the file that was beside" in text for text in found(other))


def test_a_file_that_left_and_was_taken_out_of_the_list_is_named(file):
    def forget(content):
        lines = [json.loads(line) for line in content.splitlines()]
        for line in lines:
            line["attachments"] = []
        return b"".join(json.dumps(line).encode() + b"\n" for line in lines)

    told = found(_as_if(file, "documents.jsonl", forget))
    assert any("left with an email" in text and "is missing" in text for text in told)


def test_an_archive_of_before_verifies_still(file):
    def older(content):
        lines = [json.loads(line) for line in content.splitlines()]
        return b"".join(
            json.dumps({k: v for k, v in line.items() if k != "attachments"}).encode() + b"\n"
            for line in lines
        )

    def silent(content):
        lines = [json.loads(line) for line in content.splitlines()]
        for line in lines:
            line["data"].pop("enclosed", None)
        return b"".join(json.dumps(line).encode() + b"\n" for line in lines)

    half = _as_if(file, "events.jsonl", silent).rename(file.with_name("half.zip"))
    older_file = _as_if(half, "documents.jsonl", older)
    assert found(older_file) == []
