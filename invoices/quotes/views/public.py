"""The client's page of a quote: read, choose, accept or decline, without an account.

Whoever has the link may read and answer. A GET changes nothing, so that scanners of mails and
previews in messengers do no harm; the page itself says that it was opened.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from django.contrib.auth.decorators import login_not_required
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from billing_portal.accounts.limits import too_many
from invoices.attachments.keeping import attachments_of
from invoices.documents.pdf.render import PdfRefused
from invoices.documents.totals import TotalsRefused
from invoices.models import Company, QuoteDocument, QuoteVersion
from invoices.models.quotes import State
from invoices.quotes import answering, links, printing
from invoices.quotes.choices import proposed, whole
from invoices.quotes.forms.answers import AcceptForm, DeclineForm, picked
from invoices.quotes.refusals import QuoteRefused
from invoices.quotes.views.public_page import page_of, total_of

PER_MINUTE, BAD_PER_MINUTE, PRINTED_PER_MINUTE = 120, 20, 12

View = Callable[..., HttpResponse]


def client_ip(request: HttpRequest) -> str:
    """As the limits of logins see it: behind our proxies the address before them."""
    return str(get_adapter().get_client_ip(request))


def guest(view: View) -> View:
    """For whoever has a link: limited, in the language of the quote, kept by nobody on the way.

    A link that is forged, ended or too old meets the same page, with 404.
    """

    @login_not_required
    @sensitive_variables("token")
    @wraps(view)
    def led(request: HttpRequest, token: str, **more: int) -> HttpResponse:
        ip = client_ip(request)
        try:
            if too_many("quote", ip, most=PER_MINUTE, seconds=60):
                return _private(_short(request, "too_many", 429))
            version = links.version_of(token, timezone.localdate())
        except links.LinkGone:
            bad = too_many("bad-link", ip, most=BAD_PER_MINUTE, seconds=60)
            answer = _short(request, "too_many", 429) if bad else _short(request, "gone", 404)
            return _private(answer)
        with translation.override(_language(request, version)):
            return _private(view(request, version, token, **more))

    return led


def _language(request: HttpRequest, version: QuoteVersion) -> str:
    """That of the quote, unless the reader asked for the other one on this page."""
    wanted = request.GET.get("lang", "")
    if wanted not in ("fr", "en"):
        wanted = version.language
    return "fr" if wanted == "fr" else "en-gb"


def _private(answer: HttpResponse) -> HttpResponse:
    answer["Cache-Control"] = "no-store, private"
    # To no other site a word of where the reader comes from. Not "no-referrer": browsers then send
    # "Origin: null" with our own forms, and no form would pass the check of its origin.
    answer["Referrer-Policy"] = "same-origin"
    answer["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return answer


def _short(request: HttpRequest, name: str, status: int) -> HttpResponse:
    company = Company.ours()
    context = {"company": company, "why": name}
    language = "fr" if company is None or company.language.startswith("fr") else "en-gb"
    with translation.override(language):
        return render(request, "invoices/quotes/public/short.html", context, status=status)


# ─ Reading ──────────────────────────────────────────────────────────────────────────────────────
@guest
@require_http_methods(["GET", "HEAD"])
def page(request: HttpRequest, version: QuoteVersion, token: str) -> HttpResponse:
    return _page(request, version, token, proposed(list(version.lines.all())))


def _page(
    request: HttpRequest,
    version: QuoteVersion,
    token: str,
    choice: Collection[int],
    *,
    accepts: AcceptForm | None = None,
    declines: DeclineForm | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    context = page_of(version, token, choice, timezone.localdate())
    context |= {
        "accepts": accepts or AcceptForm(),
        "declines": declines or DeclineForm(),
        "problem": problem,
        "staff": request.user.is_authenticated,
        **_addresses(request, token),
    }
    return render(request, "invoices/quotes/public/quote.html", context, status=status)


def _addresses(request: HttpRequest, token: str) -> dict[str, str]:
    """Of each act, in the language that the reader chose."""
    lang = request.GET.get("lang", "")
    query = f"?lang={lang}" if lang in ("fr", "en") else ""
    names = ("total", "accept", "decline", "reconsider", "ask", "seen", "pdf", "terms")
    found = {
        f"{name}_url": reverse(f"invoices:guest-{name}", args=[token]) + query for name in names
    }
    return {**found, "page_url": reverse("invoices:guest-quote", args=[token]) + query}


@guest
@require_POST
def total(request: HttpRequest, version: QuoteVersion, token: str) -> HttpResponse:
    """The sums for what is ticked; without script the whole page with it."""
    lines = list(version.lines.all())
    choice = whole(lines, picked(request.POST))
    if not getattr(request, "htmx", False):
        accepts = AcceptForm(initial={"name": request.POST.get("name", "")[:120]})
        return _page(request, version, token, choice, accepts=accepts)
    context = {"version": version, **total_of(version, lines, choice)}
    return render(request, "invoices/quotes/public/live.html", context)


@guest
@require_POST
def seen(request: HttpRequest, version: QuoteVersion, token: str) -> HttpResponse:
    """The page was opened in a browser; our own people looking at it are no clients."""
    if not request.user.is_authenticated:
        answering.seen(version_id=version.pk, at=timezone.now())
    return HttpResponse(status=204)


@guest
@require_http_methods(["GET", "POST"])
def pdf(request: HttpRequest, version: QuoteVersion, token: str) -> HttpResponse:
    """The page as it was accepted or sent; with other choices ticked, printed with those."""
    kind = QuoteDocument.Kind.SENT
    if version.status == State.ACCEPTED:
        kind = QuoteDocument.Kind.ACCEPTED
    elif request.method == "POST":
        lines = list(version.lines.all())
        choice = whole(lines, picked(request.POST))
        if choice != proposed(lines):
            return _printed(request, version, token, choice)
    kept = version.documents.get(kind=kind)
    return _file(bytes(kept.content), kept.filename)


@guest
@require_http_methods(["GET", "HEAD"])
def terms(request: HttpRequest, version: QuoteVersion, token: str) -> HttpResponse:
    """The general terms of sale that this version left with."""
    if version.sales_terms is None:
        return _short(request, "gone", 404)
    return _file(bytes(version.sales_terms.content), version.sales_terms.filename)


@guest
@require_http_methods(["GET", "HEAD"])
def attachment(request: HttpRequest, version: QuoteVersion, token: str, pk: int) -> HttpResponse:
    """A file that stands beside the quote and is shown to its client; any other is not there."""
    shown = attachments_of(version.quote).filter(shown_to_client=True)
    found = get_object_or_404(shown, pk=pk)
    return _file(bytes(found.file.content), found.filename, found.file.content_type)


def _printed(
    request: HttpRequest, version: QuoteVersion, token: str, choice: frozenset[int]
) -> HttpResponse:
    if too_many("quote-pdf", client_ip(request), most=PRINTED_PER_MINUTE, seconds=60):
        return _short(request, "too_many", 429)
    assert version.sent_at is not None
    try:
        paper = printing.paper_of(
            version,
            list(version.lines.all()),
            choice,
            on=timezone.localdate(version.sent_at),
            number=version.quote.number,
        )
        return _file(printing.printed(paper), printing.file_name(version))
    except (PdfRefused, TotalsRefused) as refusal:
        # A choice may leave less than a discount takes off.
        return _page(request, version, token, choice, problem=str(refusal), status=422)


def _file(content: bytes, name: str, content_type: str = "application/pdf") -> HttpResponse:
    answer = HttpResponse(content, content_type=content_type)
    answer["Content-Disposition"] = content_disposition_header(True, name)
    return answer


# ─ Answering ────────────────────────────────────────────────────────────────────────────────────
@guest
@require_POST
def accept(request: HttpRequest, version: QuoteVersion, token: str) -> HttpResponse:
    lines = list(version.lines.all())
    choice = whole(lines, picked(request.POST))
    form = AcceptForm(request.POST)
    if refusal := _not_by_us(request):
        return _page(request, version, token, choice, accepts=form, problem=refusal, status=422)
    if _is_over(version) or not form.is_valid():
        status = 409 if _is_over(version) else 422
        return _page(request, version, token, choice, accepts=form, status=status)
    try:
        answering.accept(
            version_id=version.pk,
            picked=choice,
            read_minor=_read(request.POST.get("read", "")),
            signer=answering.Signer(
                form.cleaned_data["name"],
                form.cleaned_data["role"],
                client_ip(request) or None,
                request.headers.get("User-Agent", ""),
            ),
            at=timezone.now(),
        )
    except answering.NotOpen:
        # Withdrawn, replaced or expired between reading and pressing: the page says which.
        return _page(request, _fresh(version), token, choice, status=409)
    except (QuoteRefused, PdfRefused) as refused:
        return _page(
            request, version, token, choice, accepts=form, problem=str(refused), status=422
        )
    except IntegrityError:
        # The unique key was faster than the lock: somebody accepted it this very moment.
        pass
    return _back(request, token)


def _read(text: str) -> int:
    """The total that stood on the button, in minor units; −1 agrees with none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else -1


