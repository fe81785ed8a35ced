"""The books leave as a file, and an empty portal becomes the same from it, or stays empty."""

from __future__ import annotations

import hashlib
import json
import zipfile

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection

from billing_portal import seals
from billing_portal.accounts.models import User
from invoices.accounting import books
from invoices.models import BooksLink, Client, Invoice, database_rules
from invoices.moving import leaving, tables
from invoices.moving.arriving import NotWhole, bring_in
from invoices.moving.file import BooksRefused
from tests.factories import make_user
from tests.invoices.accounting.sealed_books import make_books, rolled_back

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def moved(django_db_setup, django_db_blocker, tmp_path_factory):
    """A file of books with one of everything; the portal is empty again afterwards."""
    path = tmp_path_factory.mktemp("books") / "books.zip"
    with django_db_blocker.unblock(), rolled_back():
        make_books()
        make_user(email="nobody@kerlann.example", password="a-secret-word")
        written = leaving.export(path)
    return path, written


def changed(path, changes, *, proven=True):
    """The file with members changed: by name a function of its bytes, None to leave it out. With
    `proven` the manifest is made right again, as somebody would who knows how."""
    other = path.with_name("changed.zip")
    with zipfile.ZipFile(path) as old:
        content = {name: old.read(name) for name in old.namelist()}
    for name, change in changes.items():
        content[name] = change(content.get(name, b""))
    content = {name: each for name, each in content.items() if each is not None}
    if proven:
        said = json.loads(content["manifest.json"])
        for label, each in said["tables"].items():
            lines = content.get(f"tables/{label}.jsonl", b"")
            each |= {
                "rows": lines.count(b"\n") - 1,
                "bytes": len(lines),
                "sha256": hashlib.sha256(lines).hexdigest(),
            }
        content["manifest.json"] = leaving.line_of(said)
        proof = hashlib.sha256(content["manifest.json"]).hexdigest()
        content["manifest.sha256"] = f"{proof}\n".encode()
    with zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as new:
        for name, each in content.items():
            new.writestr(name, each)
    return other


def is_empty():
    return not Invoice.objects.exists() and not Client.objects.exists()


def test_the_same_books_come_back_to_the_byte(moved, tmp_path, capsys):
    path, written = moved
    assert is_empty()
    call_command("import_books", str(path))
    assert f"SHA-256 of the books {written.sha256}: the books hold" in capsys.readouterr().out
    assert books.verify(deep=True) == []
    assert not database_rules.missing(connection)
    call_command("export_books", "--out", str(tmp_path / "again.zip"))
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "again.zip") as new:
        assert old.namelist() == new.namelist()
        for name in old.namelist():
            assert name == leaving.HEADER or old.read(name) == new.read(name), name
        assert b"a-secret-word" not in b"".join(map(old.read, old.namelist()))
    person = User.objects.get(email="nobody@kerlann.example")
    assert not person.has_usable_password()
    # The next row gets an id of its own, and the chain goes on.
    make_user(email="next@kerlann.example")
    with pytest.raises(CommandError, match="not empty"):
        call_command("import_books", str(path))


def test_every_table_is_in_the_file_or_is_said_to_stay_behind():
    inside = set(tables.tables())
    known = {model._meta.label for model in apps.get_models(include_auto_created=True)}
    left_out = {*tables.LEFT_OUT}
    assert left_out <= known, "a table that is left out is gone"
    assert inside >= tables.THERE_FROM_THE_START
    for table in tables.tables().values():
        for field in tables.columns(table):
            if field.is_relation:
                label = field.related_model._meta.label
                assert label in inside, f"{field} refers to a row that stays behind"
            assert field.get_internal_type() not in ("PickledObjectField", "EncryptedTextField")
            assert "token" not in field.name and "secret" not in field.name, field
    columns = {
        f"{model._meta.label}.{field.attname}"
        for model in tables.tables().values()
        for field in model._meta.concrete_fields
    }
    assert set(tables.LEFT_OUT_COLUMNS) <= columns
    # A rule that looks at other rows when one is inserted is met by the order of writing.
    place = {label: at for at, (label, part) in enumerate(tables.way_back()) if part != "deposits"}
    assert set(place) == inside
    assert place["invoices.InvoiceLine"] < place["invoices.Invoice"]
    assert place["invoices.QuoteLine"] < place["invoices.QuoteVersion"]
    assert place["invoices.Instalment"] < place["invoices.Allocation"]


def _first_row(change):
    def of(content):
        head, first, rest = content.split(b"\n", 2)
        row = json.loads(first)
        change(dict(enumerate(json.loads(head))), row)
        return b"\n".join([head, leaving.line_of(row).rstrip(b"\n"), rest])

    return of


def _set(column, value):
    def change(names, row):
        row[next(at for at, name in names.items() if name == column)] = value

    return _first_row(change)


