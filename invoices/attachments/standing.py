"""Files of the company that go with the emails of its documents: put there, and taken away."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.attachments.keeping import (
    AttachmentRefused,
    discard_unused,
    megabytes,
    stored,
    taken,
)
from invoices.models import Company, StandingFile

# What they leave of the room in an email is for the document and the files beside it.
MOST_IN_ALL: Final = 6 * 2**20
MOST_FILES: Final = 5


def all_standing() -> QuerySet[StandingFile]:
    rows = StandingFile.objects.filter(removed_at__isnull=True)
    return rows.select_related("file", "added_by").defer("file__content")


def put(
    *, name: str, content: bytes, kinds: Collection[str], language: str, by: User | None
) -> StandingFile:
    """From now on it goes with each email of these kinds of documents (`StandingFile.KINDS`); the
    same file again, in the same language, takes these kinds. Raises AttachmentRefused."""
    if not kinds or set(kinds) - set(StandingFile.KINDS):
        raise AttachmentRefused(_("Choose with which documents it goes."))
    if language not in StandingFile.Language.values:
        raise AttachmentRefused(_("Documents are in French or in English."))
    filename, kind = taken(name, content)
    wanted = {each: each in kinds for each in StandingFile.KINDS}
    with transaction.atomic():
        # Two who put one there at once would both find room.
        if not Company.objects.select_for_update().filter(pk=1).exists():
            raise AttachmentRefused(_("Say who sells: fill in the company in Settings."))
        file = stored(content, kind)
        same = all_standing().filter(file=file, language=language).first()
        _check_room(kinds, language, file.size, filename, but=same)
        if same is not None:
            for each, goes in wanted.items():
                setattr(same, each, goes)
            same.save(update_fields=list(wanted))
            return same
        return StandingFile.objects.create(
            file=file, filename=filename, language=language, added_by=by, **wanted
        )


def _check_room(
    kinds: Collection[str], language: str, size: int, filename: str, *, but: StandingFile | None
) -> None:
    for each in ("fr", "en") if not language else (language,):
        for kind in kinds:
            rows = all_standing().filter(language__in=["", each], **{kind: True})
            sizes = [row.file.size for row in rows if row != but]
            if len(sizes) >= MOST_FILES or sum(sizes) + size > MOST_IN_ALL:
                raise AttachmentRefused(
                    _(
                        "At most %(files)s files of %(most)s together go with each email: "
                        "%(name)s was not taken."
                    )
                    % {"files": MOST_FILES, "most": megabytes(MOST_IN_ALL), "name": filename}
                )


def take_away(*, standing_id: int, by: User | None) -> None:
    """It goes with no email any more; those that wait carry it still. Done twice, it is done."""
    with transaction.atomic():
        found = StandingFile.objects.select_for_update().filter(pk=standing_id).first()
        if found is None or found.removed_at is not None:
            return
        if found.carried.exists():
            found.removed_at, found.removed_by = timezone.now(), by
            found.save(update_fields=["removed_at", "removed_by"])
            return
        file = found.file
        found.delete()
        discard_unused(file)
