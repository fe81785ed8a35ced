"""What an htmx answer adds outside its own panel: a toast, an announcement, new counts."""

from __future__ import annotations

from typing import TypeVar

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.html import format_html
from django_htmx.http import trigger_client_event

Answer = TypeVar("Answer", bound=HttpResponse)


def add_toast(
    answer: Answer, title: str, *, detail: str = "", url: str = "", link: str = ""
) -> Answer:
    """Success only: `title` says what happened, `url` and `link` lead on. Errors stay in place."""
    html = render_to_string(
        "partials/toast.html",
        {"title": title, "detail": detail, "url": url, "link": link, "out_of_band": True},
    )
    answer.write(html)
    return answer


def announce(answer: Answer, text: str) -> Answer:
    """Read out by screen readers, for instance “53 invoices, €291,238.01” after a filter."""
    answer.write(format_html('<div id="announce" hx-swap-oob="innerHTML">{}</div>', text))
    return answer


def refresh_counts(answer: Answer) -> Answer:
    """The sidebar fetches its counts again."""
    return trigger_client_event(answer, "counts-changed")


def close_overlays(answer: Answer) -> Answer:
    """The dialog or drawer that sent the form has done its work and closes."""
    # After the rest has found its place: a closed dialog is emptied, its form with it.
    return trigger_client_event(answer, "close-overlays", after="settle")
