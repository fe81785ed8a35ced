"""Is every rule of the database where it should be? Whoever tampers takes them away first."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection
from django.utils.translation import gettext as _

from invoices.accounting.broken import Broken
from invoices.models import database_rules


def check() -> Iterator[Broken]:
    for name in sorted(database_rules.missing(connection)):
        yield Broken(name, _("this rule of the database is gone: run migrate."))
