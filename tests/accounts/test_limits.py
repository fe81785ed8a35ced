"""Failed logins are counted over all processes, with Redis or without."""

from __future__ import annotations

import pytest
from django.conf import settings as given
from django.core.cache import cache, caches
from django.test import Client as Browser
from django.urls import reverse

from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def from_nothing():
    cache.clear()
    yield
    cache.clear()


def in_another_process():
    """What another process has in its own memory: nothing."""
    if not given.REDIS_URL:
        # Past the counts, which are rows.
        super(type(caches["default"]), caches["default"]).clear()


def tried(email, password="wrong"):
    return Browser().post(reverse("account_login"), {"login": email, "password": password})


def test_five_wrong_passwords_close_an_account_in_every_process():
    make_user(email="boss@kerlann.example", password="right-heron-41")
    answers = []
    for _attempt in range(7):
        answers.append("Too many failed" in tried("boss@kerlann.example").text)
        in_another_process()
    assert answers == [False] * 5 + [True] * 2
    # The right password does not help meanwhile; a colleague behind the same address gets in.
    assert "Too many failed" in tried("boss@kerlann.example", "right-heron-41").text
    make_user(email="clerk@kerlann.example", password="right-heron-41")
    assert tried("clerk@kerlann.example", "right-heron-41").status_code == 302


def test_only_the_counts_are_rows(django_assert_num_queries):
    if given.REDIS_URL:
        pytest.skip("all of the cache is shared")
    with django_assert_num_queries(0):
        cache.set("a-figure", 3)
        assert cache.get("a-figure") == 3
        cache.delete("a-figure")
        assert cache.add("another", 4)
