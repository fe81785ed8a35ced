"""What forms of every app share: ids that come from an address, and `ModelForm[Row]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError


def row_id(text: str) -> int | None:
    """An id out of an address or a form; None for what no row can have ("²", forty digits)."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


if TYPE_CHECKING:
    # Django's own class takes no parameter at run time.
    ModelForm = forms.ModelForm
else:

    class ModelForm(forms.ModelForm):
        def __class_getitem__(cls, row: Any) -> type:
            return cls


class RowsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Rows chosen by id. Django hands an id past 64 bits to SQLite, which fails on it."""

    def clean(self, value: Any) -> Any:
        for each in value or ():
            if row_id(str(each)) is None:
                raise ValidationError(
                    self.error_messages["invalid_choice"],
                    code="invalid_choice",
                    params={"value": str(each)[:40]},
                )
        return super().clean(value)
