"""The company's logo, as the page prints it and as it is kept: made anew by Pillow."""

from __future__ import annotations

import base64
from functools import lru_cache
from io import BytesIO
from typing import Any

from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError

from invoices.documents.pdf.checking import PdfRefused

MAX_LOGO_BYTES = 2_000_000
MAX_LOGO_PIXELS = 16_000_000
# In points. A square one may be higher than a wide one, so that both are seen.
LOGO_BOX = {"classic": (190, 46), "modern": (190, 46), "compact": (150, 34)}
SQUARE_HEIGHT = {"classic": 66, "modern": 66, "compact": 44}


def picture_of(png: bytes) -> Image.Image:
    """On white. Raises PdfRefused for what is no bounded PNG or JPEG."""
    refusal = _("The logo cannot be used: give a PNG or JPEG of at most 2 MB and 16 megapixels.")
    if len(png) > MAX_LOGO_BYTES:
        raise PdfRefused(refusal)
    try:
        with Image.open(BytesIO(png), formats=("PNG", "JPEG")) as image:
            if image.width * image.height > MAX_LOGO_PIXELS:
                raise PdfRefused(refusal)
            picture = image.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise PdfRefused(refusal) from error
    flat = Image.new("RGB", picture.size, "white")
    flat.paste(picture, mask=picture.getchannel("A"))
    return flat


@lru_cache(maxsize=4)
def logo_of(png: bytes, layout: str) -> dict[str, Any]:
    """The picture and its size in points: nothing of the upload but its pixels reaches the file."""
    flat = picture_of(png)
    width, height = LOGO_BOX[layout]
    if flat.width < 1.6 * flat.height:
        height = SQUARE_HEIGHT[layout]
    flat.thumbnail((width * 4, height * 4))
    out = BytesIO()
    flat.save(out, "PNG")
    scale = min(width / flat.width, height / flat.height)
    return {
        "uri": "data:image/png;base64," + base64.b64encode(out.getvalue()).decode(),
        "width": f"{flat.width * scale:.2f}",
        "height": f"{flat.height * scale:.2f}",
    }
