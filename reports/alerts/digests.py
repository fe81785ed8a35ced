"""The mails about new alerts: one per recipient and run of a rule, in the recipient's language.

Queued in the transaction that writes the alerts. Its key names rule, day, recipient and the alerts
it tells of, so that a later run of the same day may still speak about something new.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.accounts.models import User
from invoices.company.currencies import company_currency
from invoices.models import Client, Company, Deal, Invoice, Message
from invoices.outbox.kinds import Kind, Moot, Render, Words
from invoices.outbox.queueing import MailRefused, queue
from reports.alerts.permissions import HANDLE, may_see, openable
from reports.alerts.subjects import with_subjects
from reports.alerts.words import name_of, words_of
from reports.models import Alert, AlertRule

logger = logging.getLogger(__name__)

KIND = "alert"
# So many are told in full; the rest is a number and a link.
LISTED = 25


@dataclass
class Recipient:
    email: str
    name: str
    language: str
    alerts: list[Alert] = field(default_factory=list)
    # None for an address of nobody here.
    user: User | None = None


def queue_digests(*, rule: AlertRule, alerts: Sequence[Alert], on: date) -> int:
    """Put the mails about saved `alerts` into the outbox; the number of mails."""
    queued = 0
    for recipient in recipients(rule, alerts):
        try:
            queue(
                reason_key=reason_key(rule, recipient, on),
                kind=KIND,
                to=[recipient.email],
                subject=subject_of(rule, recipient),
                data={
                    "rule": rule.pk,
                    "alerts": [alert.pk for alert in recipient.alerts],
                    "user": recipient.user.pk if recipient.user else None,
                },
                language="fr" if recipient.language.startswith("fr") else "en",
            )
        except MailRefused as refusal:
            # An address that has become wrong keeps neither the alerts nor the other mails back.
            logger.warning("alert rule %s: a recipient was left out: %s", rule.pk, refusal)
        else:
            queued += 1
    return queued


class AlertMail(Kind):
    """Worded when it leaves, for who receives it: what he may not open is no link."""

    def __init__(self, render: Render) -> None:
        self._render = render

    def words(self, message: Message) -> Words:
        if "rule" not in message.data:
            # Queued before mails were worded when they leave.
            return super().words(message)
        rule = AlertRule.objects.filter(pk=message.data["rule"]).first()
        found = Alert.objects.in_bulk(message.data["alerts"])
        alerts = [found[pk] for pk in message.data["alerts"] if pk in found]
        if rule is None or not alerts:
            raise Moot("no_alert_left")
        number = message.data["user"]
        user = User.objects.filter(pk=number, is_active=True).first()
        if number and user is None:
            raise Moot("reader_left")
        recipient = Recipient(message.to[0], str(user or ""), "", alerts, user)
        return compose(rule, recipient, self._render)

    def reason(self, code: str) -> str:
        if code == "reader_left":
            return _("Whom it was for has left, so it was not sent.")
        return _("The alerts that it tells of are no longer here, so it was not sent.")


def reason_key(rule: AlertRule, recipient: Recipient, on: date) -> str:
    content = "\n".join([recipient.email, *sorted(alert.reason_key for alert in recipient.alerts)])
    return f"alert:{rule.pk}:{on}:{hashlib.sha256(content.encode()).hexdigest()[:24]}"


def recipients(rule: AlertRule, alerts: Sequence[Alert]) -> list[Recipient]:
    """Each address once. Owners are told of what is theirs, the others of everything."""
    found: dict[str, Recipient] = {}
    company = Company.ours()
    for user in _people(rule):
        found[user.email.lower()] = Recipient(
            user.email, str(user), user.language, list(alerts), user
        )
    for address in rule.recipients.get("emails", []):
        language = company.language if company else "fr"
        found.setdefault(address.lower(), Recipient(address, "", language, list(alerts)))
    if rule.recipients.get("owner"):
        for alert, owner in _owned(alerts):
            own = found.setdefault(
                owner.email.lower(), Recipient(owner.email, str(owner), owner.language, user=owner)
            )
            if alert not in own.alerts:
                own.alerts.append(alert)
    return list(found.values())


def _people(rule: AlertRule) -> list[User]:
    chosen = Q(pk__in=rule.recipients.get("users", [])) | Q(
        role__in=rule.recipients.get("roles", [])
    )
    return list(User.objects.filter(chosen, is_active=True).order_by("pk"))


def _owned(alerts: Sequence[Alert]) -> list[tuple[Alert, User]]:
    """Alerts with the owner of their invoice, deal or client; a client type has none.

    Unsaved ones too; of saved ones `Alert.objects.visible_to` says the same.
    """
    keys: dict[tuple[str, int], int] = {}
    for name, rows in (
        ("invoice", Invoice.objects), ("deal", Deal.objects), ("client", Client.objects),
    ):  # fmt: skip
        wanted = list({getattr(alert, f"{name}_id") for alert in alerts} - {None})
        for start in range(0, len(wanted), 500):
            part = rows.filter(pk__in=wanted[start : start + 500], owner__isnull=False)
            for pk, owner in part.order_by().values_list("pk", "owner_id"):
                keys[name, pk] = owner
    people = User.objects.filter(is_active=True).in_bulk(list(set(keys.values())))
    found = []
    for alert in alerts:
        owner_id = (
            keys.get(("invoice", alert.invoice_id or 0))
            or keys.get(("deal", alert.deal_id or 0))
            or keys.get(("client", alert.client_id or 0))
        )
        if owner_id in people:
            found.append((alert, people[owner_id]))
    return found


def subject_of(rule: AlertRule, recipient: Recipient) -> str:
    """The subject of the mail, as `compose` words it."""
    with translation.override(recipient.language or translation.get_language()):
        currency = company_currency()
        first = words_of(with_subjects(recipient.alerts[:1])[0], currency)
        return _subject(name_of(rule, currency), first.title, len(recipient.alerts))


def _subject(rule_name: str, first: str, number: int) -> str:
    found = first
    if number > 1:
        found = ngettext("%(rule)s: %(n)s alert", "%(rule)s: %(n)s alerts", number) % {
            "rule": rule_name,
            "n": number,
        }
    return " ".join(found.split())[:250]


def compose(rule: AlertRule, recipient: Recipient, render: Render) -> Words:
    """The mail as the recipient reads it, "" being the language of now; alerts may be unsaved."""
    number, currency = len(recipient.alerts), company_currency()
    with translation.override(recipient.language or translation.get_language()):
        rule_name = name_of(rule, currency)
        shown = with_subjects(recipient.alerts[:LISTED])
        opens = openable(shown, recipient.user) if recipient.user else []
        listed = [words_of(alert, currency) for alert in shown]
        subject = _subject(rule_name, listed[0].title, number)
        context = {
            "rule_name": rule_name,
            "recipient": recipient,
            "subject": subject,
            "listed": [
                (words, absolute(words.url) if alert in opens else "")
                for alert, words in zip(shown, listed, strict=True)
            ],
            "more": number - len(listed),
            "inbox": _inbox(recipient.user),
            "may_handle": recipient.user is not None and recipient.user.has_perm(HANDLE),
            "greeting": _("Good morning %(name)s,") % {"name": recipient.name}
            if recipient.name
            else _("Good morning,"),
        }
        return Words(
            subject=subject,
            text=render("reports/alerts/email/alert.txt", context),
            html=render("reports/alerts/email/alert.html", context),
        )


def _inbox(user: User | None) -> str:
    if user is None or not may_see(user):
        return ""
    return absolute(reverse("reports:alerts"))


def absolute(url: str) -> str:
    return f"{settings.BASE_URL}{url}" if url else ""
