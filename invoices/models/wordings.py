"""The words of mails as staff changed them: every version, the last of which leaves."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class MailWording(models.Model):
    """One version of the subject and text of a kind of mail, in one language. Rows are only added:
    they are their own history. `is_standard`: back to the words that the portal brings."""

    kind = models.CharField(max_length=40)
    language = models.CharField(_("language"), max_length=10)
    subject = models.CharField(_("subject"), max_length=250, blank=True)
    body = models.TextField(_("text"), blank=True)
    is_standard = models.BooleanField(default=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["kind", "language", "-id"], name="mail_wording_latest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.language} {self.pk}"
