"""A head of the books that was kept elsewhere finds what the database alone cannot tell."""

from __future__ import annotations

import logging
from datetime import date
from email.message import EmailMessage

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse

from invoices import tasks
from invoices.accounting import nightly
from invoices.accounting.chain import anchors, linking
from invoices.models import (
    BooksChain,
    BooksCheck,
    BooksHead,
    BooksLink,
    Invoice,
    Message,
    Payment,
    database_rules,
)
from tests.factories import make_company, make_invoice, make_payment_of, make_user

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


@pytest.fixture
def books(db):
    make_company()
    invoice = make_invoice()
    make_payment_of(invoice)
    return invoice


def cut_off(after):
    """The end of the chain with what it held, as if it had never been."""
    database_rules.remove(connection)
    for link in BooksLink.objects.filter(position__gt=after):
        model = {"payment": Payment, "document": Invoice}[link.kind]
        model.objects.filter(pk=link.object_id)._raw_delete("default")
    BooksLink.objects.filter(position__gt=after)._raw_delete("default")
    BooksHead.objects.filter(position__gt=after)._raw_delete("default")
    BooksChain.objects.update(complete={}, seen={})
    database_rules.install(connection)


def test_a_chain_that_was_cut_off_is_found_by_its_anchor_only(books, tmp_path):
    linking.link_new()
    make_payment_of(books)
    file = tmp_path / "head.json"
    file.write_text(anchors.anchor_now())
    call_command("verify_books", anchor=[str(file)])
    cut_off(2)
    call_command("verify_books")
    with pytest.raises(CommandError) as end:
        call_command("verify_books", anchor=[str(file)])
    assert end.value.returncode == 1


def test_an_anchor_is_read_out_of_a_saved_mail_and_of_broken_lines(books, tmp_path):
    line = anchors.anchor_now()
    mail = EmailMessage()
    mail["Subject"], mail["From"] = "Head", "portal@kerlann.example"
    mail.set_content(f"Keep this.\n\n{line}\n\nBye\n", cte="quoted-printable")
    found = [anchors.read(bytes(mail)), anchors.read(f"> {line[:90]}\r\n{line[90:]}".encode())]
    assert [one[0].said.position for one in found] == [2, 2]
    assert all(list(anchors.check(one)) == [] for one in found)
    with pytest.raises(anchors.AnchorRefused, match="no anchor in this file"):
        anchors.read(b"hello")
    (tmp_path / "none").write_text("hello")
    with pytest.raises(CommandError, match="no anchor"):
        call_command("verify_books", anchor=[str(tmp_path / "none")])
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("verify_books", anchor=[str(tmp_path / "absent")])


def test_a_forged_anchor_and_another_chain_are_named(books):
    true = anchors.read(anchors.anchor_now().encode())[0]
    forged = true._replace(said=true.said._replace(hash="0" * 64))
    texts = [one.text for one in anchors.check([forged])]
    assert texts == [
        "is not signed by a key of this portal.",
        "the chain does not pass through it: what came before was changed.",
    ]


def test_the_portals_own_log_of_heads_is_always_asked(books, settings, tmp_path):
    settings.BOOKS_ANCHORS = str(tmp_path / "heads" / "books.log")
    make_payment_of(books)
    first = anchors.anchor_now()
    assert anchors.anchor_now() == first
    assert anchors.log_file().read_text() == first + "\n"
    cut_off(2)
    assert any("its end was cut off" in one.text for one in nightly.checked())


def test_the_night_checks_and_sends_the_head_once_a_month(books, caplog):
    boss = make_user(role="administrator", language="en-gb")
    make_user(role="administrator", is_active=False)
    with caplog.at_level(logging.INFO):
        assert nightly.every_night(ON) == nightly.every_night(date(2026, 11, 25)) == 0
    assert any("Head of the books" in record.message for record in caplog.records)
    mail = Message.objects.get()
    assert (mail.to, mail.subject) == ([boss.email], "Head of the books, 2026-11")
    assert list(anchors.check(anchors.read(mail.body_text.encode()))) == []
    assert BooksCheck.objects.count() == 2
    nightly.every_night(date(2026, 12, 1))
    assert Message.objects.count() == 2


def test_what_the_night_finds_reaches_administrators_once_a_day(books, caplog):
    make_user(role="administrator", language="en-gb")
    database_rules.remove(connection)
    Invoice.objects.filter(pk=books.pk).update(title="Other")
    database_rules.install(connection)
    assert tasks.check_books() == 1
    assert tasks.check_books() == 1
    mail = Message.objects.get()
    assert mail.subject == "The books do not hold"
    assert books.number in mail.body_text and "title" in mail.body_text
    assert any("The books do not hold" in record.message for record in caplog.records)
    check = BooksCheck.objects.first()
    assert (check.broken, check.named[0][0]) == (1, books.number)


def test_the_worker_links_and_checks(books):
    assert tasks.link_books() == 2
    assert tasks.link_books() == 0
    assert tasks.check_books_now() == 0


def test_the_page_says_what_was_found_and_gives_the_head(books, admin_client):
    url = reverse("invoices:integrity")
    assert "They were not checked yet" in admin_client.get(url).text
    nightly.checked()
    assert "Everything holds" in admin_client.get(url).text
    BooksCheck.objects.create(
        started_at=BooksCheck.objects.first().started_at,
        ended_at=BooksCheck.objects.first().ended_at,
        broken=51,
        named=[["F-1", f"thing {n}"] for n in range(51)],
    )
    page = admin_client.get(url).text
    assert "51 things do not hold" in page and "And 1 more." in page and "thing 49" in page
    answer = admin_client.post(reverse("invoices:integrity-anchor"))
    assert answer["Content-Disposition"].startswith("attachment")
    assert list(anchors.check(anchors.read(answer.content))) == []


def test_empty_books_have_no_head(admin_client):
    assert anchors.anchor_now() == ""
    assert admin_client.post(reverse("invoices:integrity-anchor")).status_code == 303
    with pytest.raises(CommandError, match="empty"):
        call_command("books_anchor")


# ─ Commands ─────────────────────────────────────────────────────────────────────────────────────
def test_books_are_sealed_from_the_shell(books, capsys):
    call_command("seal_books")
    assert "0 rows were sealed, 2 linked, sealed on" in capsys.readouterr().out
    call_command("books_anchor")
    assert '"anchor":1' in capsys.readouterr().out


def test_a_new_key_is_put_in_front(books, settings, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("BOOKS_KEYS", raising=False)
    settings.BOOKS_KEYS = ["old " * 10]
    file = tmp_path / ".env"
    file.write_text(f"SECRET_KEY=x\nBOOKS_KEYS={settings.BOOKS_KEYS[0]}\nDEMO=true\n")
    call_command("rotate_books_key", env=str(file))
    lines = file.read_text().splitlines()
    keys = lines[1].removeprefix("BOOKS_KEYS=").split(",")
    assert (lines[0], lines[2], keys[1]) == ("SECRET_KEY=x", "DEMO=true", settings.BOOKS_KEYS[0])
    assert len(keys) == 2 and len(keys[0]) >= 32
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_text()
    call_command("rotate_books_key", env=str(file), dry_run=True)
    assert file.read_text() == before and "Nothing was written" in capsys.readouterr().out
