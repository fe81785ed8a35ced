from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse


class ClosedSignUp(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody signs up: an administrator invites (Settings, People)."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        # Where the request says that it arrived is for its sender to say: a link made of that would
        # hand somebody's key to whoever asked.
        uid, _dash, token = key.partition("-")
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": token})
        return f"{settings.BASE_URL}{path}"

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        return None
