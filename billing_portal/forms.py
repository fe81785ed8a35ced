"""What forms of every app share: ids that come from an address, and `ModelForm[Row]`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Model

from billing_portal.typed.fields import LineField, LinesField

Row = TypeVar("Row", bound=Model)


def row_id(text: str) -> int | None:
    """An id out of an address or a form; None for what no row can have ("²", forty digits)."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _field_of(column: models.Field[Any, Any], **options: Any) -> forms.Field | None:
    """The form field of a column: texts are read without signs that cannot be seen."""
    ours = {models.CharField: LineField, models.TextField: LinesField}.get(type(column))
    return column.formfield(form_class=ours, **options) if ours else column.formfield(**options)


if TYPE_CHECKING:
    # Django's own class takes no parameter at run time.
    _ModelForm = forms.ModelForm
else:

    class _ModelForm(forms.ModelForm):
        def __class_getitem__(cls, row: Any) -> type:
            return cls

        def __init_subclass__(cls, **options: Any) -> None:
            super().__init_subclass__(**options)
            if meta := getattr(cls, "Meta", None):
                meta.formfield_callback = _field_of


class ModelForm(_ModelForm[Row]):
    """Saves the fields that were changed, and a row that is there already only when merged.

    `editing.save_edit` does that, under the row's lock: else whoever saves last would undo what a
    colleague or an import wrote since the page was opened.
    """

    is_merged = False

    def save(self, commit: bool = True) -> Row:
        if self.instance._state.adding or not commit:
            return super().save(commit)
        if not self.is_merged:
            raise RuntimeError("a row is edited by billing_portal.editing.save_edit")
        self.instance.save(update_fields=self.changed_columns())
        return self.instance

    def check_changed(
        self, name: str, check: Callable[[str], str], *, also: Collection[str] = ()
    ) -> None:
        """`check` the text of a field that was changed, or one of `also` with it.

        What an import brought stays as it is until somebody types over it.
        """
        text = self.cleaned_data.get(name)
        # As it would be saved: “fr” for FR is no change.
        same = all(self.cleaned_data.get(n) == self.initial.get(n) for n in (name, *also))
        if not text or same:
            return
        try:
            self.cleaned_data[name] = check(text)
        except ValidationError as refusal:
            self.add_error(name, refusal)

    def changed_columns(self) -> list[str]:
        columns = {field.name for field in self.instance._meta.concrete_fields}
        changed = [name for name in self.changed_data if name in columns]
        return [*changed, "updated_at"] if changed and "updated_at" in columns else changed


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
