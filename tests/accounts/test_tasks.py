from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone
from django_q.models import Schedule

from billing_portal.accounts.models import Submission
from billing_portal.accounts.tasks import forget_what_is_over
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_sessions_that_ran_out_and_old_keys_of_forms_go_and_the_rest_stays():
    now, user = timezone.now(), make_user()
    for name, ends in (("over", now - timedelta(minutes=1)), ("open", now + timedelta(days=1))):
        Session.objects.create(session_key=name, session_data="x", expire_date=ends)
    for key, days in (("old", 31), ("young", 29)):
        sent = Submission.objects.create(key=key, user=user, action="x")
        Submission.objects.filter(pk=sent.pk).update(created_at=now - timedelta(days=days))
    assert forget_what_is_over() == {"sessions": 1, "submissions": 1}
    assert list(Session.objects.values_list("session_key", flat=True)) == ["open"]
    assert list(Submission.objects.values_list("key", flat=True)) == ["young"]
    assert forget_what_is_over() == {"sessions": 0, "submissions": 0}


def test_that_happens_every_night_by_itself():
    call_command("sync_schedules")
    nightly = Schedule.objects.get(func="billing_portal.accounts.tasks.forget_what_is_over")
    assert nightly.schedule_type == Schedule.DAILY
