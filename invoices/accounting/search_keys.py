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
    names = sorted({name for column in columns for name in (column.source, column.name)})
    # Tuples, and where in them each key and its source are: of all rows of the books.
    places = [(column, names.index(column.name), names.index(column.source)) for column in columns]
    rows = model._base_manager.order_by("pk").values_list(*names, "pk")
    for row in rows.iterator(chunk_size=BATCH):
        for column, key, source in places:
            if row[key] != column.of(str(row[source] or "")):
                yield Broken(
                    f"{model._meta.verbose_name} {row[-1]}",
                    _("the search key %(name)s is not that of “%(text)s”: save the row again.")
                    % {"name": column.name, "text": str(row[source])[:60]},
                )
