"""Settings, people and profile."""

from __future__ import annotations

import json
from typing import Any

from allauth.account.views import LoginView, PasswordResetView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing_portal.accounts.examples import examples
from billing_portal.accounts.forms import InviteForm, PersonForm, ProfileForm
from billing_portal.accounts.models import User
from billing_portal.accounts.people import (
    PersonRefused,
    change_person,
    invite,
    lock_people,
    send_invitation,
    set_password_link,
)
from billing_portal.acts import carry_out
from billing_portal.confirming import locked
from billing_portal.editing import NotSaved, save_edit
from billing_portal.htmx import StaffRequest

# What a role may do, in one line, where an administrator chooses it.
DUTIES = {
    User.Role.ADMINISTRATOR: translation.gettext_lazy("everything, people and settings too"),
    User.Role.FINANCE: translation.gettext_lazy("bills, records payments, sets alerts"),
    User.Role.MANAGER: translation.gettext_lazy("reads everything, changes nothing"),
    User.Role.SALES: translation.gettext_lazy("reads the deals and invoices they own"),
}


class SignInView(LoginView):  # type: ignore[misc]
    """allauth's sign-in; the demo also shows whom one can be."""

    def get_context_data(self, **options: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**options)
        if settings.DEMO:
            context.update(_examples())
        return context


class ForgottenPasswordView(PasswordResetView):  # type: ignore[misc]
    def form_valid(self, form: Any) -> HttpResponse:
        try:
            answer: HttpResponse = super().form_valid(form)
        except OSError:
            # smtplib's errors are OSErrors too.
            form.add_error(None, _("The mail server does not answer: try again in a minute."))
            page: HttpResponse = self.render_to_response(
                self.get_context_data(form=form), status=503
            )
            return page
        return answer


def _examples() -> dict[str, Any]:
    password = settings.DEMO_PASSWORD
    return {
        "example_password": password,
        "example_logins": [_example(user, password) for user in examples()],
    }


def _example(user: User, password: str) -> dict[str, str]:
    fill = {"id_login": user.email, **({"id_password": password} if password else {})}
    return {
        "name": user.name,
        "role": user.get_role_display(),
        "email": user.email,
        "fill": json.dumps(fill),
    }


@require_safe
def settings_index(request: StaffRequest) -> HttpResponse:
    """Leads to the first settings page that the person may open."""
    if request.user.has_perm("accounts.change_company"):
        return redirect("company:details")
    return redirect("accounts:profile")


@require_http_methods(["GET", "POST"])
def profile(request: StaffRequest) -> HttpResponse:
    def page(form: ProfileForm) -> HttpResponse:
        status = 422 if form.errors else 200
        return render(request, "accounts/profile.html", {"form": form}, status=status)

    if request.method == "GET":
        return page(ProfileForm(instance=request.user))

    def done(saved: User) -> HttpResponse:
        translation.activate(saved.language)
        messages.success(request, _("Your profile is saved."))
        return redirect("accounts:profile")

    answer = carry_out(
        request,
        action="profile",
        # A row of its own: a refused form must not rename the person on the page around it.
        act=lambda: save_edit(
            request,
            lock=lambda: locked(User.objects.all(), request.user.pk),
            build=lambda data, row: ProfileForm(data, instance=row),
            save=lambda form: form.save(),
            by=request.user,
        ),
        refused={NotSaved: lambda refusal: page(refusal.form)},
        done=done,
        url=reverse("accounts:profile"),
    )
    assert answer is not None
    return answer


@require_POST
def language(request: StaffRequest) -> HttpResponse:
    """Switch the language and come back to the page."""
    chosen = request.POST.get("language", "")
    if chosen in dict(settings.LANGUAGES):
        request.user.language = chosen
        request.user.save(update_fields=["language"])
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        back = reverse("accounts:profile")
    # Not `redirect`, which takes a word such as “nan” for the name of a view.
    return HttpResponseRedirect(back)


