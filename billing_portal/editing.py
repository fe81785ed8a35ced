"""Two people edit one row: each saves what they changed, and hears of the other where both did.

An edit page carries the values that it showed (`{% shown form %}`). Saving locks the row and looks
at three versions of each field: as shown, as it is now, as sent. What the person left alone keeps
the value of now, whoever put it there, a colleague or an import. What both changed is not saved but
shown beside each other: press Save again for one's own value, tick the box for the other's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from django import forms
from django.core import signing
from django.db import IntegrityError, models, transaction
from django.forms.boundfield import BoundField
from django.http import Http404, HttpRequest, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal import dates
from billing_portal.accounts.models import User
from billing_portal.changes import last_change, write_down

SHOWN = "shown"
THEIRS = "theirs"
F = TypeVar("F", bound=forms.BaseForm)
T = TypeVar("T")
# What a field sends: a list, for boxes and choices of several send none or many.
Sent = list[str]


class NotSaved(Exception):
    """Nothing was saved; the form says why, and what somebody else wrote meanwhile."""

    def __init__(self, form: Any) -> None:
        super().__init__("not saved")
        self.form = form


@dataclass(frozen=True)
class Conflict:
    name: str
    label: str
    # Their value in words, and who put it there and when as far as it is known.
    theirs: str
    sentence: str


@dataclass
class Merge:
    """`data` is what to bind the form to; `conflicts` are the fields that both changed."""

    data: QueryDict
    conflicts: list[Conflict]
    unreadable: bool = False


def token_of(form: forms.BaseForm) -> str:
    """The values of an unbound form as its page shows them."""
    values = {name: sent_of(form[name]) for name in form.fields}
    return signing.dumps({"at": int(timezone.now().timestamp()), "values": values}, compress=True)


def sent_of(field: BoundField) -> Sent:
    """What an unbound field would send if nobody touched it."""
    widget, value = field.field.widget, field.value()
    if isinstance(widget, forms.FileInput):
        return []
    if isinstance(widget, forms.CheckboxInput):
        return ["on"] if widget.check_test(value) else []
    written = widget.format_value(value)
    many = written if isinstance(written, list | tuple) else [written]
    return _plain(many)


def _plain(values: Any) -> Sent:
    """As texts to compare: browsers send line breaks as CR LF, fields drop blanks at the ends."""
    texts = (str(value).replace("\r\n", "\n").strip() for value in values if value is not None)
    return sorted(text for text in texts if text)


def _sent(form: forms.BaseForm, name: str, data: QueryDict) -> Sent:
    if isinstance(form.fields[name].widget, forms.CheckboxInput):
        return ["on"] if data.get(form.add_prefix(name)) else []
    return _plain(data.getlist(form.add_prefix(name)))


def merged(data: QueryDict, now: forms.BaseForm, row: models.Model) -> Merge:
    """What was sent, over what the row says now; `now` is the unbound form of the locked row."""
    found = Merge(data.copy(), [])
    if not (text := data.get(SHOWN, "")):
        # Made by hand, not by our page: there is nothing to compare with.
        return found
    try:
        shown = signing.loads(text)
        since = datetime.fromtimestamp(shown["at"], UTC)
    except (signing.BadSignature, KeyError, TypeError, ValueError):
        found.unreadable = True
        return found
    taken = data.getlist(THEIRS)
    for name in now.fields:
        if name not in shown["values"]:
            continue
        before, current, mine = shown["values"][name], sent_of(now[name]), _sent(now, name, data)
        if name in taken or mine == before:
            found.data.setlist(now.add_prefix(name), current)
            continue
        if current in (before, mine):
            continue
        found.conflicts.append(_conflict(now[name], current, row, since))
    return found


def _conflict(field: BoundField, current: Sent, row: models.Model, since: datetime) -> Conflict:
    theirs = ", ".join(_in_words(field, text) for text in current) or _("nothing")
    change = last_change(row, since=since, fields=[field.name])
    if change is None:
        sentence = _("Meanwhile it became “%(value)s”.") % {"value": theirs}
    else:
        sentence = _("%(who)s made it “%(value)s” (%(moment)s).") % {
            "who": change.who,
            "value": theirs,
            "moment": dates.moment(change.at),
        }
    return Conflict(field.name, str(field.label), theirs, sentence)


def _in_words(field: BoundField, text: str) -> str:
    if isinstance(field.field.widget, forms.CheckboxInput):
        return _("yes")
    for value, label in getattr(field.field, "choices", ()) or ():
        if str(value) == text:
            return str(label)
    return text


def save_edit(
    request: HttpRequest,
    *,
    lock: Callable[[], models.Model | None],
    build: Callable[[QueryDict | None, Any], F],
    save: Callable[[F], T],
    by: User,
) -> T:
    """Lock the row, merge, validate, save, and write down who changed what. Raises NotSaved.

    `build` makes the form of a row, unbound without data.
    """
    with transaction.atomic():
        if (row := lock()) is None:
            raise Http404
        now = build(None, row)
        merge = merged(request.POST, now, row)
        form: Any = build(merge.data, row)
        form.shown_token, form.conflicts, form.is_merged = token_of(now), merge.conflicts, True
        if merge.unreadable:
            form.add_error(None, _("This page is too old to be saved from: load it again."))
        for conflict in merge.conflicts:
            form.add_error(conflict.name, conflict.sentence)
        if not form.is_valid():
            raise NotSaved(form)
        changed = [name for name in form.changed_data if name != SHOWN]
        result = save_unless_taken(form, lambda: save(form))
        if changed:
            write_down(row, changed, by)
        return result


def save_unless_taken(form: Any, save: Callable[[], T]) -> T:
    """`save()` of a valid form. Raises NotSaved where somebody saved the same in that very moment.

    A unique key then refuses what the form found free. Asked again, the form sees the other's row
    and says what it says of one that was there before.
    """
    try:
        with transaction.atomic():
            return save()
    except IntegrityError:
        form.full_clean()
        if form.is_valid():
            # It was something else.
            raise
        raise NotSaved(form) from None
