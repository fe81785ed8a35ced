"""`ModelForm[Row]` for the type checker; Django's own class takes no parameter at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

if TYPE_CHECKING:
    ModelForm = forms.ModelForm
else:

    class ModelForm(forms.ModelForm):
        def __class_getitem__(cls, row: Any) -> type:
            return cls
