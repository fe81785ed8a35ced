"""How a column writes its days and amounts: said by the column itself, or asked. Pure.

A file speaks no language that we know. Where a value can be read in two ways (`1,500` or
`03/04/2026`) the column is asked about, once for all its cells; nothing is guessed. Of days a
column may prove its order itself: where one says 31/12/2025, the day comes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from billing_portal.notices import Notice
from billing_portal.spreadsheets import Figure, Table
from billing_portal.typed import files
from billing_portal.typed.texts import one_line
from invoices.history.rows import AMOUNT_COLUMNS, DAY_COLUMNS

# What may be answered: the decimal sign of a column of amounts, what comes first in one of days.
POINT, COMMA, DAY_FIRST, MONTH_FIRST = "point", "comma", "day", "month"
ANSWERS = {"amount": (POINT, COMMA), "day": (DAY_FIRST, MONTH_FIRST)}
_SIGNS = {POINT: ".", COMMA: ","}
Answers = Mapping[str, str]


@dataclass(slots=True)
class Question:
    """Of one column: its first value that can be read in two ways, and in how many cells."""

    file: str
    name: str
    what: str
    text: str
    line: int
    cells: int = 1

    @property
    def column(self) -> str:
        return self.name.partition(".")[2]


@dataclass(slots=True)
class Spelling:
    """Column → its decimal sign, or whether the month comes first; absent where it is not known."""

    points: dict[str, str] = field(default_factory=dict)
    months_first: dict[str, bool] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    # What was answered, or shown by the column itself, and is worth saying.
    notices: list[Notice] = field(default_factory=list)

    def point(self, column: str) -> str:
        return self.points.get(column, "")

    def asks(self, column: str) -> bool:
        return any(question.column == column for question in self.questions)

    def month_first(self, column: str) -> bool | None:
        return self.months_first.get(column)


def spelling_of(table: Table, kind: str, answers: Answers) -> Spelling:
    """`answers` bear the name of the file and the column, as in `invoices.net`: `comma`."""
    spelling = Spelling()
    for column in AMOUNT_COLUMNS if kind != "items" else ("price",):
        _amounts(spelling, table, kind, column, answers)
    for column in DAY_COLUMNS:
        _days(spelling, table, kind, column, answers)
    return spelling


def _amounts(spelling: Spelling, table: Table, kind: str, column: str, answers: Answers) -> None:
    asked: Question | None = None
    name = f"{kind}.{column}"
    for row in table.rows:
        text = row.cells.get(column, "")
        if isinstance(text, Figure) or not files.is_ambiguous(text):
            continue
        if asked is None:
            asked = Question(table.name, name, "amount", one_line(text), row.line)
        else:
            asked.cells += 1
    if asked is None:
        return
    sign = _SIGNS.get(answers.get(name, ""))
    if sign is None:
        spelling.questions.append(asked)
        return
    spelling.points[column] = sign
    code = "history.decimal_point" if sign == "." else "history.decimal_comma"
    spelling.notices.append(Notice(code, file=table.name, column=column, text=asked.text))


def _days(spelling: Spelling, table: Table, kind: str, column: str, answers: Answers) -> None:
    asked: Question | None = None
    name = f"{kind}.{column}"
    # Order → a value that can only be read in it.
    proof: dict[str, str] = {}
    for row in table.rows:
        text = row.cells.get(column, "")
        if files.is_either_order(text):
            if asked is None:
                asked = Question(table.name, name, "day", one_line(text), row.line)
            else:
                asked.cells += 1
        elif order := files.order_of(text):
            proof.setdefault(order, text)
    if not asked and not proof:
        return
    order = answers.get(name, "") if asked and not proof else ""
    if proof:
        # Where both orders are met, the day comes first, and the others are refused one by one.
        order = DAY_FIRST if DAY_FIRST in proof else MONTH_FIRST
    if order not in ANSWERS["day"]:
        assert asked is not None
        spelling.questions.append(asked)
        return
    spelling.months_first[column] = order == MONTH_FIRST
    shown = proof.get(order) or (asked.text if asked else "")
    code = "history.day_first" if order == DAY_FIRST else "history.month_first"
    spelling.notices.append(Notice(code, file=table.name, column=column, text=shown))
