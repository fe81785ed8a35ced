"""Go-live: clients, issued invoices, credit notes and payments of the old system."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from billing_portal.accounts.models import User
from billing_portal.money import formatted_minor
from billing_portal.spreadsheets import MAX_BYTES, Complaint
from invoices.history.bringing_in import (
    COLUMNS,
    HistoryInterrupted,
    HistoryRefused,
    Source,
    apply,
    read,
)
from invoices.history.leaving_out import may_leave_out
from invoices.history.plan import Plan
from invoices.history.report import report
from invoices.history.spelling import ANSWERS


class Command(BaseCommand):
    help = (
        "Brings in clients, issued invoices, credit notes and payments of an older system from CSV "
        "or XLSX (columns in docs/history.md). All or nothing; the same files twice change nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        for kind in COLUMNS:
            parser.add_argument(f"--{kind}", metavar="FILE", help=f"the {kind} file")
        parser.add_argument(
            "--by", metavar="EMAIL", help="the person in whose name the history says it was done"
        )
        parser.add_argument(
            "--go-live",
            metavar="DAY",
            type=date.fromisoformat,
            help="the files hold only what was open on this day (2026-01-31), not all of the past",
        )
        parser.add_argument(
            "--column",
            metavar="NAME=HOW",
            action="append",
            default=[],
            help="how a column is to be read that can be read in two ways: invoices.net=comma or "
            "=point (the decimal sign), payments.received_on=day or =month (what comes first)",
        )
        parser.add_argument(
            "--leave-out",
            action="store_true",
            help="bring in what is right without the rows that are wrong, and without what is one "
            "with them; each is listed with its reason",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="list what would change and every refused row with its reason; write nothing",
        )
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        sources = {kind: _source(options[kind]) for kind in COLUMNS if options[kind]}
        if not sources:
            raise CommandError(
                "Name at least one file: --clients, --invoices, --payments, --items."
            )
        by = None
        if options["by"]:
            by = User.objects.filter(email__iexact=options["by"]).first()
            if by is None:
                raise CommandError(f"Nobody here has the address {options['by']}.")
        on = timezone.localdate()
        plan = read(
            sources=sources,
            on=on,
            go_live=options["go_live"],
            answers=_answers(options["column"]),
            leave_out=options["leave_out"],
        )
        done = False
        problem = ""
        if plan.may_be_written and not options["dry_run"]:
            try:
                plan = apply(plan, by=by, on=on, progress=self._progress)
                done = True
            except HistoryRefused as refusal:
                plan = refusal.plan
            except HistoryInterrupted as interruption:
                problem = str(interruption.notice)
        if problem:
            raise CommandError(problem)
        if options["format"] == "json":
            self.stdout.write(json.dumps(_as_json(plan, done), ensure_ascii=False))
        else:
            self._tell(plan, done=done, dry_run=options["dry_run"])
        if plan.complaints:
            raise CommandError(
                f"{len(plan.complaints)} reasons against these files, listed above: "
                f"nothing was brought in.{self._rest(plan, options['leave_out'])}"
            )
        if plan.rows.questions:
            raise CommandError(
                f"{len(plan.rows.questions)} columns can be read in two ways, listed above: say "
                "how with --column. Nothing was brought in."
            )

    def _tell(self, plan: Plan, *, done: bool, dry_run: bool) -> None:
        for notice in plan.notices:
            self.stdout.write(f"Note: {notice}")
        for name in plan.new_types.values():
            self.stdout.write(f"New client type: {name}")
        for email in plan.new_people:
            self.stdout.write(f"New salesperson, without a password: {email}")
        for c in plan.complaints or plan.left_out:
            column = f", {c.column}" if c.column else ""
            place = f"{c.file}, line {c.line}{column}: " if c.line else ""
            out = "Left out: " if plan.left_out else ""
            self.stdout.write(f"{out}{place}{c.reason}")
        for q in plan.rows.questions:
            how = " or ".join(f"--column {q.name}={choice}" for choice in ANSWERS[q.what])
            self.stdout.write(
                f"{q.file}, line {q.line}, {q.column}: “{q.text}” can be read in two ways "
                f"({q.cells} cells): say {how}."
            )
        self.stdout.write(self._counts(plan, done=done, dry_run=dry_run))

    def _rest(self, plan: Plan, asked: bool) -> str:
        """Whether the other rows could come in without these."""
        if asked:
            return " The other rows cannot come in without them."
        return " --leave-out brings in the other rows." if may_leave_out(plan) else ""

    def _counts(self, plan: Plan, *, done: bool, dry_run: bool) -> str:
        parts = []
        for kind, counts in plan.counts().items():
            shown = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
            parts.append(f"{kind.replace('_', ' ')}: {shown or 'none'}")
        sums = "; ".join(
            f"invoiced {formatted_minor(s['invoiced'], currency)}, "
            f"credited {formatted_minor(s['credited'], currency)}, "
            f"received {formatted_minor(s['received'], currency)} "
            f"({formatted_minor(s['unapplied'], currency)} of it unapplied)"
            for currency, s in plan.totals().items()
        )
        verb = "Brought in" if done else "Would bring in" if plan.may_be_written else "Found"
        if dry_run and not plan.may_be_written:
            verb = "Dry run"
        nothing = " Nothing is new: all of it was here." if done and not plan.writes else ""
        return f"{verb}: {'; '.join(parts)}. {sums}".rstrip() + nothing

    def _progress(self, done: int, total: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{done} / {total}", ending="" if done < total else "\n")


def _answers(options: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for option in options:
        name, _sign, how = option.partition("=")
        if not any(how in choices for choices in ANSWERS.values()):
            raise CommandError(f"“{option}” says not how: write invoices.net=comma, for example.")
        found[name] = how
    return found


def _as_json(plan: Plan, done: bool) -> dict[str, Any]:
    notices = [str(notice) for notice in plan.notices]
    return {
        "done": done,
        **report(plan),
        "notices": notices,
        "complaints": _told(plan.complaints),
        "rows_left_out": _told(plan.left_out),
    }


def _told(complaints: list[Complaint]) -> list[dict[str, Any]]:
    return [
        {"file": c.file, "line": c.line, "column": c.column, "reason": c.reason, **c.notice.kept()}
        for c in complaints
    ]


def _source(path: str) -> Source:
    file = Path(path)
    try:
        size = file.stat().st_size
        if size > MAX_BYTES:
            raise CommandError(f"{path} is larger than {MAX_BYTES // 2**20} MB: split it.")
        return file.name, file.read_bytes()
    except OSError as problem:
        raise CommandError(f"{path} cannot be read: {problem.strerror}.") from problem
