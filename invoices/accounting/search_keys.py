"""Are the search keys those of their names? A stale one hides its row from whoever looks for it."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.utils.translation import gettext as _

from billing_portal.keys import Keyed, keys_of
from invoices.accounting.broken import Broken

BATCH = 2_000


def check() -> Iterator[Broken]:
    for model in apps.get_models():
        if issubclass(model, Keyed):
            yield from _of(model)


def _of(model: type[Keyed]) -> Iterator[Broken]:
    columns = keys_of(model)
    names = {column.source for column in columns} | {column.name for column in columns}
    rows = model._base_manager.order_by("pk").values("pk", *sorted(names))
    for row in rows.iterator(chunk_size=BATCH):
        for column in columns:
            if row[column.name] != column.of(str(row[column.source] or "")):
                yield Broken(
                    f"{model._meta.verbose_name} {row['pk']}",
                    _("the search key %(name)s is not that of “%(text)s”: save the row again.")
                    % {"name": column.name, "text": str(row[column.source])[:60]},
                )
