"""What an htmx answer adds outside its own panel: a toast, an announcement, new counts."""

from __future__ import annotations

from typing import TypeVar

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.html import format_html
from django_htmx.http import trigger_client_event

Answer = TypeVar("Answer", bound=HttpResponse)
UNDO = "undo"


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


def with_undo(url: str, confirmed: str) -> str:
    """Extra tags of a message whose toast has the button “Undo”: where it is sent, and the token
    of what is taken back (`confirming.Shown`), so that a stale toast takes back nothing else."""
    return f"{UNDO} {url} {confirmed}"


def undo_in(extra_tags: str) -> tuple[str, str] | None:
    """The address and the token of a message's “Undo”, if it has one."""
    parts = extra_tags.split(" ")
    return (parts[1], parts[2]) if len(parts) == 3 and parts[0] == UNDO else None


def announce(answer: Answer, text: str) -> Answer:
    """Read out by screen readers, for instance “53 invoices, €291,238.01” after a filter."""
    answer.write(format_html('<div id="announce" hx-swap-oob="innerHTML">{}</div>', text))
    return answer


def refresh_counts(answer: Answer) -> Answer:
    """The sidebar fetches its counts again."""
    return trigger_client_event(answer, "counts-changed")


def close_overlays(answer: Answer) -> Answer:
    """The dialog that sent the form has done its work and closes."""
    # After the rest has found its place: a closed dialog is emptied, its form with it.
    return trigger_client_event(answer, "close-overlays", after="settle")
