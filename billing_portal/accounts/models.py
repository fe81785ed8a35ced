"""Who works here, and the forms that they have already sent."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Without a password the person cannot sign in until invited."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(
            email,
            password,
            **{"role": User.Role.ADMINISTRATOR, "is_staff": True, "is_superuser": True, **fields},
        )


class User(AbstractBaseUser, PermissionsMixin):
    """A person; owners of deals that the CRM names are people too, without a password."""

    class Role(models.TextChoices):
        ADMINISTRATOR = "administrator", _("Administrator")
        FINANCE = "finance", _("Finance")
        MANAGER = "manager", _("Manager")
        SALES = "sales", _("Sales")

    email = models.EmailField(_("email"), max_length=254, unique=True)
    name = models.CharField(_("name"), max_length=255, blank=True)
    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.SALES)
    language = models.CharField(_("language"), max_length=10, default="en-gb")
    shortcuts = models.BooleanField(_("single-key shortcuts"), default=True)
    is_active = models.BooleanField(_("may sign in"), default=True)
    is_staff = models.BooleanField(_("may open the admin site"), default=False)
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ["name", "email"]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="one_person_per_email_in_any_case")
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def initials(self) -> str:
        words = (self.name or self.email).replace("@", " ").split()
        return "".join(word[0] for word in words[:2]).upper() or "?"


class Submission(models.Model):
    """A form that was carried out; its key comes from the form: a double click is one act."""

    key = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    action = models.CharField(max_length=80)
    # Where the first sending led: the second one is led there too.
    result_url = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return f"{self.action} {self.key}"


class RowChange(models.Model):
    """Who changed which fields of a row in a form: for whoever has the same row open."""

    # Model and key, such as "invoices.client:12".
    row = models.CharField(max_length=80)
    fields = models.JSONField(default=list)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["row", "at"], name="row_change_by_row")]

    def __str__(self) -> str:
        return f"{self.row} {', '.join(self.fields)}"
