"""What may be said of a table that somebody brings, by code (spreadsheets.py)."""

from typing import Any, Final

from django.utils.translation import gettext_lazy as _

SENTENCES: Final[dict[str, Any]] = {
    "table.empty": _("%(file)s is empty: export it again."),
    "table.too_large": _(
        "%(file)s is larger than %(most)s MB: split it and import the parts in turn."
    ),
    "table.old_workbook": _(
        "%(file)s is a workbook of the old kind (.xls) or has a password: save it as .xlsx."
    ),
    "table.separator": _(
        "%(file)s separates its columns with %(what)s instead of commas; it was read so."
    ),
    "table.utf16": _("%(file)s is in UTF-16: save it as “CSV UTF-8” and bring it again."),
    "table.neither": _(
        "%(file)s is neither a CSV text nor an XLSX workbook: export it as one of them."
    ),
    "table.not_utf8": _(
        "%(file)s, line %(line)s is not UTF-8 (near “%(text)s”): the file seems to be in "
        "Latin-1 (Windows). Save it as “CSV UTF-8” and bring it again."
    ),
    "table.record": _(
        "%(file)s, the record that starts on line %(line)s cannot be read "
        "(%(problem)s): look for a quotation mark that is not closed or not doubled."
    ),
    "table.sheets": _("%(file)s has several sheets; only the first, “%(sheet)s”, was read."),
    "table.no_workbook": _(
        "%(file)s cannot be read as an XLSX workbook: save it anew, or export it as CSV."
    ),
    "table.damaged": _("%(file)s is damaged: it starts like a workbook and does not end like one."),
    "table.unpacks": _("%(file)s unpacks to more than a workbook should hold: export it as CSV."),
    "table.empty_rows": _(
        "%(file)s has more than %(most)s empty rows: delete them, or export it as CSV."
    ),
    "table.rows": _("%(file)s has more than %(most)s rows: split it and import the parts in turn."),
    "table.no_rows": _("%(file)s has its head and no rows under it."),
    "table.columns": _("%(file)s has more than %(most)s columns."),
    "table.doubled": _("%(file)s has the column %(columns)s twice: delete or rename one of them."),
    "table.missing": _(
        "%(file)s lacks the column %(columns)s. Its first row must name the columns; add "
        "what is missing and leave its cells empty where nothing is known. "
        "Found: %(found)s."
    ),
    "table.cells": _(
        "The row has %(cells)s cells under %(columns)s columns: "
        "put a value that contains the separator in quotation marks."
    ),
    "table.long_text": _("The text is longer than %(most)s characters."),
    "table.formula": _("The cell holds a formula: copy it and paste it as values."),
    "table.error": _("The cell holds an error, %(value)s."),
    "table.time": _("The cell holds a time of day: a date is wanted."),
    "table.digits": _("The number has more digits than a spreadsheet keeps: make it text."),
    "table.semicolons": _("semicolons"),
    "table.tabs": _("tabs"),
}
