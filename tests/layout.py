"""One page, laid out once, in the place of all where no test looks at them.

Laying out a page is nine tenths of the time that an issue takes. The template of the page is filled
in all the same and the file is finished, with the e-invoice in it.
"""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=1)
def laid_out_once() -> bytes:
    from invoices.documents.pdf import render

    font = "@font-face { font-family: Portal; src: url(PortalSans-Regular.ttf) }"
    style = f"<style>{font} body {{ font-family: Portal }}</style>"
    return render.laid_out(f"{style}<body>Laid out once for all.</body>", {})
