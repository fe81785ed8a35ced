"""From a rule to a mail in somebody's box, with workers that are killed on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task

from invoices.models import Message
from invoices.outbox import delivering as mail
from reports.alerts import running
from reports.models import Alert
from reports.schedules import SCHEDULES
from tests import crash
from tests.factories import make_company, make_invoice, make_rule, make_user
from tests.postbox import smtp_environment, wait_until

ON = date(2026, 11, 24)


def books(on, *, invoices, rules, recipients):
    make_company(language="en")
    for n in range(invoices):
        due = on - timedelta(days=40 + n)
        make_invoice(issue_date=due - timedelta(days=30), due_date=due)
    for n in range(rules):
        make_rule(name=f"Rule {n}", recipients={"emails": recipients})


def arrived(box):
    """How often each recipient got each subject."""
    return Counter(
        (address, mail["Subject"])
        for mail, addresses in zip(box.mails, box.envelopes, strict=True)
        for address in addresses
    )


@pytest.mark.django_db(transaction=True)
def test_an_alert_reaches_the_boxes_of_its_recipients_by_smtp(postbox):
    make_company(language="en")
    boss = make_user(role="manager", language="fr")
    make_rule(name="Late", recipients={"users": [boss.pk], "emails": ["a@b.example"]})
    make_invoice(issue_date=ON - timedelta(days=90))
    running.run(on=ON)
    mail.sweep()
    assert {address for address, _ in arrived(postbox)} == {boss.email, "a@b.example"}
    body = postbox.mails[0].get_body(("plain",)).get_content()
    assert "/alerts/" in body


@pytest.mark.django_db(transaction=True)
def test_killed_at_any_statement_the_run_leaves_alerts_and_mails_whole_or_not_at_all(
    postbox,
):
    books(ON, invoices=3, rules=2, recipients=["a@b.example", "c@d.example"])
    states = crash.run("alerts", **smtp_environment(postbox))
    left = [tuple(map(int, state[2].split("/"))) for state in states]
    # Rule by rule: three alerts, two mails and the two tasks that hurry them, or nothing.
    assert set(left) <= {(0, 0, 0), (3, 2, 2), (6, 4, 4)}
    assert (0, 0, 0) in left
    assert left[-1] == (6, 4, 4), states[-3:]
    assert states[-1][1].startswith("done")
    assert [state[1] for state in states[:-1]] == ["killed"] * (len(states) - 1)
    running.run(on=ON)
    mail.sweep()
    mail.sweep()
    assert Alert.objects.count() == 6
    found = arrived(postbox)
    assert len(found) == 4
    assert set(found.values()) == {1}


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_real_cluster_killed_during_the_run_loses_and_doubles_nothing(postbox):
    """The tasks of the schedule, twice in the queue, two workers, kill -9 to all of them, again."""
    on = timezone.localdate()
    rules = 8
    books(on, invoices=25, rules=rules, recipients=["a@b.example", "c@d.example"])
    environment = crash.environment(**smtp_environment(postbox), WORKERS="2")

    def cluster():
        return subprocess.Popen(
            [sys.executable, "manage.py", "qcluster"],
            cwd=crash.ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def end(process):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    func = SCHEDULES[0]["func"]
    for _ in range(2):
        async_task(func)
    first = cluster()
    try:
        wait_until(lambda: Alert.objects.exists())
    finally:
        end(first)
    assert Alert.objects.count() % 25 == 0
    # The leases of the dead run out: the queue hands their tasks out again, the schedule comes.
    Message.objects.filter(state="queued").update(claimed_until=None)
    OrmQ.objects.update(lock=timezone.now() - timedelta(days=1))
    for _ in range(2):
        async_task(func)
    second = cluster()
    try:
        wait_until(
            lambda: (
                Message.objects.exclude(state="queued").count() == 2 * rules
                and not OrmQ.objects.exists()
            ),
            seconds=90,
        )
    finally:
        end(second)
    assert Alert.objects.count() == 25 * rules
    assert Message.objects.count() == 2 * rules
    found = arrived(postbox)
    assert set(found.values()) == {1}
    # A mail that was with the server when its worker died waits for staff: it is never sent anew.
    sent = Message.objects.filter(state="sent").count()
    assert sent + Message.objects.filter(state="sending").count() == 2 * rules
    assert sent <= len(found) <= 2 * rules
