"""Who may come in: invite, change, close. There is always somebody left who can."""

from __future__ import annotations

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User


class PersonRefused(Exception):
    """The person cannot be invited or changed so; the message is written for the administrator."""


def set_password_link(user: User) -> str:
    """Works for three days, until it is used or the person signs in."""
    key = default_token_generator.make_token(user)
    path = reverse(
        "account_reset_password_from_key",
        kwargs={"uidb36": user_pk_to_url_str(user), "key": key},
    )
    return f"{settings.BASE_URL}{path}"


def invite(*, email: str, name: str, role: str, language: str, by: User) -> User:
    """Make the person, who then chooses a password. One that the CRM named only is taken over."""
    email = email.strip().lower()
    validate_email(email)
    given = {"name": name, "role": role, "language": language}
    with transaction.atomic():
        known = User.objects.select_for_update().filter(email__iexact=email).first()
        if known is None:
            try:
                with transaction.atomic():
                    return User.objects.create_user(email, None, **given)
            except IntegrityError:
                # Another administrator was quicker by a moment.
                known = User.objects.select_for_update().get(email__iexact=email)
        if known.has_usable_password():
            raise PersonRefused(
                _("%(email)s works here already: change their role on their own page.")
                % {"email": email}
            )
        known.name = name or known.name
        known.role, known.language, known.is_active = role, language, True
        known.save(update_fields=["name", "role", "language", "is_active"])
        return known


def send_invitation(*, user: User, by: User) -> bool:
    """Mail the link; False when the mail server does not take it.

    Not through the outbox: whoever reads the outbox could take the link, and the account with it.
    """
    with translation.override(user.language):
        subject = _("Your access to billing")
        body = _(
            "Hello %(name)s,\n\n"
            "%(inviter)s invites you to the billing portal. Choose your password here; the link "
            "works for three days, once:\n\n"
            "%(link)s\n\n"
            "Afterwards you sign in at %(address)s with %(email)s."
        ) % {
            "name": user.name or user.email,
            "inviter": str(by),
            "link": set_password_link(user),
            "address": settings.BASE_URL,
            "email": user.email,
        }
    try:
        send_mail(subject, body, settings.DEFAULT_FROM_EMAIL, [user.email])
    except OSError:
        # smtplib's errors are OSErrors too.
        return False
    return True


def lock_people(pk: int) -> User:
    """The person under lock, and with them every administrator: always in one order."""
    wanted = Q(role=User.Role.ADMINISTRATOR, is_active=True) | Q(pk=pk)
    rows = User.objects.select_for_update().filter(wanted).order_by("pk")
    return next(user for user in rows if user.pk == pk)


def change_person(
    *, user_id: int, name: str, role: str, language: str, is_active: bool, by: User
) -> User:
    with transaction.atomic():
        # Both rows that two administrators could demote at once are locked, in one order.
        administrators = set(
            User.objects.select_for_update()
            .filter(role=User.Role.ADMINISTRATOR, is_active=True)
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        user = User.objects.select_for_update().get(pk=user_id)
        stays = is_active and role == User.Role.ADMINISTRATOR
        if user.pk in administrators and not stays and _sign_in(administrators - {user.pk}) == 0:
            raise PersonRefused(
                _("%(person)s is the last administrator: make somebody else one first.")
                % {"person": user}
            )
        user.name, user.role, user.language, user.is_active = name, role, language, is_active
        # The admin site is for those who administer.
        user.is_staff = user.is_staff and role == User.Role.ADMINISTRATOR
        user.is_superuser = user.is_superuser and role == User.Role.ADMINISTRATOR
        user.save(
            update_fields=["name", "role", "language", "is_active", "is_staff", "is_superuser"]
        )
        return user


def _sign_in(candidates: set[int]) -> int:
    """How many of them can really sign in: one who was only invited does not count."""
    return sum(person.has_usable_password() for person in User.objects.filter(pk__in=candidates))
