"""Statements, claims and receipts as letters, in the language of the client."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from babel.numbers import get_currency_name

from invoices.company.looks import look_of
from invoices.company.seller import seller_of
from invoices.documents.letters import Column, Letter, Table
from invoices.documents.mentions import LOCALES, long_date, money
from invoices.documents.pdf.seller import spaced
from invoices.invoicing.snapshot import buyer_of
from invoices.models import Client, Company
from invoices.statements.movements import PAYMENT, REFUND, REVERSAL, WRITE_OFF, Movement, Position
from invoices.statements.statement import Late, Statement
from invoices.statements.words import WORDS, Words, figure, language_of, percent, short_day


def letter_of(client: Client, company: Company, *, kind: str, on: date, language: str) -> Letter:
    """The head of any letter to this client."""
    words = WORDS[language_of(language)]
    return Letter(
        language=language_of(language),
        kind=kind,
        on=on,
        seller=seller_of(company),
        look=look_of(company),
        recipient=buyer_of(client).buyer,
        facts=((words.account, client.ledger_account),),
    )


def pay_rows(company: Company, words: Words, reference: str) -> tuple[tuple[str, str], ...]:
    if not company.iban:
        return ()
    return (
        ("IBAN", spaced(company.iban, 4)),
        ("BIC", company.bic),
        (words.holder, company.name),
        (words.reference, reference),
    )


# ─ Statements ───────────────────────────────────────────────────────────────────────────────────
def statement_letter(statement: Statement, company: Company, language: str) -> Letter:
    language = language_of(language)
    words = WORDS[language]
    letter = letter_of(
        statement.client, company, kind=words.statement, on=statement.on, language=language
    )
    dated = (words.as_of, long_date(statement.on, language))
    if statement.since is not None:
        span = f"{short_day(statement.since)} – {short_day(statement.on)}"
        dated = (words.period, span)
    tables = [_table(statement, code, words, language) for code in statement.currencies]
    if not tables:
        tables = [Table(before=(words.nothing,))]
    if statement.late.rows:
        tables.append(late_table(statement.late, statement.on, language))
    owes = any(position.receivable_minor for position in statement.positions.values())
    pay = pay_rows(company, words, statement.client.ledger_account)
    return replace(
        letter,
        facts=(dated, *letter.facts),
        tables=tuple(tables),
        pay_title=words.pay_title,
        pay=pay if owes else (),
        closing=(words.not_an_invoice, words.differs),
    )


def currency_name(code: str, language: str) -> str:
    """“euros”: as the title of a table says it."""
    if code == "EUR":
        return "euros"
    return f"{get_currency_name(code, locale=LOCALES[language])} ({code})"


def _table(statement: Statement, code: str, words: Words, language: str) -> Table:
    make = _movements if statement.of_movements else _open_items
    return make(statement, code, words, language)


def _movements(statement: Statement, code: str, words: Words, language: str) -> Table:
    assert statement.since is not None
    first = statement.openings.get(code, 0)
    day_before = date.fromordinal(max(statement.since.toordinal() - 1, 1))
    opening = words.opening.format(day=short_day(day_before))
    rows = [("", "", opening, "", "", figure(language, first, code))]
    for line in statement.lines(code):
        row = line.movement
        debit = figure(language, row.minor, code) if row.minor >= 0 else ""
        credit = figure(language, -row.minor, code) if row.minor < 0 else ""
        balance = figure(language, line.balance_minor, code)
        rows.append(
            (short_day(row.day), document_of(row), told(row, words), debit, credit, balance)
        )
    return Table(
        title=words.movements_in.format(currency=currency_name(code, language)),
        columns=(
            Column(label=words.day, width=1),
            Column(label=words.document, width=1),
            Column(label=words.text),
            Column(label=words.debit, width=1, right=True),
            Column(label=words.credit, width=1, right=True),
            Column(label=words.balance, width=1, right=True),
        ),
        rows=tuple(rows),
        sums=tuple(_sums(statement, code, words, language)),
    )


def document_of(row: Movement) -> str:
    return row.reference


def told(row: Movement, words: Words) -> str:
    """“Facture – Audit de mars”, “Règlement par virement”."""
    named = getattr(words, row.kind)
    if row.kind in (PAYMENT, REVERSAL, REFUND):
        return f"{named} – {words.methods.get(row.text, row.text)}"
    if row.kind == WRITE_OFF or not row.text:
        return str(named)
    return f"{named} – {row.text}"


def _open_items(statement: Statement, code: str, words: Words, language: str) -> Table:
    rows = []
    for item in statement.open_items:
        if item.currency != code:
            continue
        late = item.days_late(statement.on)
        number = f"{item.number} ({words.part.format(n=item.part)})" if item.part else item.number
        rows.append(
            (
                number,
                item.title,
                short_day(item.issued_on),
                short_day(item.due_on),
                words.days_late.format(n=late) if late else "",
                figure(language, item.total_minor, code),
                figure(language, item.open_minor, code),
            )
        )
    for free in statement.free_items:
        if free.currency != code:
            continue
        text = words.methods.get(free.text, free.text)
        text = f"{getattr(words, free.kind)}, {words.applied_not}" + (f" – {text}" if text else "")
        open_text = figure(language, -free.free_minor, code)
        rows.append((free.reference, text, short_day(free.day), "", "", "", open_text))
    return Table(
        title=words.open_in.format(currency=currency_name(code, language)),
        columns=(
            Column(label=words.document, width=1),
            Column(label=words.text),
            Column(label=words.issued, width=1),
            Column(label=words.due, width=1),
            Column(label=words.late, width=1, right=True),
            Column(label=words.total, width=1, right=True),
            Column(label=words.still_open, width=1, right=True),
        ),
        rows=tuple(rows),
        sums=tuple(_sums(statement, code, words, language)),
    )


def _sums(
    statement: Statement, code: str, words: Words, language: str
) -> Iterator[tuple[str, str, str]]:
    """From what is open to the balance: the reports' receivable, less what no invoice took."""
    here = statement.positions.get(code, Position())
    beside = ((words.free_credit, here.credit_minor), (words.free_cash, here.cash_minor))
    if here.overdue_minor > 0 or any(minor for _label, minor in beside):
        yield words.receivable, money(language, here.receivable_minor, code), ""
    if here.overdue_minor:
        yield words.overdue, money(language, here.overdue_minor, code), ""
    for label, minor in beside:
        if minor:
            yield label, money(language, -minor, code), ""
    closing = words.owed_by_us if here.balance_minor < 0 else words.closing
    label = closing.format(day=long_date(statement.on, language))
    yield label, money(language, abs(here.balance_minor), code), "grand"


