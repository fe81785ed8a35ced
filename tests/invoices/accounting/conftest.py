"""What several modules of this folder ask for."""

from __future__ import annotations

import pytest
from django.db import connection

from invoices.accounting import books
from invoices.accounting.chain import linking
from invoices.models import database_rules
from tests.invoices.accounting.sealed_books import make_books, rolled_back


@pytest.fixture(scope="module")
def ledger(django_db_setup, django_db_blocker):
    """Made once, and never there after this module."""
    with django_db_blocker.unblock(), rolled_back():
        made = make_books()
        linking.link_new()
        assert books.verify(deep=True) == []
        database_rules.remove(connection)
        yield made
        connection.needs_rollback = False
