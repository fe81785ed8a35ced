"""Why an archive was not made, in words for whoever asked."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext_lazy as _

SENTENCES: Final[dict[str, Any]] = {
    "archive.gave_up": _(
        "The background worker was cut short three times, so it was given up. Ask an "
        "administrator whether the disk and the memory of the server suffice."
    ),
    # Said by the archive itself, in the language of the worker.
    "archive.refused": lambda values: values["why"],
    "archive.disk": _(
        "The file could not be written (%(why)s). Nothing of it was kept: ask an administrator to "
        "look at the folder of archives."
    ),
}
