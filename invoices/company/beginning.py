"""What a company begins with."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from invoices.models import ClientType


def begin_client_types() -> None:
    """The usual six where there is none yet: a client cannot be without a type."""
    with transaction.atomic():
        if ClientType.objects.exists():
            return
        mark = ClientType.Mark
        usual = (
            (mark.LARGE, _("Large account")),
            (mark.SME, _("SME")),
            (mark.STARTUP, _("Start-up")),
            (mark.PUBLIC, _("Public sector")),
            (mark.NONPROFIT, _("Non-profit")),
            (mark.INTERNATIONAL, _("International")),
        )
        ClientType.objects.bulk_create(
            ClientType(name=name, mark=mark, position=place * 10)
            for place, (mark, name) in enumerate(usual, 1)
        )
