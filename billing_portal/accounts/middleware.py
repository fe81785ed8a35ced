from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation


class ReaderLanguageMiddleware:
    """A signed-in person reads in the language of their profile; others as their browser asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)


class JustActedMiddleware:
    """Remembers in the browser that its person sent something moments ago.

    What is kept for some seconds is then reckoned anew for them. A cache alone cannot know: without
    Redis each process has its own, and the one that answers next did not hear of the act.
    """

    COOKIE = "acted"
    # Longer than anything is kept.
    SECONDS = 60

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if request.method == "POST" and request.user.is_authenticated:
            answer.set_cookie(
                self.COOKIE,
                "1",
                max_age=self.SECONDS,
                httponly=True,
                samesite="Lax",
                secure=settings.SESSION_COOKIE_SECURE,
            )
        return answer

    @classmethod
    def just_acted(cls, request: HttpRequest) -> bool:
        return cls.COOKIE in request.COOKIES


class PrivatePagesMiddleware:
    """What a signed-in person was shown is kept by no proxy, and asked for again by the browser."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if request.user.is_authenticated:
            answer.headers.setdefault("Cache-Control", "private, no-cache")
        return answer
