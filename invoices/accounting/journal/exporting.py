"""A journal that leaves: written whole before anybody gets it, and remembered by its digest.

What was left out is said first: a file that silently lacks an invoice would be booked as if it were
all there is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import BinaryIO

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.accounts.models import User
from billing_portal.figures import grouped
from invoices.accounting.journal.formats import FORMATS, Format
from invoices.accounting.journal.journal import entries
from invoices.accounting.journal.making import Making, Problems, Span
from invoices.accounting.journal.summary import Summary, counted
from invoices.models import Company, JournalExport, JournalSetup, LedgerAccount


class ExportRefused(Exception):
    """Nothing was exported; the message is written for staff."""


@dataclass(frozen=True)
class Written:
    """A journal in a file."""

    making: Making
    format: Format
    filename: str
    sha256: str
    summary: Summary
    read_at: datetime

    @property
    def problems(self) -> Problems:
        return self.making.problems


def making_of(span: Span) -> Making:
    """Raises ExportRefused where there is no company, or the days are the wrong way round."""
    company = Company.ours()
    if company is None:
        raise ExportRefused(_("First say who the company is."))
    if span.ends_on < span.starts_on:
        raise ExportRefused(_("The last day is before the first one."))
    return Making(span, company)


def write(making: Making, key: str, out: BinaryIO, *, leave_out: bool = False) -> Written:
    """Write the journal into `out`, row by row. Raises ExportRefused where something cannot be
    written, unless `leave_out` says that its person knows."""
    format_ = FORMATS[key]
    if key == "fec" and not making.company.siren:
        raise ExportRefused(_("The FEC is named by the company’s SIREN: give it first."))
    # Before the first row: what comes while it is written may be in it and is said to be new.
    read_at = timezone.now()
    digest, summary = hashlib.sha256(), Summary()

    def put(line: bytes) -> None:
        digest.update(line)
        out.write(line)

    put(format_.line(format_.head))
    for entry in counted(entries(making), summary):
        for posting in entry.postings:
            put(format_.line(format_.row(making, entry, posting)))
    if making.problems.left_out and not leave_out:
        raise ExportRefused(left_out_in_words(making.problems))
    return Written(making, format_, format_.filename(making), digest.hexdigest(), summary, read_at)


def left_out_in_words(problems: Problems) -> str:
    n = problems.left_out
    named = [*problems.without_rate.named, *problems.without_account.named]
    words = ngettext(
        "%(n)s fact cannot be written, for want of an exchange rate or an account: %(names)s.",
        "%(n)s facts cannot be written, for want of an exchange rate or an account: %(names)s.",
        n,
    )
    more = " …" if n > 5 else ""
    return words % {"n": grouped(n), "names": ", ".join(f.name for f in named[:5]) + more}


def remember(written: Written, by: User | None) -> JournalExport:
    """`by` is None for the shell."""
    span = written.making.span
    return JournalExport.objects.create(
        starts_on=span.starts_on,
        ends_on=span.ends_on,
        format=written.format.key,
        with_history=span.with_history,
        filename=written.filename,
        sha256=written.sha256,
        entries=written.summary.entries,
        lines=written.summary.lines,
        total_minor=written.summary.debit,
        left_out=written.problems.left_out,
        read_at=written.read_at,
        by=by,
    )


# ─ What came since ──────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Since:
    """What is no longer as it was exported."""

    export: JournalExport
    # Entries of its period that were recorded since, with their number and page.
    entries: int
    named: list[tuple[str, tuple[str, int]]]
    # Accounts, journals or codes of clients were changed since: what was exported bears the others.
    accounts_changed: bool

    def __bool__(self) -> bool:
        return bool(self.entries or self.accounts_changed)


MOST_NAMED = 10


def come_since(export: JournalExport, company: Company) -> Since:
    span = Span(export.starts_on, export.ends_on, export.with_history, since=export.read_at)
    n, named = 0, list[tuple[str, tuple[str, int]]]()
    for entry in entries(Making(span, company)):
        n += 1
        if len(named) < MOST_NAMED:
            named.append((entry.piece, entry.shown_at))
    changed = (
        LedgerAccount.objects.filter(updated_at__gt=export.read_at).exists()
        or JournalSetup.objects.filter(updated_at__gt=export.read_at).exists()
    )
    return Since(export, n, named, changed)


def month_before(on: date) -> tuple[date, date]:
    """What is mostly exported: the last whole month."""
    last = on.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last
