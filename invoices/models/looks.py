"""Logos that stand on issued documents, kept when the company has another one."""

from __future__ import annotations

from django.db import models


class KeptLogo(models.Model):
    """The picture that papers name by its SHA-256 (`Look.logo`)."""

    sha256 = models.CharField(max_length=64, unique=True)
    content = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.sha256[:12]
