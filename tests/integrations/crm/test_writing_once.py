"""What an import writes, it writes once."""

from __future__ import annotations

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from integrations.models import ExternalLink
from tests.integrations.crm.doing import sync

pytestmark = pytest.mark.django_db


def test_a_first_import_writes_each_row_once(crm):
    """What was just put in is not brought up to date right after."""
    with CaptureQueriesContext(database) as heard:
        sync(crm, full=True)
    table = ExternalLink._meta.db_table
    again = [each["sql"][:200] for each in heard if each["sql"].startswith(f'UPDATE "{table}"')]
    assert again == []