# ─ Late payment ─────────────────────────────────────────────────────────────────────────────────
def late_table(late: Late, on: date, language: str) -> Table:
    words = WORDS[language]
    rows = []
    for row in late.rows:
        claim, ours = row.claim, late.indemnity_currency
        known = claim.interest_minor
        interest = "–" if known is None else money(language, known, row.currency)
        rows.append(
            (
                row.number,
                short_day(row.due_on),
                str(claim.days_late),
                ", ".join(percent(each, language) for each in dict.fromkeys(claim.percents)),
                interest,
                money(language, claim.indemnity_minor, ours),
            )
        )
    return Table(
        title=words.claim_title.format(day=long_date(on, language)),
        before=(words.claim_before,),
        columns=(
            Column(label=words.document),
            Column(label=words.due, width=1),
            Column(label=words.days, width=1, right=True),
            Column(label=words.rate, width=1, right=True),
            Column(label=words.interest, width=1, right=True),
            Column(label=words.indemnity, width=1, right=True),
        ),
        rows=tuple(rows),
        sums=tuple(late_sums(late.totals, language)),
        after=(words.formula, words.unknown_rate if late.is_partial else ""),
    )


def late_sums(totals: dict[str, int], language: str) -> Sequence[tuple[str, str, str]]:
    words = WORDS[language]
    return [
        (
            words.claim_total.format(currency=currency_name(code, language)),
            money(language, minor, code),
            "strong",
        )
        for code, minor in totals.items()
    ]
