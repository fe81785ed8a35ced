"""Files are put beside a document and taken away again; its mails carry those that stand there.

A mail carries what stood there when it was queued (`Message.enclosures`): that stays as it is. What
a mail is about to carry cannot be taken away under it, and what a mail did carry is kept.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.attachments.kinds import ENDINGS, Unknown, kind_of
from invoices.models import Attachment, Invoice, Message, Quote, StandingFile, StoredFile

Owner = Invoice | Quote
MOST_FILES: Final = 10
MOST_BYTES: Final = 8 * 2**20
# Many mail servers take 20 MB, and a file grows by a third on its way (base64); the PDF comes too.
MOST_IN_ALL: Final = 12 * 2**20


class AttachmentRefused(Exception):
    """Nothing was put there or taken away; the message is written for staff."""


def attachments_of(owner: Owner) -> QuerySet[Attachment]:
    """Those that people put beside it and that stand there now, without their bytes."""
    rows = owner.attachments.filter(removed_at__isnull=True, standing__isnull=True)
    return rows.select_related("file", "added_by").defer("file__content")


# ─ Files of the company ─────────────────────────────────────────────────────────────────────────
def standing_for(owner: Owner) -> list[StandingFile]:
    """What goes with each email of such a document, and does not stand beside it anyway."""
    if isinstance(owner, Quote):
        version = owner.version
        name, language = "on_quotes", version.language if version else "fr"
    else:
        language = owner.language
        name = "on_deposits" if owner.is_deposit else "on_invoices"
        name = "on_credit_notes" if owner.is_credit_note else name
    rows = StandingFile.objects.filter(
        removed_at__isnull=True, language__in=["", "fr" if language == "fr" else "en"]
    ).filter(**{name: True})
    own = attachments_of(owner).values_list("file", flat=True)
    rows = rows.exclude(file__in=list(own)).select_related("file").defer("file__content")
    # One file may stand there twice, for any language and for this one.
    return list({each.file_id: each for each in rows}.values())


def enclosed(owner: Owner, chosen: Collection[int] | None = None) -> list[Attachment]:
    """What an email of it carries: what stands beside it, and of the company's files those that are
    chosen, all of them if nobody was asked. The caller holds its lock.

    Raises AttachmentRefused for more than a mail server takes.
    """
    found = list(attachments_of(owner))
    wanted = [each for each in standing_for(owner) if chosen is None or each.pk in chosen]
    size = sum(each.file.size for each in found) + sum(each.file.size for each in wanted)
    if size > MOST_IN_ALL:
        raise AttachmentRefused(
            _(
                "With the files of the company the attachments are larger than %(most)s together, "
                "and mail servers refuse such an email: untick one of them, or take one away."
            )
            % {"most": megabytes(MOST_IN_ALL)}
        )
    return [*found, *(_carried(owner, each) for each in wanted)]


def _carried(owner: Owner, standing: StandingFile) -> Attachment:
    """Its row beside the document, which says later that an email of it carried the file."""
    rows = Attachment.objects.filter(removed_at__isnull=True, file=standing.file_id)
    return rows.filter(**_column(owner)).first() or Attachment.objects.create(
        file_id=standing.file_id,
        **_column(owner),
        filename=standing.filename,
        standing=standing,
    )


# ─ Putting one beside a document ────────────────────────────────────────────────────────────────
def add(*, owner: Owner, name: str, content: bytes, by: User | None) -> Attachment:
    """Put a file beside it; the same file again is the one that stands there.

    Raises AttachmentRefused for a kind that does not travel, an empty or too large file, and past
    MOST_FILES or MOST_IN_ALL.
    """
    filename, kind = taken(name, content)
    with transaction.atomic():
        _lock(owner)
        digest = hashlib.sha256(content).hexdigest()
        rows = Attachment.objects.filter(removed_at__isnull=True, file__sha256=digest)
        same = rows.filter(**_column(owner)).first()
        if same is not None:
            if same.standing_id is not None:
                # From now on it is this document's own.
                same.standing = None
                same.save(update_fields=["standing"])
            return same
        _check_room(owner, len(content), filename)
        file = stored(content, kind)
        return Attachment.objects.create(
            file=file,
            **_column(owner),
            filename=filename,
            added_by=by,
        )


def taken(name: str, content: bytes) -> tuple[str, str]:
    """The name that a file gets and its kind. Raises AttachmentRefused."""
    filename = safe_name(name)
    values = {"name": filename}
    if not content:
        raise AttachmentRefused(_("%(name)s is empty.") % values)
    if len(content) > MOST_BYTES:
        values["most"] = megabytes(MOST_BYTES)
        raise AttachmentRefused(_("%(name)s is larger than %(most)s.") % values)
    try:
        kind = kind_of(content)
    except Unknown as unknown:
        raise AttachmentRefused(_why(unknown.code) % values) from None
    if filename.rpartition(".")[2].lower() not in ENDINGS[kind]:
        filename = f"{filename[:115]}.{ENDINGS[kind][0]}"
    return filename, kind


def stored(content: bytes, kind: str) -> StoredFile:
    """The bytes, once however often they are put somewhere."""
    file, _new = StoredFile.objects.get_or_create(
        sha256=hashlib.sha256(content).hexdigest(),
        defaults={"content_type": kind, "content": content, "size": len(content)},
    )
    return file


def _check_room(owner: Owner, size: int, filename: str) -> None:
    standing = attachments_of(owner)
    if standing.count() >= MOST_FILES:
        raise AttachmentRefused(
            _("At most %(most)s files go with one document: %(name)s was not taken.")
            % {"most": MOST_FILES, "name": filename}
        )
    before = standing.aggregate(sum=Sum("file__size"))["sum"] or 0
    before += sum(each.file.size for each in standing_for(owner))
    if before + size > MOST_IN_ALL:
        raise AttachmentRefused(
            _(
                "With %(name)s the attachments would be larger than %(most)s together, and mail "
                "servers refuse such an email: it was not taken."
            )
            % {"name": filename, "most": megabytes(MOST_IN_ALL)}
        )


def megabytes(size: int) -> str:
    return _("%(n)s MB") % {"n": size // 2**20}


def _why(code: str) -> str:
    if code == "macros":
        return _("%(name)s has macros, and mail servers refuse those: save it without them.")
    if code == "markup":
        return _("%(name)s is a web page or drawing that may run a script: send it as a PDF.")
    return _("%(name)s is none of the files that can be attached: PDF, PNG, JPEG, XLSX, DOCX, CSV.")


def remove(*, attachment_id: int, by: User | None) -> None:
    """Take it away. Raises AttachmentRefused while a mail that has not left yet carries it."""
    with transaction.atomic():
        found = (
            Attachment.objects.filter(pk=attachment_id).select_related("invoice", "quote").first()
        )
        if found is None or found.removed_at is not None:
            return
        _lock(owner_of(found))
        mails = list(
            Message.objects.filter(enclosures=found).order_by("pk").select_for_update(of=("self",))
        )
        State = Message.State
        if any(mail.state in (State.QUEUED, State.SENDING) for mail in mails):
            raise AttachmentRefused(
                _("An email that is about to leave carries it: cancel that email first.")
            )
        for mail in mails:
            # It did not leave; sent again it goes without.
            if mail.state != State.SENT:
                mail.enclosures.remove(found)
        if _has_left(owner_of(found)) or any(mail.state == State.SENT for mail in mails):
            found.removed_at, found.removed_by = timezone.now(), by
            found.save(update_fields=["removed_at", "removed_by"])
            return
        file = found.file
        found.delete()
        discard_unused(file)


def discard_unused(file: StoredFile) -> None:
    if not file.attachments.exists() and not file.standing.exists():
        file.delete()


def _column(owner: Owner) -> dict[str, Any]:
    return {"invoice" if isinstance(owner, Invoice) else "quote": owner}


def show_to_client(*, attachment_id: int, shown: bool) -> None:
    """Whether the client of a quote finds it on the page behind the link."""
    Attachment.objects.filter(pk=attachment_id, quote__isnull=False).update(shown_to_client=shown)


def owner_of(attachment: Attachment) -> Owner:
    owner = attachment.invoice or attachment.quote
    assert owner is not None
    return owner


def _has_left(owner: Owner) -> bool:
    return not owner.is_draft if isinstance(owner, Invoice) else owner.first_sent_on is not None


def _lock(owner: Owner) -> None:
    # Sending locks it too: a mail carries what stands there, all of it.
    list(type(owner)._default_manager.select_for_update().filter(pk=owner.pk).values_list("pk"))


def safe_name(name: str) -> str:
    """A name that is one line, no path, and none of the signs that turn the reading direction."""
    last = re.split(r"[/\\]", name)[-1]
    kept = "".join(
        sign for sign in last if unicodedata.category(sign) not in ("Cc", "Cf", "Zl", "Zp", "Cs")
    )
    kept = re.sub(r'[<>:"|?*;]', "-", " ".join(kept.split())).strip(". ")
    stem, dot, ending = kept.rpartition(".")
    if dot and len(ending) <= 5:
        return f"{stem[: 119 - len(ending)] or 'file'}.{ending}"
    return kept[:120] or "file"
