"""Requests of somebody who is signed in; whatever they change is undone."""

from __future__ import annotations

from urllib.parse import quote

from django.db import transaction
from django.test import Client as Browser

from tests.factories import make_user


def written(pairs):
    return "&".join(
        f"{quote(name)}={quote(str(value).encode('utf-8', 'surrogatepass'))}"
        for name, value in pairs.items()
    )


def signed_in(role):
    browser = Browser(raise_request_exception=False)
    user = make_user(role=role)
    browser.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return browser


def ask(browser, method, url, data="", **headers):
    """The answer; whatever it changed is undone, so that each request meets the same rows."""
    with transaction.atomic():
        if method == "get":
            answer = browser.get(f"{url}?{data}" if data else url, headers=headers)
        elif isinstance(data, dict):
            answer = browser.post(url, data)
        else:
            answer = browser.post(url, data, content_type="application/x-www-form-urlencoded")
        if answer.streaming:
            list(answer.streaming_content)
        transaction.set_rollback(True)
    return answer
