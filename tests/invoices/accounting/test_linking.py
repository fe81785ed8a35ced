"""Keys that retire, facts that are linked, books from before the seals."""

from __future__ import annotations

import datetime

import pytest
from django.db import connection

from billing_portal import seals
from invoices.accounting.chain import linking
from invoices.models import BooksChain, BooksHead, BooksLink, Invoice, database_rules
from invoices.models.facts import MODELS, model_of
from tests.invoices.accounting.sealed_books import found, rolled_back, without_rules

pytestmark = pytest.mark.django_db


# ─ Keys ─────────────────────────────────────────────────────────────────────────────────────────
def test_a_new_key_seals_and_the_old_ones_verify(settings):
    old = seals.sealed("payment", "1", [1, "a"])
    settings.BOOKS_KEYS = ["a new key, long enough to be one"]
    new = seals.sealed("payment", "1", [1, "a"])
    assert seals.parts_of(old).key != seals.parts_of(new).key
    for seal in (old, new):
        assert seals.holds("payment", [1, "a"], seals.parts_of(seal))
        assert not seals.holds("payment", [1, "b"], seals.parts_of(seal))
        assert not seals.holds("refund", [1, "a"], seals.parts_of(seal))
    settings.BOOKS_KEYS = ["another one", *settings.BOOKS_KEYS]
    assert seals.holds("payment", [1, "a"], seals.parts_of(new))


def test_the_books_hold_through_a_rotation(ledger, settings):
    with rolled_back():
        settings.BOOKS_KEYS = ["a new key, long enough to be one"]
        from tests.factories import make_payment_of

        make_payment_of(ledger["old"])
        linking.link_new()
        assert found() == []
        names = list(BooksHead.objects.order_by("position").values_list("key", flat=True))
        assert names[-1] == seals.keys()[0].name != names[0]
        # Signed once more with the retired key, by somebody who got hold of it.
        BooksHead.objects.order_by("-position").first()
        settings.BOOKS_KEYS = []
        assert any("is not known here" in text for text in found())


def test_a_fact_sealed_with_a_key_long_retired_is_named(ledger, settings):
    from tests.factories import make_payment_of

    with rolled_back():
        settings.BOOKS_KEYS = ["a new key, long enough to be one"]
        make_payment_of(ledger["old"])
        linking.link_new()
        first = BooksHead.objects.order_by("position").last()
        settings.BOOKS_KEYS = []
        make_payment_of(ledger["old"])
        settings.BOOKS_KEYS = ["a new key, long enough to be one"]
        linking.link_new()
        assert found() == []
        last = BooksHead.objects.order_by("position").last()
        said = linking.statement_of(last)._replace(at=first.at + datetime.timedelta(days=3))
        key, mac = seals.signed(said.text())
        BooksHead.objects.filter(pk=last.pk).update(at=said.at, key=key, mac=mac)
        assert any("retired by then" in text for text in found())


# ─ Linking ──────────────────────────────────────────────────────────────────────────────────────
def test_linking_again_makes_nothing(ledger):
    with rolled_back():
        before = BooksLink.objects.count()
        assert linking.link_new() == linking.link_new(thoroughly=True) == 0
        assert BooksLink.objects.count() == before


def test_what_was_changed_before_it_was_linked_stays_out(ledger):
    from tests.factories import make_payment_of

    with rolled_back():
        payment = make_payment_of(ledger["old"])
        type(payment).objects.filter(pk=payment.pk).update(note="Other")
        linking.link_new()
        assert not BooksLink.objects.filter(kind="payment", object_id=payment.pk).exists()
        assert found() == [f"payment {payment.pk}: was changed after it was recorded: note."]


def test_an_old_draft_that_is_issued_today_is_linked(ledger):
    from invoices.invoicing import issuing
    from tests.factories import make_draft, make_invoice

    with rolled_back():
        database_rules.install(connection)
        draft, _later = make_draft(), make_invoice()
        linking.link_new()
        issuing.issue(invoice_id=draft.pk, by=None, on=datetime.date(2026, 11, 24))
        linking.link_new()
        assert BooksLink.objects.filter(kind="document", object_id=draft.pk).exists()


def test_rows_from_before_the_chain_are_sealed_once(ledger):
    with rolled_back():
        BooksLink.objects.all()._raw_delete("default")
        BooksHead.objects.all()._raw_delete("default")
        BooksChain.objects.all().delete()
        for kind in MODELS:
            model_of(kind)._base_manager.update(seal=None)
        database_rules.install(connection)
        told = []
        assert linking.link_new(progress=lambda *each: told.append(each)) > 10
        assert told and BooksChain.objects.get().sealed_at is not None
        assert found() == []
        # From now on nothing is given a seal that it lacks.
        with without_rules():
            Invoice.objects.filter(pk=ledger["last"].pk).update(seal=None, title="Other")
        linking.link_new()
        assert any("F-2026-0004: is not sealed" in text for text in found())
