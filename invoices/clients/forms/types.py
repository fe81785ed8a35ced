"""Forms of client types: their name and mark, and merging one into another."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_portal.forms import ModelForm
from invoices.models import ClientType


class ClientTypeForm(ModelForm[ClientType]):
    class Meta:
        model = ClientType
        fields = ["name", "mark"]
        labels = {"name": gettext_lazy("Name"), "mark": gettext_lazy("Mark in charts and lists")}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        taken = set(
            ClientType.objects.exclude(pk=self.instance.pk)
            .exclude(mark=ClientType.Mark.NONE)
            .values_list("mark", flat=True)
        )
        field = self.fields["mark"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (mark.value, MARK_WORDS[mark]) for mark in ClientType.Mark if mark not in taken
        ]
        field.help_text = _("Each mark is given once; those that are taken are not listed.")

    def clean_name(self) -> str:
        name = " ".join(str(self.cleaned_data["name"]).split())
        others = ClientType.objects.exclude(pk=self.instance.pk)
        if others.filter(name__iexact=name).exists():
            raise ValidationError(_("There is a client type %(name)s already.") % {"name": name})
        return name


MARK_WORDS = {
    ClientType.Mark.LARGE: gettext_lazy("indigo circle"),
    ClientType.Mark.SME: gettext_lazy("blue square"),
    ClientType.Mark.STARTUP: gettext_lazy("yellow triangle"),
    ClientType.Mark.PUBLIC: gettext_lazy("pink diamond"),
    ClientType.Mark.NONPROFIT: gettext_lazy("green cross"),
    ClientType.Mark.INTERNATIONAL: gettext_lazy("brown star"),
    ClientType.Mark.NONE: gettext_lazy("grey, hollow circle"),
}


class MergeForm(forms.Form):
    into = forms.ModelChoiceField(
        label=gettext_lazy("Move its clients to"),
        queryset=ClientType.objects.none(),
        empty_label=gettext_lazy("Choose a type"),
    )

    def __init__(self, *args: Any, source: ClientType, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["into"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = ClientType.objects.exclude(pk=source.pk)
