"""An archive of a year verifies itself: by the command, and by the file that lies in it."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from datetime import date

import pytest
from django.core.management import CommandError, call_command

from invoices.accounting import archive_reader
from invoices.accounting.archive import ArchiveRefused, archive
from invoices.models import Document
from tests.invoices.accounting.sealed_books import make_books

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


@pytest.fixture
def file(db, tmp_path):
    make_books()
    archive(year=2026, path=tmp_path / "2026.zip", on=ON)
    return tmp_path / "2026.zip"


def found(path):
    with zipfile.ZipFile(path) as opened:
        return list(archive_reader.problems(opened))


def changed(path, name, change):
    """The archive with one file changed, and its manifest left as it is."""
    other = path.with_name("changed.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
        for each in old.namelist():
            content = old.read(each)
            if each == name:
                content = change(content)
            if content is not None:
                new.writestr(each, content)
    return other


def test_it_holds_the_originals_and_verifies_without_the_portal(file, tmp_path, capsys):
    with zipfile.ZipFile(file) as opened:
        names = opened.namelist()
        kept = {
            name.rpartition("/")[2]: opened.read(name)
            for name in names
            if name.startswith("originals/")
        }
        (tmp_path / "verify.py").write_bytes(opened.read("verify.py"))
        assert len(opened.read("index.csv").decode("utf-8-sig").splitlines()) == 7
        assert b"dix ans" in opened.read("LISEZ-MOI.txt")
        assert len(opened.read("documents.jsonl").splitlines()) == 6
        assert json.loads(opened.read("head.json"))["position"] > 10
    documents = Document.objects.all()
    assert kept == {document.filename: bytes(document.content) for document in documents}
    # No site packages: Python's own library is enough.
    command = [sys.executable, "-I", "-S", str(tmp_path / "verify.py")]
    done = subprocess.run([*command, str(file)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    call_command("verify_archive", str(file))
    assert "The archive is whole" in capsys.readouterr().out
    pdf = next(name for name in names if name.endswith(".pdf"))
    other = changed(file, pdf, lambda content: content + b" ")
    done = subprocess.run([*command, str(other)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, f"{pdf}: was changed.\n")


def test_any_change_is_named(file):
    with zipfile.ZipFile(file) as opened:
        names = opened.namelist()
    for name in names:
        assert found(changed(file, name, lambda content: content + b" ")) != [], name
        assert found(changed(file, name, lambda _content: None)) != [], name
    other = changed(file, "", lambda content: content)
    with zipfile.ZipFile(other, "a") as opened:
        opened.writestr("added.txt", "x")
    assert found(other) == ["added.txt: was added."]


def test_a_document_that_was_forged_with_its_manifest_is_named(file):
    def forge(content):
        lines = [json.loads(line) for line in content.splitlines()]
        for line in lines:
            if line["number"] == "F-2026-0002":
                line["paper"]["title"] = "Forged"
        return b"".join(json.dumps(line).encode() + b"\n" for line in lines)

    told = found(changed(file, "documents.jsonl", forge))
    assert "F-2026-0002: does not say what its hash says." in told


def test_what_is_no_archive_or_no_year_is_refused_in_words(file, tmp_path):
    (tmp_path / "x.zip").write_bytes(b"hello")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("verify_archive", str(tmp_path / "x.zip"))
    for year in (1999, 2027):
        with pytest.raises(ArchiveRefused, match="no books"):
            archive(year=year, path=tmp_path / "y.zip", on=ON)
    assert [each.name for each in tmp_path.glob("*.part")] == []
    archive(year=2020, path=tmp_path / "empty.zip", on=ON)
    assert found(tmp_path / "empty.zip") == []
