"""The check of the night, and the head of the books that leaves the house each month."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.accounts.models import User
from invoices.accounting import books
from invoices.accounting.broken import Broken
from invoices.accounting.chain import anchors
from invoices.models import (
    Allocation,
    BooksCheck,
    BooksLink,
    Company,
    Document,
    Invoice,
    NumberSeries,
)
from invoices.outbox.queueing import MailRefused, queue

logger = logging.getLogger(__name__)
KIND = "books"
# How many are kept with the check, and written into the mail.
KEPT, MAILED = 200, 20


def looked_at() -> dict[str, int]:
    return {
        "invoices": Invoice.objects.issued().count(),
        "series": NumberSeries.objects.count(),
        "allocations": Allocation.objects.count(),
        "documents": Document.objects.count(),
        "links": BooksLink.objects.count(),
    }


def checked(*, deep: bool = False, kept: list[anchors.Anchor] | None = None) -> list[Broken]:
    """Verify, and remember what was found."""
    started = timezone.now()
    with _no_collector():
        broken = books.verify(deep=deep, kept=kept)
    BooksCheck.objects.create(
        started_at=started,
        ended_at=timezone.now(),
        looked_at=looked_at(),
        broken=len(broken),
        named=[[one.where, one.text] for one in broken[:KEPT]],
    )
    return broken


def checked_by_itself() -> list[Broken]:
    """In the language of the company: people read it on a page."""
    with translation.override(_language()):
        return checked()


def _language() -> str:
    company = Company.ours()
    return company.language if company else "fr"


@contextmanager
def _no_collector() -> Iterator[None]:
    """A million short-lived tuples without a circle among them: looking for one costs a sixth."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def every_night(on: date) -> int:
    """Verify; tell administrators what is broken, once a day; write the head into the log, and mail
    it once a month. Returns how much is broken."""
    broken = checked_by_itself()
    for one in broken[:KEPT]:
        logger.error("The books do not hold: %s", one)
    line = anchors.anchor_now()
    told = {_language(): broken}
    for person in _administrators():
        with translation.override(person.language):
            if broken:
                if person.language not in told:
                    # Looked at again, for what was found is words by now. It is a rare night.
                    told[person.language] = books.verify()
                _tell(person, on, told[person.language])
            elif line:
                # What is sent out of the house is a chain that holds; a missed month is caught up.
                _send_anchor(person, on, line)
    return len(broken)


def _administrators() -> list[User]:
    rows = User.objects.filter(role=User.Role.ADMINISTRATOR, is_active=True)
    return list(rows.order_by("pk"))


def _tell(person: User, on: date, broken: list[Broken]) -> None:
    count = len(broken)
    named = "\n".join(f"- {one}" for one in broken[:MAILED])
    text = "\n\n".join(
        [
            ngettext(
                "The check of this night found %(count)s thing in the books that does not hold.",
                "The check of this night found %(count)s things in the books that do not hold.",
                count,
            )
            % {"count": count},
            named,
            _(
                "Nothing was changed by the check. Keep a copy of the database as it is, and ask "
                "who had access to it before anything is repaired."
            ),
            f"{settings.BASE_URL}{reverse('invoices:integrity')}",
        ]
    )
    _queued(person, f"books-broken:{on}:{person.pk}", _("The books do not hold"), text)


def _send_anchor(person: User, on: date, line: str) -> None:
    company = Company.ours()
    text = "\n\n".join(
        [
            _("This is the head of the books of %(company)s, as it stood on %(day)s.")
            % {"company": company.name if company else "–", "day": on.isoformat()},
            line,
            _(
                "Keep this email where nobody who runs the portal can change it. Should anybody "
                "rewrite or cut off the books, verify_books --anchor FILE shows it: FILE is this "
                "email, saved."
            ),
        ]
    )
    subject = _("Head of the books, %(month)s") % {"month": f"{on:%Y-%m}"}
    _queued(person, f"books-anchor:{on:%Y-%m}:{person.pk}", subject, text)


def _queued(person: User, reason: str, subject: str, text: str) -> None:
    mail: dict[str, Any] = {"subject": subject, "body_text": text + "\n"}
    try:
        queue(reason_key=reason, kind=KIND, to=[person.email], language=person.language, **mail)
    except MailRefused:
        logger.warning("Person %s has no address that mail could go to", person.pk)
