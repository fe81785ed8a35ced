"""What cannot be undone is done to what its person saw, or it is not done.

A page that asks "shall I?" carries a token of what it showed (`Shown.token`, a hidden field named
`confirmed`). The act reads the same facts again under its row's lock; when they say something else,
`ChangedMeanwhile` is raised, nothing has happened, and the page shows the new state with 422.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal import dates

FIELD = "confirmed"


@dataclass(frozen=True)
class Change:
    """Somebody's change, as far as it is known who made it."""

    who: str
    at: datetime


def _nobody(_since: datetime) -> Change | None:
    return None


@dataclass(frozen=True)
class Shown:
    """The facts a person decides on; `last_change` tells who changed them after a moment."""

    facts: Mapping[str, Any]
    last_change: Callable[[datetime], Change | None] = _nobody

    @property
    def token(self) -> str:
        """The moment in it only serves the sentence of a refusal; what counts is the digest."""
        return f"{int(timezone.now().timestamp())}.{_digest(self.facts)}"

    def require(self, token: str) -> None:
        """Raises ChangedMeanwhile unless `token` was made of these very facts."""
        moment, _dot, digest = token.partition(".")
        if digest and digest == _digest(self.facts):
            return
        raise ChangedMeanwhile(self.last_change(_moment(moment)) if digest else None)


class ChangedMeanwhile(Exception):
    """What was confirmed is no longer so; nothing was done. The message is written for staff."""

    def __init__(self, change: Change | None) -> None:
        if change is None:
            text = _("It was changed meanwhile: look again, then decide.")
        else:
            text = _("%(who)s changed it meanwhile (%(moment)s): look again, then decide.") % {
                "who": change.who,
                "moment": dates.moment(change.at),
            }
        super().__init__(text)


def facts_of(row: models.Model) -> dict[str, Any]:
    """What a person decides on: the columns in `decided_on` of its model, else all of them."""
    names: Collection[str] = getattr(row, "decided_on", ())
    return {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if (not names or field.name in names) and not isinstance(field, models.BinaryField)
    }


def locked(rows: models.QuerySet[Any], pk: int) -> Any:
    """The row under its lock, None when it is gone: what was shown is then certainly not so."""
    return rows.select_for_update(of=("self",)).filter(pk=pk).first()


def row_under_lock(rows: models.QuerySet[Any], pk: int) -> Callable[[], Shown]:
    """For small rows, whose every column was shown: `{% confirm row %}` in their form."""

    def read() -> Shown:
        row = locked(rows, pk)
        return Shown(facts_of(row)) if row is not None else Shown({})

    return read


def _digest(facts: Mapping[str, Any]) -> str:
    text = json.dumps(facts, cls=DjangoJSONEncoder, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def _moment(text: str) -> datetime:
    if text.isascii() and text.isdigit() and len(text) < 12:
        return datetime.fromtimestamp(int(text), UTC)
    return timezone.now()
