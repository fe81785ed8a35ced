"""What late invoices may be charged is asked for: a letter with a number of its own.

Late interest and the indemnity are damages, the price of no supply: outside the scope of VAT, so
that no invoice documents them (an invoice of category O would name no VAT id and stand among the
sales of every report). The letter is kept, and changes no invoice and no balance.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.confirming import Shown
from invoices.company.numbering import take
from invoices.documents.letters import Column, Letter, Table
from invoices.documents.mentions import long_date, money
from invoices.documents.numbers import YEAR, Pattern
from invoices.models import (
    AccountLetter,
    Client,
    Company,
    Invoice,
    LateClaim,
    LateClaimRow,
    NumberPattern,
    NumberSeries,
)
from invoices.selections.as_of import issued_by
from invoices.statements.keeping import LetterRefused, company_that_writes, keep, printed
from invoices.statements.letters import late_sums, letter_of, pay_rows
from invoices.statements.mails import queue_letter
from invoices.statements.movements import account
from invoices.statements.statement import LateRow, late_of
from invoices.statements.words import WORDS, figure, language_of, percent, short_day

KIND: Final = "late_claim"
WIDTH: Final = 4
MOST_ROWS: Final = 300
# The second where the first is that of another series: prefixes differ.
_PREFIXES: Final = {"FR": ("P-{year}-", "PEN-{year}-"), "": ("L-{year}-", "LPC-{year}-")}


@dataclass(frozen=True)
class Claimable:
    """A late invoice, and what of its claim nobody asked for yet."""

    row: LateRow
    interest_minor: int
    indemnity_minor: int
    is_open: bool
    # Numbers of the claims that asked for the rest.
    asked_by: tuple[str, ...]

    @property
    def is_asked(self) -> bool:
        return self.interest_minor == 0 and self.indemnity_minor == 0


@dataclass(frozen=True)
class ClaimList:
    client: Client
    on: date
    rows: tuple[Claimable, ...]
    indemnity_currency: str

    def totals(self, invoices: Collection[int]) -> dict[str, int]:
        """Currency → what a claim of these invoices would ask for."""
        found: dict[str, int] = {}
        for each in self.rows:
            if each.row.invoice_id in invoices:
                code, ours = each.row.currency, self.indemnity_currency
                found[code] = found.get(code, 0) + each.interest_minor
                found[ours] = found.get(ours, 0) + each.indemnity_minor
        return {code: minor for code, minor in sorted(found.items()) if minor}

    @property
    def shown(self) -> Shown:
        """What a person decides on: what is left to ask of each invoice."""
        return Shown(
            {
                str(each.row.invoice_id): [each.interest_minor, each.indemnity_minor]
                for each in self.rows
            }
        )


def claimable(client: Client, on: date) -> ClaimList:
    """Of all the client's invoices that were ever late, what was not asked for by the end of
    `on`."""
    mine = Invoice.objects.invoices().filter(issued_by(on), client__in=account(client.pk))
    late = late_of(mine, on)
    standing = LateClaimRow.objects.filter(
        claim__withdrawn_at__isnull=True, invoice__client__in=account(client.pk)
    )
    sums: Any = standing.order_by().values("invoice")
    asked = {
        pk: (interest, indemnity)
        for pk, interest, indemnity in sums.annotate(
            interest=Sum("interest_minor"), indemnity=Sum("indemnity_minor")
        ).values_list("invoice", "interest", "indemnity")
    }
    numbers: dict[int, list[str]] = {}
    for pk, number in standing.order_by("pk").values_list("invoice", "claim__number"):
        numbers.setdefault(pk, []).append(number)
    still_open = set(mine.outstanding().values_list("pk", flat=True))
    rows = []
    for row in late.rows:
        interest, indemnity = asked.get(row.invoice_id, (0, 0))
        rows.append(
            Claimable(
                row,
                max(0, (row.claim.interest_minor or 0) - interest),
                max(0, row.claim.indemnity_minor - indemnity),
                row.invoice_id in still_open,
                tuple(numbers.get(row.invoice_id, ())),
            )
        )
    # What is still open first, each part from its oldest due.
    rows.sort(key=lambda each: not each.is_open)
    return ClaimList(client, on, tuple(rows), late.indemnity_currency)


def make_claim(
    *,
    client_id: int,
    invoices: Collection[int],
    recipients: Sequence[str],
    by: User | None,
    on: date,
) -> LateClaim:
    """Number, print and keep the claim for these invoices, and mail it if somebody receives it.

    Under the client's lock: two people do not ask for the same twice. Raises LetterRefused,
    PdfRefused, MailRefused; then nothing has happened.
    """
    company = company_that_writes()
    with transaction.atomic():
        client = Client.objects.select_for_update(of=("self",)).get(pk=client_id)
        found = claimable(client, on)
        chosen = [
            each for each in found.rows if each.row.invoice_id in invoices and not each.is_asked
        ]
        if not chosen:
            raise LetterRefused(_("Choose at least one invoice of which something is left to ask."))
        if len(chosen) > MOST_ROWS:
            raise LetterRefused(
                _("A claim names at most %(most)s invoices: make two of it.") % {"most": MOST_ROWS}
            )
        series = _locked_series(on, company)
        sequence = take(series)
        number = series.number(sequence, on)
        series.save(update_fields=["next_value"])
        letter = claim_letter(found, chosen, company, number)
        kept = keep(letter, client, kind=AccountLetter.Kind.CLAIM, content=printed(letter), by=by)
        claim = LateClaim.objects.create(
            letter=kept, client=client, series=series, sequence=sequence, number=number, on=on
        )
        LateClaimRow.objects.bulk_create(
            LateClaimRow(
                claim=claim,
                invoice_id=each.row.invoice_id,
                interest_minor=each.interest_minor,
                indemnity_minor=each.indemnity_minor,
                indemnity_currency=found.indemnity_currency,
            )
            for each in chosen
        )
        if recipients:
            asked = found.totals({each.row.invoice_id for each in chosen})
            queue_letter(kept, recipients, sums=list(asked.items()), by=by)
        return claim


def _locked_series(on: date, company: Company) -> NumberSeries:
    period = str(on.year)
    rows = NumberSeries.objects.select_for_update().filter(
        kind=KIND, period=period, ended_on__isnull=True
    )
    if (series := rows.first()) is not None:
        return series
    of_invoices = {NumberPattern.of(kind).prefix for kind in NumberPattern.KINDS}
    for prefix in _PREFIXES.get(company.country, _PREFIXES[""]):
        if prefix in of_invoices:
            continue
        form = Pattern(prefix, WIDTH, YEAR)
        try:
            with transaction.atomic():
                NumberSeries.objects.create(
                    kind=KIND, period=period, prefix=form.prefix_in(on), width=WIDTH
                )
        except IntegrityError:
            # Somebody began the year this very moment, or another series has the prefix.
            pass
        if (series := rows.first()) is not None:
            return series
    raise LetterRefused(_("No number can be given: the prefixes of claims belong to other series."))


def withdraw_claim(*, claim_id: int, reason: str, by: User | None) -> LateClaim:
    """Given up, or sent by mistake: what it asked for may be asked again. Done twice, it is
    done."""
    with transaction.atomic():
        claim = LateClaim.objects.select_for_update().get(pk=claim_id)
        if claim.withdrawn_at is None:
            claim.withdrawn_at, claim.withdrawn_by = timezone.now(), by
            claim.why_withdrawn = reason[:300]
            claim.save(update_fields=["withdrawn_at", "withdrawn_by", "why_withdrawn"])
        return claim


# ─ The letter ───────────────────────────────────────────────────────────────────────────────────
def claim_letter(
    found: ClaimList, chosen: Sequence[Claimable], company: Company, number: str
) -> Letter:
    language = language_of(found.client.language)
    words = WORDS[language]
    letter = letter_of(found.client, company, kind=words.claim, on=found.on, language=language)
    keys = {each.row.invoice_id for each in chosen}
    totals = late_sums(found.totals(keys), language)
    return replace(
        letter,
        number=number,
        facts=((words.claim_on, long_date(found.on, language)), *letter.facts),
        intro=words.claim_intro,
        tables=(
            _asked(found, chosen, language, totals),
            _worked_out(chosen, language),
        ),
        pay_title=words.pay_title,
        pay=pay_rows(company, words, number),
        closing=words.claim_closing,
    )


def _asked(
    found: ClaimList,
    chosen: Sequence[Claimable],
    language: str,
    totals: Sequence[tuple[str, str, str]],
) -> Table:
    words = WORDS[language]
    ours = found.indemnity_currency
    rows = tuple(
        (
            each.row.number,
            short_day(each.row.due_on),
            str(each.row.claim.days_late),
            money(language, each.interest_minor, each.row.currency),
            money(language, each.indemnity_minor, ours),
        )
        for each in chosen
    )
    return Table(
        columns=(
            Column(label=words.invoice),
            Column(label=words.due, width=1),
            Column(label=words.days, width=1, right=True),
            Column(label=words.interest, width=1, right=True),
            Column(label=words.indemnity, width=1, right=True),
        ),
        rows=rows,
        sums=tuple((label, amount, "grand") for label, amount, _kind in totals),
    )


def _worked_out(chosen: Sequence[Claimable], language: str) -> Table:
    words = WORDS[language]
    rows = []
    for each in chosen:
        for step in each.row.claim.steps:
            rows.append(
                (
                    each.row.number,
                    short_day(step.first),
                    short_day(step.last),
                    str(step.days),
                    f"{figure(language, step.open_minor, each.row.currency)}\u00a0"
                    f"{each.row.currency}",
                    "–" if step.percent is None else percent(step.percent, language),
                )
            )
    return Table(
        title=words.worked_out,
        columns=(
            Column(label=words.invoice),
            Column(label=words.first, width=1),
            Column(label=words.last, width=1),
            Column(label=words.days, width=1, right=True),
            Column(label=words.principal, width=1, right=True),
            Column(label=words.rate, width=1, right=True),
        ),
        rows=tuple(rows),
        after=(words.formula,),
    )
