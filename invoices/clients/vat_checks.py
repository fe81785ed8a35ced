"""Asking the register about a client's VAT id, and what is known of one by now.

The question is kept first and the register is asked outside any transaction: its answer takes
seconds, for which a lock would stop the desk (and on SQLite everybody who writes). An answer counts
for the very id that was asked about, so with another id the client begins again without one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing_portal.accounts.models import User
from billing_portal.dates import day, exact_moment
from billing_portal.figures import grouped
from invoices.clients import vat_register
from invoices.clients.vat_register import Answer
from invoices.models import Client, Company, VatCheck
from invoices.tax.vat_ids import compact, state_of

# A second click within it asks nothing: the register counts questions and blocks who asks often.
PAUSE: Final = timedelta(minutes=1)
# How long an answer is fresh enough for a document without VAT. Each is listed under the client's
# id in the recapitulative statement of its month (CGI 289 B), so nobody lists one unasked.
FRESH_DAYS: Final = 31
SHOWN: Final = 20


class NotAsked(Exception):
    """The register was not asked; the message is written for staff."""


class JustAsked(NotAsked):
    """Somebody asked a moment ago: what that brought is shown."""


_WITHOUT: Final = {
    "waits": gettext_lazy("VIES is being asked"),
    "failed": gettext_lazy("VIES could not be asked"),
    "never": gettext_lazy("VIES was never asked"),
}
_SAID: Final = {
    VatCheck.Answer.VALID: (
        gettext_lazy("Valid in VIES on %(day)s"),
        gettext_lazy("Valid in VIES on %(day)s · consultation %(number)s"),
    ),
    VatCheck.Answer.INVALID: (
        gettext_lazy("Not valid in VIES on %(day)s"),
        gettext_lazy("Not valid in VIES on %(day)s · consultation %(number)s"),
    ),
}


@dataclass(frozen=True)
class Known:
    """What is known of a client's id as it is today; `why_not` says why it cannot be asked about.

    `answer` is the last that says valid or not valid; `since` a question after it that brought no
    answer or waits for it.
    """

    why_not: str
    answer: VatCheck | None = None
    since: VatCheck | None = None
    # Whether the answer to it may still come.
    waits: bool = False
    history: tuple[VatCheck, ...] = ()
    earlier: int = 0
    age_days: int = 0

    @property
    def is_old(self) -> bool:
        return self.age_days > FRESH_DAYS

    @property
    def state(self) -> str:
        """valid, invalid, waits (for an answer), failed or never."""
        if self.answer is not None:
            return self.answer.answer
        if self.since is None:
            return "never"
        return "waits" if self.waits else "failed"

    @property
    def headline(self) -> str:
        """What counts, with its day and the number by which VIES knows the question again."""
        if self.answer is None:
            return str(_WITHOUT[self.state])
        said = _SAID[VatCheck.Answer(self.answer.answer)]
        text = said[1] if self.answer.consultation else said[0]
        return str(text) % {"day": day(self.answer.on), "number": self.answer.consultation}

    @property
    def old_words(self) -> str:
        return ngettext(
            "That was %(n)s day ago: ask again before the next document without VAT.",
            "That was %(n)s days ago: ask again before the next document without VAT.",
            self.age_days,
        ) % {"n": grouped(self.age_days)}

    @property
    def since_words(self) -> str:
        """Of the last question, when it brought no answer."""
        if self.since is None:
            return ""
        if self.since.answer == VatCheck.Answer.NONE:
            return _("Asked on %(moment)s: %(why)s") % {
                "moment": exact_moment(self.since.asked_at),
                "why": self.since.trouble_text,
            }
        if self.waits:
            return _("The answer may take some seconds.")
        return _("Asked on %(moment)s, and no answer was kept.") % {
            "moment": exact_moment(self.since.asked_at)
        }


def _waits(check: VatCheck, now: datetime) -> bool:
    """Whether the answer may still come. After a minute whoever asked was ended meanwhile."""
    return check.answer == VatCheck.Answer.ASKED and check.asked_at > now - PAUSE


def why_not_asked(vat_id: str) -> str:
    """Why the register cannot be asked about this id; "" when it can."""
    if not compact(vat_id):
        return _("The client has no VAT id to ask about.")
    if state_of(vat_id):
        return ""
    return _(
        "VIES knows the VAT ids of the states of the Union and of Northern Ireland; “%(text)s” is "
        "not written as one of them."
    ) % {"text": vat_id}


def last_answer(vat_id: str) -> VatCheck | None:
    """The last that says valid or not valid of this very id, whichever client has it."""
    said = (VatCheck.Answer.VALID, VatCheck.Answer.INVALID)
    return VatCheck.objects.filter(vat_id=compact(vat_id), answer__in=said).first()


def known_of(client: Client, on: date) -> Known:
    """For the client's page: in three queries at most, however much was asked."""
    why_not, vat_id = why_not_asked(client.vat_id), compact(client.vat_id)
    rows = VatCheck.objects.filter(Q(client=client) | Q(vat_id=vat_id)).select_related("asked_by")
    history = list(rows[: SHOWN + 1])
    answer = last_answer(vat_id) if not why_not else None
    newest = next((row for row in history if row.vat_id == vat_id), None)
    since = newest if newest and not newest.is_answered and not why_not else None
    return Known(
        why_not,
        answer=answer,
        since=since,
        waits=since is not None and _waits(since, timezone.now()),
        history=tuple(history[:SHOWN]),
        earlier=rows.count() - SHOWN if len(history) > SHOWN else 0,
        age_days=(on - answer.on).days if answer else 0,
    )


def begin(*, client_id: int, by: User | None, on: date) -> VatCheck:
    """Keep the question, to be asked by `finish` after the commit. Raises NotAsked.

    Two clicks queue at the client's row, and the second finds the question of the first.
    """
    with transaction.atomic():
        client = Client.objects.select_for_update(of=("self",)).get(pk=client_id)
        if why_not := why_not_asked(client.vat_id):
            raise NotAsked(why_not)
        vat_id, now = compact(client.vat_id), timezone.now()
        if VatCheck.objects.filter(vat_id=vat_id, asked_at__gt=now - PAUSE).exists():
            raise JustAsked(
                _("VIES was asked about this id within the last minute: it is not asked twice.")
            )
        return VatCheck.objects.create(
            client=client,
            vat_id=vat_id,
            requester=_requester(),
            asked_at=now,
            on=on,
            asked_by=by,
        )


def finish(check: VatCheck) -> VatCheck:
    """Ask the register and keep what it says; never inside a transaction."""
    answer = vat_register.ask(check.vat_id, requester=check.requester)
    check.answer = _said(answer)
    check.answered_at = timezone.now()
    check.trouble = answer.trouble.kept() if answer.trouble else None
    check.name, check.address = answer.name, answer.address
    check.consultation, check.raw = answer.consultation, answer.raw
    check.save(update_fields=[
        "answer", "answered_at", "trouble", "name", "address", "consultation", "raw",
    ])  # fmt: skip
    return check


def _said(answer: Answer) -> str:
    if answer.valid is None:
        return VatCheck.Answer.NONE
    return VatCheck.Answer.VALID if answer.valid else VatCheck.Answer.INVALID


def _requester() -> str:
    """Our own id, when it is one that the register takes."""
    company = Company.ours()
    vat_id = compact(company.vat_id) if company else ""
    return vat_id if state_of(vat_id) else ""