INVOICE, LINE = "tables/invoices.Invoice.jsonl", "tables/invoices.InvoiceLine.jsonl"
PAYMENT, DOCUMENT = "tables/invoices.Payment.jsonl", "tables/invoices.Document.jsonl"
LINK, USER = "tables/invoices.BooksLink.jsonl", "tables/accounts.User.jsonl"
HOSTILE = {
    "a changed byte": ({INVOICE: lambda c: c.replace(b"EUR", b"USD", 1)}, False, "not as it was"),
    "a changed manifest": ({"manifest.json": lambda c: c + b" "}, False, "manifest.json was"),
    "a lost table": ({LINE: lambda _c: None}, False, "is missing"),
    "a lost row": ({LINE: lambda c: c[: c.rindex(b"\n", 0, -1) + 1]}, False, "not as it was"),
    "half a row": ({LINE: lambda c: c[:-9]}, True, "not as it was"),
    "another version": (
        {"header.json": lambda c: c.replace(b'"version":1', b'"version":2')},
        True,
        "version 2",
    ),
    "another release": (
        {"header.json": lambda c: c.replace(b'"invoices":"', b'"invoices":"9')},
        True,
        "another release",
    ),
    "no header": ({"header.json": lambda _c: b"[]"}, True, "header.json cannot be read"),
    "an unknown table": (
        {"manifest.json": lambda c: c.replace(b'"invoices.Invoice":', b'"invoices.Invoce":')},
        True,
        "other tables",
    ),
    "an unknown column": ({LINE: lambda c: c.replace(b'"unit"', b'"unut"', 1)}, True, "unut"),
    "a way out": ({"../../etc/cron.d/x": lambda _c: b"x"}, True, "what no export writes"),
    "a bomb": ({LINE: lambda c: c + b" " * (20 << 20)}, True, "no export shrinks"),
    "text for a number": ({PAYMENT: _set("amount_minor", "1")}, True, "amount_minor"),
    "a number too large": ({PAYMENT: _set("amount_minor", 2**70)}, True, "refuses|too large"),
    "a text too long": ({PAYMENT: _set("currency", "EUROS" * 9)}, True, "too long"),
    "a text with a zero": ({PAYMENT: _set("reference", "a\0b")}, True, "too long"),
    "nothing where something must be": ({PAYMENT: _set("currency", None)}, True, "is empty"),
    "a file that is another": (
        {DOCUMENT: _set("content", {"sha256": "0" * 64, "base64": "AAAA"})},
        True,
        "SHA-256",
    ),
    "a client that is not there": ({PAYMENT: _set("client_id", 10**9)}, True, "refuses a row"),
    "the same row twice": (
        {USER: lambda c: c + c.rstrip(b"\n").rsplit(b"\n", 1)[1] + b"\n"},
        True,
        "refuses a row",
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_no_export_wrote_is_refused_in_words_and_leaves_nothing(moved, what):
    changes, proven, words = HOSTILE[what]
    with pytest.raises(BooksRefused, match=words):
        bring_in(changed(moved[0], changes, proven=proven))
    assert is_empty()
    assert not database_rules.missing(connection)


def test_truncated_anywhere_it_is_refused(moved, tmp_path):
    content = moved[0].read_bytes()
    for part in range(0, 100, 12):
        (tmp_path / "half.zip").write_bytes(content[: len(content) * part // 100])
        with pytest.raises(BooksRefused, match="not whole"):
            bring_in(tmp_path / "half.zip")
    assert is_empty()


@pytest.mark.parametrize(
    "changes",
    [
        {INVOICE: lambda c: c.replace(b'"title":', b'"titel":', 1)},
        {PAYMENT: _set("reference", "R-other")},
        {LINK: _set("seal", "x")},
        {LINE: lambda c: c[: c.rindex(b"\n", 0, -1) + 1]},
    ],
    ids=["page", "payment", "link", "line"],
)
def test_books_that_somebody_made_right_again_do_not_hold(moved, changes):
    with pytest.raises(BooksRefused) as refused:
        bring_in(changed(moved[0], changes))
    assert isinstance(refused.value, NotWhole) and refused.value.broken
    assert is_empty()


def test_without_the_key_it_is_asked_for_and_the_hashes_still_prove(moved, settings):
    settings.BOOKS_KEYS, settings.SECRET_KEY = ["another"], "another " * 8
    with pytest.raises(BooksRefused, match="BOOKS_KEYS"):
        bring_in(moved[0])
    assert is_empty()
    with rolled_back():
        arrived = bring_in(moved[0], without_keys=True)
        assert len(arrived.unknown_keys) == 1 and arrived.unknown_keys[0] != seals.keys()[0].name
        assert BooksLink.objects.exists()
    with pytest.raises(BooksRefused, match="do not hold"):
        bring_in(changed(moved[0], {LINK: _set("seal", "x")}), without_keys=True)
    assert is_empty()