@require_safe
@permission_required("accounts.manage_people", raise_exception=True)
def people(request: StaffRequest) -> HttpResponse:
    everybody = list(User.objects.order_by("-is_active", "name", "email"))
    rows = [
        {
            "person": user,
            "role": user.get_role_display(),
            "invited": _is_invited(user),
            "access": _access(user),
            "url": reverse("accounts:person", args=[user.pk]),
        }
        for user in everybody
    ]
    return render(request, "accounts/people.html", {"rows": rows})


def _is_invited(user: User) -> bool:
    """Whether they may come in and have not chosen a password yet."""
    return user.is_active and not user.has_usable_password()


def _access(user: User) -> str:
    if not user.is_active:
        return _("Closed")
    return _("No password yet") if _is_invited(user) else pgettext("access", "Open")


@require_http_methods(["GET", "POST"])
@permission_required("accounts.manage_people", raise_exception=True)
def invite_person(request: StaffRequest) -> HttpResponse:
    form = InviteForm(
        request.POST or None,
        initial={"language": request.user.language, "email": request.GET.get("email", "")},
    )
    if request.method == "POST" and form.is_valid():
        try:
            user = invite(by=request.user, **form.cleaned_data)
        except PersonRefused as refusal:
            form.add_error("email", str(refusal))
        else:
            _tell_invited(request, user)
            return redirect("accounts:person", pk=user.pk)
    return render(
        request,
        "accounts/invite.html",
        {"form": form, "duties": _duties()},
        status=422 if form.errors else 200,
    )


def _tell_invited(request: StaffRequest, user: User) -> None:
    if send_invitation(user=user, by=request.user):
        messages.success(
            request, _("An invitation is on its way to %(email)s.") % {"email": user.email}
        )
    else:
        messages.warning(
            request,
            _(
                "%(person)s is invited, but the mail server did not take the email: "
                "pass the link on yourself."
            )
            % {"person": user},
        )


@require_http_methods(["GET", "POST"])
@permission_required("accounts.manage_people", raise_exception=True)
def person(request: StaffRequest, pk: int) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    if request.method == "GET":
        return _person_page(request, user, _person_form(None, user))

    def save(form: PersonForm) -> User:
        try:
            return change_person(user_id=pk, by=request.user, **form.cleaned_data)
        except PersonRefused as refusal:
            form.add_error(None, str(refusal))
            raise NotSaved(form) from None

    def done(changed: User) -> HttpResponse:
        messages.success(request, _("%(person)s is saved.") % {"person": changed})
        return redirect("accounts:people")

    answer = carry_out(
        request,
        action="person",
        act=lambda: save_edit(
            request,
            lock=lambda: lock_people(pk),
            build=_person_form,
            save=save,
            by=request.user,
        ),
        refused={NotSaved: lambda refusal: _person_page(request, user, refusal.form)},
        done=done,
        url=reverse("accounts:people"),
    )
    assert answer is not None
    return answer


def _person_form(data: QueryDict | None, user: User) -> PersonForm:
    names = ("name", "role", "language", "is_active")
    return PersonForm(data, initial={name: getattr(user, name) for name in names})


def _person_page(request: StaffRequest, user: User, form: PersonForm) -> HttpResponse:
    invited = _is_invited(user)
    return render(
        request,
        "accounts/person.html",
        {
            "form": form,
            "person": user,
            "invited": invited,
            "link": set_password_link(user) if invited else "",
            "duties": _duties(),
        },
        status=422 if form.errors else 200,
    )


@require_POST
@permission_required("accounts.manage_people", raise_exception=True)
def invite_again(request: StaffRequest, pk: int) -> HttpResponse:
    user = get_object_or_404(User, pk=pk, is_active=True)
    if user.has_usable_password():
        messages.warning(
            request,
            _("%(person)s has a password: “Forgotten password” on the sign-in page helps.")
            % {"person": user},
        )
    else:
        _tell_invited(request, user)
    return redirect("accounts:person", pk=pk)


def _duties() -> list[dict[str, Any]]:
    return [{"role": label, "words": DUTIES[User.Role(key)]} for key, label in User.Role.choices]
