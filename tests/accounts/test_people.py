"""billing_portal/accounts/people.py under two administrators at once."""

from __future__ import annotations

import pytest

from billing_portal.accounts.models import User
from billing_portal.accounts.people import PersonRefused, change_person, invite
from tests.factories import make_user
from tests.race import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_administrators_who_demote_each_other_at_once_leave_one():
    one, other = make_user(role="administrator"), make_user(role="administrator")

    def demote(user, by):
        return lambda: change_person(
            user_id=user.pk, name="x", role="finance", language="fr", is_active=True, by=by
        )

    found = at_once(demote(other, one), demote(one, other))
    assert sum(isinstance(each, PersonRefused) for each in found) == 1
    assert User.objects.filter(role="administrator", is_active=True).count() == 1


def test_two_invitations_of_one_person_at_once_make_one_person():
    boss = make_user(role="administrator")

    def ask():
        return invite(
            email="New@kerlann.example", name="New", role="manager", language="fr", by=boss
        )

    found = at_once(ask, ask)
    assert User.objects.filter(email="new@kerlann.example").count() == 1
    assert all(isinstance(each, User) for each in found), found
