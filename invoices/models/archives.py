"""The yearly archives that were made, and where the last file of each year lies."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class BooksArchive(models.Model):
    """One archive of the books of a year. The row stays; the file is kept until a younger one."""

    class State(models.TextChoices):
        MAKING = "making", _("Being made")
        DONE = "done", _("Made")
        FAILED = "failed", _("Not made")

    year = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.MAKING)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True, blank=True)
    # What the worker said last, and how many began: one that was killed leaves it to the next.
    said_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    # The books went on after it was made: it is not the last word on its year.
    unfinished = models.BooleanField(default=False)
    documents = models.PositiveIntegerField(default=0)
    files = models.PositiveIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    # In the folder of archives; empty once the file is gone.
    file_name = models.CharField(max_length=100, blank=True)
    # A code and values, for staff.
    problem = models.JSONField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"],
                condition=Q(state="making"),
                name="one_archive_is_made_at_a_time",
            ),
            models.CheckConstraint(
                name="an_archive_that_was_made_says_what_it_is",
                condition=~Q(state="done") | (Q(done_at__isnull=False) & ~Q(sha256="")),
            ),
            models.CheckConstraint(
                name="only_an_archive_that_was_made_has_a_file",
                condition=Q(state="done") | Q(file_name=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.year} {self.state}"
