"""Fifty people issue at once, each a process of its own, and all sorts of things go wrong.

Run as a program (`python -m tests.issuers SEED DRAFT …`) against the database of the test, as
tests/crash.py is, which says how a child dies. Each draft meets one mishap, at a statement or at a
commit that chance chooses; who lives through it, tries again.
"""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from random import Random

from tests import crash

ISSUERS = 50
NUMBERED = 'update "invoices_numberseries"'
# What goes wrong, and how often. Of the mishaps at a commit, `lost` is one whose answer never came:
# it was done, and the issuer does not know.
MISHAPS = {
    "none": 4,
    "raises before the number": 2,
    "raises after the number": 3,
    "raises at the commit": 2,
    "lost": 2,
    "killed before the number": 1,
    "killed after the number": 2,
    "killed at the commit": 2,
    "killed after the commit": 2,
}


def ends(mishap):
    from django.db import OperationalError

    if mishap.startswith("killed"):
        os.kill(os.getpid(), signal.SIGKILL)
    raise OperationalError(mishap)


class AtStatement:
    def __init__(self, n, mishap):
        self.left, self.mishap = n, mishap

    def __call__(self, execute, sql, params, many, context):
        self.left -= 1
        if self.left == 0:
            ends(self.mishap)
        return execute(sql, params, many, context)


def at_commit(mishap):
    """The last commit is that of the issue; there is no other before it."""
    from django.db import connection

    commit = connection._commit

    def committed():
        if mishap.endswith("at the commit"):
            ends(mishap)
        commit()
        ends(mishap)

    connection._commit = committed


def attempt(pk, mishap, rng, span):
    """`span`: after how many statements an issue has its number, and how many it has in all."""
    from django.db import connection

    from invoices.invoicing import issuing

    before, every = span

    def issue():
        return issuing.issue(invoice_id=pk, by=None, on=crash.ON).number

    if mishap.endswith("the number"):
        after = mishap.endswith("after the number")
        n = rng.randint(before + 1, every) if after else rng.randint(1, before)
        with connection.execute_wrapper(AtStatement(n, mishap)):
            return issue()
    if mishap == "none":
        return issue()
    at_commit(mishap)
    try:
        return issue()
    finally:
        del connection._commit


def issuer(drafts, seed, span):
    from django.db import OperationalError

    from invoices.invoicing.freezing import IssueRefused

    rng = Random(seed)
    for pk in drafts:
        mishap = rng.choices(list(MISHAPS), list(MISHAPS.values()))[0]
        say(pk, mishap, "began")
        for tried in (mishap, "none"):
            try:
                say(pk, mishap, f"issued as {attempt(pk, tried, rng, span)}")
                break
            except OperationalError as trouble:
                say(pk, mishap, "broke" if str(trouble) == mishap else f"error: {trouble}")
            except IssueRefused as refusal:
                say(pk, mishap, f"refused: {refusal}")
                break


def say(*words):
    # One write is one line, however many write at once.
    line = "\t".join(" ".join(str(word).split()) for word in words)
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


def rehearsed(pk):
    """(statements until the number is taken, all of an issue); all is warm after it."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from invoices.invoicing import issuing

    with CaptureQueriesContext(connection) as heard:
        crash.rehearse(lambda: issuing.issue(invoice_id=pk, by=None, on=crash.ON))
    # Without those that begin and end transactions, which no wrapper sees.
    said = [one["sql"].lower() for one in heard.captured_queries]
    said = [
        sql for sql in said if not sql.startswith(("begin", "savepoint", "release", "rollback"))
    ]
    taken = next(n for n, sql in enumerate(said, 1) if sql.startswith(NUMBERED))
    return taken, len(said)


def at_once(*works):
    """Each in a fork; they start when all are there."""
    start, gun = os.pipe()
    children = []
    for work in works:
        if not (pid := os.fork()):
            os.close(gun)
            os.read(start, 1)
            try:
                work()
            except BaseException as trouble:
                say(0, "", f"error: {type(trouble).__name__}: {trouble}")
            os._exit(0)
        children.append(pid)
    # The end of the pipe is seen by all of them at the same moment.
    os.close(gun)
    for pid in children:
        os.waitpid(pid, 0)
    os.close(start)


def link():
    """The books are linked meanwhile, as every minute."""
    from invoices.accounting.chain import linking

    for _each in range(5):
        linking.link_new()


def main(seed, *drafts):
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_portal.settings_for_tools")
    import django

    django.setup()
    from django.db import connections

    from invoices.documents.facturx import validators
    from invoices.documents.pdf import render
    from tests import layout

    whole = layout.laid_out_once()
    render.laid_out = lambda html, makers: whole
    span = rehearsed(drafts[0])
    # Judged by the rehearsal; in each fork the judge's machine would begin anew.
    validators.failed_assertions = lambda *given, **more: []
    connections.close_all()
    shares = [drafts[n::ISSUERS] for n in range(ISSUERS)]
    at_once(link, *(partial(issuer, mine, f"{seed} {n}", span) for n, mine in enumerate(shares)))


if __name__ == "__main__":
    main(*sys.argv[1:])
