"""The words of mails as they are now, and their change: by whom, when, from what."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.models import Company, MailWording, Message
from invoices.outbox.queueing import queue
from invoices.outbox.wording import (
    LONGEST_BODY,
    LONGEST_SUBJECT,
    Example,
    Problem,
    Values,
    Wording,
    filled,
    page,
    problems_of,
    wording_of,
)

TEST = "wording_test"


class WordsRefused(Exception):
    """Nothing was kept; `problems` say in which line and why."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(" ".join(said(problem) for problem in problems))
        self.problems = problems


class WordsChanged(Exception):
    """Somebody else kept another text meanwhile; the message is written for staff."""


def said(problem: Problem) -> str:
    if not problem.line:
        return problem.text[:1].upper() + problem.text[1:]
    return _("Line %(line)s: %(text)s") % {"line": problem.line, "text": problem.text}


def latest(kind: str, language: str) -> MailWording | None:
    return MailWording.objects.filter(kind=kind, language=language).first()


def words_now(wording: Wording, language: str) -> tuple[str, str]:
    """Subject and body that leave today: of staff, or those that the portal brings."""
    row = latest(wording.kind, language)
    if row is None or row.is_standard:
        return wording.standard[language]
    return row.subject, row.body


def mail_of(kind: str, language: str, values: Values) -> tuple[str, str, str]:
    """Subject, text and HTML of a mail that leaves now."""
    wording = wording_of(kind)
    assert wording is not None, kind
    return worded(*words_now(wording, language), values, language)


def worded(subject: str, body: str, values: Values, language: str) -> tuple[str, str, str]:
    title, text, html = filled(subject, body, values)
    return title, text, page(html, title=title, language=language)


def check(wording: Wording, subject: str, body: str) -> None:
    """Raises WordsRefused."""
    found = problems_of(wording, subject, body)
    if not subject.strip():
        found.append(Problem(0, _("The subject is empty.")))
    if not body.strip():
        found.append(Problem(0, _("The text is empty.")))
    if len(subject) > LONGEST_SUBJECT or len(body) > LONGEST_BODY:
        found.append(
            Problem(
                0,
                _("At most %(subject)s characters of subject and %(body)s of text.")
                % {"subject": LONGEST_SUBJECT, "body": LONGEST_BODY},
            )
        )
    if found:
        raise WordsRefused(found)


def keep(
    wording: Wording, language: str, *, subject: str, body: str, seen: int, by: User
) -> MailWording | None:
    """Another version; None where nothing differs. `seen` is the id of the version that was shown
    (0 for none). Raises WordsRefused, WordsChanged."""
    check(wording, subject, body)
    with transaction.atomic():
        _refuse_unless_seen(wording, language, seen)
        if words_now(wording, language) == (subject, body):
            return None
        is_standard = wording.standard[language] == (subject, body)
        return MailWording.objects.create(
            kind=wording.kind,
            language=language,
            subject="" if is_standard else subject,
            body="" if is_standard else body,
            is_standard=is_standard,
            by=by,
        )


def back_to_standard(wording: Wording, language: str, *, seen: int, by: User) -> MailWording | None:
    """Raises WordsChanged."""
    subject, body = wording.standard[language]
    return keep(wording, language, subject=subject, body=body, seen=seen, by=by)


def _refuse_unless_seen(wording: Wording, language: str, seen: int) -> None:
    # One row of the company: whoever changes words waits here for whoever does it too.
    Company.objects.select_for_update().filter(pk=1).first()
    row = latest(wording.kind, language)
    if row is None and seen:
        # Rows are kept: no page of ours says that.
        raise WordsChanged(_("This page is out of date: open it again, then change the text."))
    if row is not None and row.pk != seen:
        raise WordsChanged(
            _("%(who)s changed this text meanwhile: look at it before you change it again.")
            % {"who": row.by}
        )


def send_test(
    wording: Wording,
    language: str,
    *,
    subject: str,
    body: str,
    example: Example,
    key: str,
    to: User,
) -> Message:
    """The text as typed, filled from a real document, to oneself. Raises WordsRefused, MailRefused.

    `key` is that of the form: sent twice, it is one mail.
    """
    check(wording, subject, body)
    title, text, html = worded(subject, body, example.values, language)
    return queue(
        reason_key=f"wording-test:{to.pk}:{key}"[:200],
        kind=TEST,
        to=[to.email],
        subject=_("[Test] %(subject)s") % {"subject": title},
        body_text=text,
        body_html=html,
        language=language,
        by=to,
    )
