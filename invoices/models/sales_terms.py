"""The general terms of sale: a version for each time that they were changed, in each language."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class SalesTermsQuerySet(models.QuerySet["SalesTerms"]):
    def in_force(self, language: str) -> SalesTerms | None:
        """Those that quotes in this language leave with today."""
        newest = self.filter(language=language).order_by("-number").first()
        return newest if newest is not None and newest.size else None

    def without_content(self) -> Self:
        """For lists: a file may have some megabytes."""
        return self.defer("content", "text")


class SalesTerms(models.Model):
    """One version, append-only; one without a file says that from then on there are none.

    The file is what clients accept: printed from `text`, or a PDF of the company.
    """

    class Language(models.TextChoices):
        FRENCH = "fr", _("French")
        ENGLISH = "en", _("English")

    language = models.CharField(max_length=2, choices=Language)
    number = models.PositiveIntegerField()
    # Paragraphs between blank lines; one that begins with “# ” is a heading.
    text = models.TextField(blank=True)
    content = models.BinaryField()
    filename = models.CharField(max_length=120, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveIntegerField(default=0)
    # The day from which it holds.
    on = models.DateField()
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = SalesTermsQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "sales terms"
        ordering = ["language", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["language", "number"], name="a_version_of_sales_terms_is_there_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.language} {self.number}"
