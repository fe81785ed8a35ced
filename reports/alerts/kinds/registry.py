"""The kinds of alert rules: every module of this package that has a `KIND`."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from reports.alerts import kinds
from reports.alerts.kinds.base import Kind
from reports.models import Alert, AlertRule


def _found() -> dict[str, Kind]:
    modules = (
        import_module(f"{kinds.__name__}.{module.name}")
        for module in iter_modules(kinds.__path__)
        # Not itself, which is being imported.
        if module.name != "registry"
    )
    all_kinds = [module.KIND for module in modules if hasattr(module, "KIND")]
    return {kind.key: kind for kind in sorted(all_kinds, key=lambda kind: kind.place)}


KINDS: dict[str, Kind] = _found()


def kind_of(rule: AlertRule) -> Kind:
    """KeyError for a rule of a kind that is no more."""
    return KINDS[rule.kind]


def subject_of(alert: Alert) -> int:
    """The id of what the alert is about."""
    subject: int = getattr(alert, f"{kind_of(alert.rule).subject}_id")
    return subject
