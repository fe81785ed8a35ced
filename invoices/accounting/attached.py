"""The files that were put beside documents: is each what it was, and is each that left still here?

What left with an email is said by the event of its sending, which bears a seal: name and SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from django.db.models.fields.json import KeyTransform
from django.utils.translation import gettext as _

from invoices.accounting.broken import Broken
from invoices.models import Attachment, InvoiceEvent, StoredFile

CHUNK = 1_000
# A file has some megabytes.
FEW = 4


def check() -> Iterator[Broken]:
    changed = set(_changed())
    for each in _beside(changed):
        yield Broken(
            str(each.invoice or each.quote),
            _("the file “%(name)s” beside it is not what it was.") % {"name": each.filename},
        )
    yield from _missing(changed)


def _changed() -> Iterator[int]:
    rows = StoredFile.objects.order_by("pk").values_list("pk", "sha256", "size", "content")
    for pk, sha256, size, content in rows.iterator(chunk_size=FEW):
        held = bytes(content)
        if len(held) != size or hashlib.sha256(held).hexdigest() != sha256:
            yield pk


def _beside(files: set[int]) -> Iterator[Attachment]:
    rows = Attachment.objects.filter(file__in=files).select_related("invoice", "quote")
    yield from rows.order_by("pk")


def _missing(changed: set[int]) -> Iterator[Broken]:
    """What the events of sending name, and no unchanged file beside the invoice has."""
    events = (
        InvoiceEvent.objects.filter(kind=InvoiceEvent.Kind.SENT)
        .annotate(enclosed=KeyTransform("enclosed", "data"))
        .filter(enclosed__isnull=False)
        .select_related("invoice")
    )
    held: dict[int, set[str]] = {}
    for event in events.order_by("invoice", "pk").iterator(chunk_size=CHUNK):
        if event.invoice_id not in held:
            rows = Attachment.objects.filter(invoice=event.invoice_id).exclude(file__in=changed)
            # One invoice at a time: they come in its order.
            held = {event.invoice_id: set(rows.values_list("file__sha256", flat=True))}
        for name, sha256 in _said(event.data["enclosed"]):
            if sha256 not in held[event.invoice_id]:
                yield Broken(
                    str(event.invoice),
                    _("the file “%(name)s” that left with its email is no longer stored.")
                    % {"name": name},
                )


def _said(enclosed: Any) -> Iterator[tuple[str, str]]:
    """Of an event that somebody changed, which its seal says, what can be read."""
    for each in enclosed if isinstance(enclosed, list) else []:
        if isinstance(each, list) and len(each) == 2:
            yield str(each[0]), str(each[1])
