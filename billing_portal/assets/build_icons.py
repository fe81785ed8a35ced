"""Cuts the icon sprite: `python billing_portal/assets/build_icons.py FOLDER`.

FOLDER is the unpacked npm package `@tabler/icons` of the version below (`npm pack`). Names are in
icons.txt; one that a template uses and that the sprite lacks fails tests/test_face.py.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

VERSION = "3.51.0"
SPRITE = Path(__file__).resolve().parents[2] / "static" / "vendor" / "icons.svg"

NAMES = (Path(__file__).parent / "icons.txt").read_text().split()

# Marks of the client types: ours, filled, on a 12 pixel grid (ui/UI.md, "Client types").
MARKS = {
    "ct-large": '<circle cx="6" cy="6" r="4.6"/>',
    "ct-sme": '<path d="M1.8 1.8h8.4v8.4H1.8z"/>',
    "ct-startup": '<path d="M6 1l5.4 9.6H.6z"/>',
    "ct-public": '<path d="M6 .4L11.6 6 6 11.6.4 6z"/>',
    "ct-nonprofit": '<path d="M4.2 1h3.6v3.2H11v3.6H7.8V11H4.2V7.8H1V4.2h3.2z"/>',
    "ct-intl": ('<path d="M6 .3l1.7 3.6 4 .5-2.9 2.7.7 3.9L6 9.1 2.5 11l.7-3.9L.3 4.4l4-.5z"/>'),
    "ct-none": '<circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" stroke-width="1.6"/>',
}


def symbol(name: str, folder: Path) -> str:
    source = (folder / "icons" / "outline" / f"{name}.svg").read_text()
    shapes = re.findall(r"<(?:path|circle|rect|line|polyline|ellipse)[^>]*/>", source)
    kept = [re.sub(r"\s+/>", "/>", shape) for shape in shapes if 'd="M0 0h24v24H0z"' not in shape]
    return f'<symbol id="i-{name}" viewBox="0 0 24 24">{"".join(kept)}</symbol>'


def main() -> None:
    folder = Path(sys.argv[1])
    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg">',
        f"<!-- Tabler Icons {VERSION} (MIT), only those in use; ct-* are our own marks -->",
        *(symbol(name, folder) for name in sorted(set(NAMES))),
        *(
            f'<symbol id="{name}" viewBox="0 0 12 12">{shape}</symbol>'
            for name, shape in MARKS.items()
        ),
        "</svg>",
    ]
    SPRITE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
