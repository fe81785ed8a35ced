"""The choices of a column that says whether goods or services are supplied."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

from invoices.documents.nature import Nature

NATURES = [
    (Nature.SERVICES.value, pgettext_lazy("nature", "Services")),
    (Nature.GOODS.value, pgettext_lazy("nature", "Goods")),
]
USUAL_NATURE = Nature.SERVICES.value
