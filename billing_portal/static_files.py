"""Static files in production: names that carry a hash of what is in them, so they are kept forever.

An ES module names the modules that it imports. Django rewrites those names only when it is asked,
and only in the form `from "./name.js";`, with the semicolon. It would do so in every script, and
stumble over a comment of a library that mentions an import: only our own folder is rewritten.
"""

from __future__ import annotations

from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedModules(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    support_js_module_import_aggregation = True
    _js_module_import_aggregation_patterns = (
        r"portal[/\]*.js",
        CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1],
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._addresses: dict[str, str] = {}

    def url(self, name: str, force: bool = False) -> str:
        """Worked out once: a page names forty files, and none is renamed until the next start."""
        if name not in self._addresses:
            self._addresses[name] = super().url(name, force)
        return self._addresses[name]

    def save_manifest(self) -> None:
        super().save_manifest()
        self._addresses.clear()