def _is_over(version: QuoteVersion) -> bool:
    on = timezone.localdate()
    return version.status not in (State.SENT, State.DECLINED) or version.valid_until < on


def _not_by_us(request: HttpRequest) -> str:
    """Nobody of ours answers in the client's name, not even by mistake in their own browser."""
    if not request.user.is_authenticated:
        return ""
    return _(
        "You are signed in to the portal as %(name)s: only the client answers here. To try it, "
        "open the link in a private window; what was agreed on paper is recorded on the page of "
        "the quote."
    ) % {"name": request.user}


def _fresh(version: QuoteVersion) -> QuoteVersion:
    return QuoteVersion.objects.select_related(
        "quote__client", "quote__owner", "quote__version"
    ).get(pk=version.pk)


def _back(request: HttpRequest, token: str) -> HttpResponse:
    return HttpResponseRedirect(_addresses(request, token)["page_url"], status=303)


@guest
@require_POST
def decline(request: HttpRequest, version: QuoteVersion, token: str) -> HttpResponse:
    choice = whole(list(version.lines.all()), picked(request.POST))
    form = DeclineForm(request.POST)
    if refusal := _not_by_us(request):
        return _page(request, version, token, choice, declines=form, problem=refusal, status=422)
    if not form.is_valid():
        return _page(request, version, token, choice, declines=form, status=422)
    try:
        answering.decline(
            version_id=version.pk,
            reason=form.cleaned_data["why"],
            text=form.cleaned_data["words"],
            at=timezone.now(),
        )
    except answering.NotOpen:
        return _page(request, _fresh(version), token, choice, status=409)
    return _back(request, token)


@guest
@require_POST
def reconsider(request: HttpRequest, version: QuoteVersion, token: str) -> HttpResponse:
    return _small(request, version, token, answering.reconsider)


@guest
@require_POST
def ask(request: HttpRequest, version: QuoteVersion, token: str) -> HttpResponse:
    return _small(request, version, token, answering.ask_again)


def _small(
    request: HttpRequest, version: QuoteVersion, token: str, act: Callable[..., Any]
) -> HttpResponse:
    choice = proposed(list(version.lines.all()))
    if refusal := _not_by_us(request):
        return _page(request, version, token, choice, problem=refusal, status=422)
    try:
        act(version_id=version.pk, at=timezone.now())
    except answering.NotOpen:
        return _page(request, _fresh(version), token, choice, status=409)
    return _back(request, token)
