"""Pages of a PDF as pictures, for previews: what a browser shows without a viewer of its own."""

from __future__ import annotations

import threading
from io import BytesIO

import pypdfium2

# Pdfium is not safe for threads.
_one_at_a_time = threading.Lock()


def page_pictures(content: bytes, *, width: int, most: int) -> tuple[list[bytes], int]:
    """The first `most` pages as PNG, `width` pixels wide, and how many pages there are."""
    with _one_at_a_time:
        document = pypdfium2.PdfDocument(content)
        try:
            count = len(document)
            pictures = []
            for number in range(min(count, most)):
                page = document[number]
                drawn = page.render(scale=width / page.get_width()).to_pil()
                out = BytesIO()
                # Few colours: a third of the bytes, and no eye sees it.
                drawn.convert("RGB").quantize(64).save(out, "PNG")
                pictures.append(out.getvalue())
            return pictures, count
        finally:
            document.close()
