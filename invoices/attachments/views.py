"""The attachments of an invoice or a quote: listed, uploaded, taken away, downloaded."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing_portal.htmx import StaffRequest, render_page
from invoices.attachments import keeping, standing
from invoices.attachments.forms import StandingForm
from invoices.attachments.keeping import AttachmentRefused, Owner, attachments_of, owner_of
from invoices.models import Attachment, Invoice, Quote, StandingFile


@require_GET
@permission_required("invoices.view_invoice", raise_exception=True)
def attachments(request: StaffRequest, what: str, pk: int) -> HttpResponse:
    """A page of its own, and for htmx the card that other pages show."""
    return _card(request, _owner(request, what, pk), [])


def _owner(request: StaffRequest, what: str, pk: int) -> Owner:
    if what == "invoice":
        return get_object_or_404(Invoice.objects.visible_to(request.user), pk=pk)
    if what == "quote":
        return get_object_or_404(Quote.objects.visible_to(request.user), pk=pk)
    raise Http404


def _card(request: StaffRequest, owner: Owner, problems: list[str], taken: int = 0) -> HttpResponse:
    is_quote = isinstance(owner, Quote)
    kind = "quote-" if is_quote else ""
    context = {
        "owner": owner,
        "add_url": reverse(f"invoices:{kind}attachment-add", args=[owner.pk]),
        "is_quote": is_quote,
        "nav_section": "quotes" if is_quote else "invoices",
        "back": reverse("invoices:quote" if is_quote else "invoices:detail", args=[owner.pk]),
        "rows": list(attachments_of(owner)),
        "problems": problems,
        "taken": taken,
        "most_each": keeping.MOST_BYTES,
        "most_all": keeping.MOST_IN_ALL,
        "most_files": keeping.MOST_FILES,
        "may": request.user.has_perm(
            "invoices.change_quote" if is_quote else "invoices.change_invoice"
        ),
    }
    return render_page(
        request,
        page="invoices/attachments/attachments.html",
        partial="invoices/attachments/partials/card.html",
        context=context,
        status=422 if problems else 200,
    )


@require_POST
@permission_required("invoices.change_invoice", raise_exception=True)
def add(request: StaffRequest, what: str, pk: int) -> HttpResponse:
    """Each file is taken or refused by itself: what is wrong with one does not lose the others."""
    owner = _owner(request, what, pk)
    problems: list[str] = []
    taken = 0
    files = request.FILES.getlist("files")
    if getattr(request, "upload_too_large", False):
        problems.append(_("That was too much at once: nothing was taken. Choose fewer files."))
    elif not files:
        problems.append(_("Choose a file first."))
    else:
        for file in files[: keeping.MOST_FILES + 1]:
            try:
                keeping.add(owner=owner, name=file.name or "", content=file.read(), by=request.user)
                taken += 1
            except AttachmentRefused as refusal:
                problems.append(str(refusal))
    return _card(request, owner, problems, taken)


def _one(request: StaffRequest, pk: int) -> Attachment:
    """Of a document that this person may see; one that was taken away as long as a mail has it."""
    rows = Attachment.objects.select_related("file", "invoice", "quote")
    found = get_object_or_404(rows, pk=pk)
    _owner(request, "quote" if found.quote_id else "invoice", owner_of(found).pk)
    return found


@require_GET
@permission_required("invoices.view_invoice", raise_exception=True)
def download(request: StaffRequest, pk: int) -> HttpResponse:
    return as_download(_one(request, pk))


def as_download(found: Attachment | StandingFile) -> HttpResponse:
    """Never opened in the portal's own window, whatever it is; SecurityMiddleware adds nosniff."""
    answer = HttpResponse(bytes(found.file.content), content_type=found.file.content_type)
    answer["Content-Disposition"] = content_disposition_header(True, found.filename)
    answer["Cache-Control"] = "private, no-cache"
    return answer


@require_POST
@permission_required("invoices.change_invoice", raise_exception=True)
def remove(request: StaffRequest, pk: int) -> HttpResponse:
    found = _one(request, pk)
    problems = []
    try:
        keeping.remove(attachment_id=pk, by=request.user)
    except AttachmentRefused as refusal:
        problems.append(str(refusal))
    return _card(request, owner_of(found), problems)


@require_POST
@permission_required("invoices.change_invoice", raise_exception=True)
def show(request: StaffRequest, pk: int) -> HttpResponse:
    found = _one(request, pk)
    keeping.show_to_client(attachment_id=pk, shown="shown" in request.POST)
    return _card(request, owner_of(found), [])


# ─ Files of the company ─────────────────────────────────────────────────────────────────────────
_SETTINGS = "accounts.change_company"


@require_http_methods(["GET", "POST"])
@permission_required(_SETTINGS, raise_exception=True)
def standing_files(request: StaffRequest) -> HttpResponse:
    """The files that go with each email of some kinds of documents; another one is put there."""
    problems: list[str] = []
    form = StandingForm(request.POST or None)
    if request.method == "POST":
        file = request.FILES.get("file")
        if getattr(request, "upload_too_large", False):
            problems.append(_("The file was too large and was not read. Nothing was saved."))
        elif file is None:
            problems.append(_("Choose a file first."))
        elif form.is_valid():
            try:
                standing.put(
                    name=file.name or "",
                    content=file.read(),
                    kinds=form.cleaned_data["kinds"],
                    language=form.cleaned_data["language"],
                    by=request.user,
                )
                form = StandingForm()
            except AttachmentRefused as refusal:
                problems.append(str(refusal))
        else:
            problems += [str(text) for texts in form.errors.values() for text in texts]
    return _standing_card(request, form, problems, put=request.method == "POST" and not problems)


def _standing_card(
    request: StaffRequest, form: StandingForm, problems: list[str], *, put: bool = False
) -> HttpResponse:
    rows = [
        (each, [words for kind, words in StandingFile.KINDS.items() if getattr(each, kind)])
        for each in standing.all_standing()
    ]
    context = {
        "rows": rows,
        "form": form,
        "problems": problems,
        "put": put,
        "most_all": standing.MOST_IN_ALL,
        "most_files": standing.MOST_FILES,
    }
    return render_page(
        request,
        page="invoices/attachments/standing.html",
        partial="invoices/attachments/partials/standing_card.html",
        context=context,
        status=422 if problems else 200,
    )


@require_GET
@permission_required(_SETTINGS, raise_exception=True)
def standing_file(request: StaffRequest, pk: int) -> HttpResponse:
    return as_download(get_object_or_404(StandingFile.objects.select_related("file"), pk=pk))


@require_POST
@permission_required(_SETTINGS, raise_exception=True)
def standing_remove(request: StaffRequest, pk: int) -> HttpResponse:
    standing.take_away(standing_id=pk, by=request.user)
    return _standing_card(request, StandingForm(), [])
