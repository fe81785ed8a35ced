"""Who changed a row last, as forms write it down."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import models
from django.utils import timezone

from billing_portal.accounts.models import RowChange, User
from billing_portal.confirming import Change


def row_name(row: models.Model) -> str:
    return f"{row._meta.label_lower}:{row.pk}"


def write_down(row: models.Model, fields: Collection[str], by: User | None) -> None:
    """Again the same by the same person is the same entry, later: a draft saves itself often."""
    name, changed = row_name(row), sorted(fields)
    last = RowChange.objects.filter(row=name).first()
    if last is not None and last.fields == changed and last.by_id == (by.pk if by else None):
        RowChange.objects.filter(pk=last.pk).update(at=timezone.now())
    else:
        RowChange.objects.create(row=name, fields=changed, by=by)


def last_change(
    *rows: models.Model, since: datetime, fields: Collection[str] = ()
) -> Change | None:
    """The latest known change of these rows after a moment, of one of these fields if any given.

    None when nobody wrote it down: an import changed the row, or nothing did.
    """
    found = RowChange.objects.filter(row__in=map(row_name, rows), at__gte=since, by__isnull=False)
    for each in found.select_related("by")[:50]:
        if each.by is not None and (not fields or set(fields) & set(each.fields)):
            return Change(str(each.by), each.at)
    return None
