"""What the worker does: ids in, one function called, nothing new when run again."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.utils import timezone

from billing_portal.accounts.models import Submission

# A form lies open for days at most; its key says "this was done already" for as long.
SUBMISSIONS_KEPT_FOR = timedelta(days=30)


def forget_what_is_over() -> dict[str, int]:
    """Once a day: sessions that ran out, and keys of forms that nobody sends again."""
    now = timezone.now()
    sessions, _by_model = Session.objects.filter(expire_date__lt=now).delete()
    old = Submission.objects.filter(created_at__lt=now - SUBMISSIONS_KEPT_FOR)
    submissions, _by_model = old.delete()
    return {"sessions": sessions, "submissions": submissions}
