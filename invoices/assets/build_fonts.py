"""Make the fonts that documents embed; run once, when a source font changes.

    python invoices/assets/build_fonts.py INTER_FOLDER DEJAVU_FOLDER DROID_FOLDER

INTER_FOLDER holds Inter_400Regular.ttf and Inter_600SemiBold.ttf (npm package
`@expo-google-fonts/inter`), DEJAVU_FOLDER holds DejaVuSans.ttf and DejaVuSans-Bold.ttf (Debian
package `fonts-dejavu-core`), DROID_FOLDER holds DroidSansFallback.ttf (Debian package
`fonts-droid-fallback`). Needs fontTools, which the running portal does not.

The PDF engine knows no OpenType features, so Inter's tabular digits are put where its ordinary
ones are: columns of amounts then stand still. The result bears another name, because two files
with the same PostScript name become one in the engine. DejaVu draws what Inter lacks (Hebrew,
Arabic, Armenian, Georgian, many signs). Droid draws what neither has: the unified ideographs of
Chinese and Japanese (U+4E00 to U+9FA5), kana, bopomofo, all Hangul syllables, full-width forms. It
has one weight, and only documents that need it read its three megabytes.
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

HERE = Path(__file__).parent / "fonts"
NAME_FAMILY, NAME_STYLE, NAME_UNIQUE, NAME_FULL, NAME_POSTSCRIPT = 1, 2, 3, 4, 6


def features(font: TTFont, tag: str) -> dict[str, str]:
    """Single substitutions of one OpenType feature: glyph name to glyph name."""
    table = font["GSUB"].table
    found: dict[str, str] = {}
    for record in table.FeatureList.FeatureRecord:
        if record.FeatureTag != tag:
            continue
        for index in record.Feature.LookupListIndex:
            for lookup in table.LookupList.Lookup[index].SubTable:
                found.update(getattr(getattr(lookup, "ExtSubTable", lookup), "mapping", {}))
    return found


def bake_tabular_digits(font: TTFont) -> None:
    tabular = features(font, "tnum")
    for table in font["cmap"].tables:
        for code, glyph in list(table.cmap.items()):
            if chr(code) in "0123456789+\u2212" and glyph in tabular:
                table.cmap[code] = tabular[glyph]
    widths = {font["hmtx"][font.getBestCmap()[ord(digit)]][0] for digit in "0123456789"}
    if len(widths) != 1:
        raise SystemExit(f"Digits still have several widths: {widths}")


def rename(font: TTFont, family: str, style: str) -> None:
    postscript = f"{family.replace(' ', '')}-{style}"
    names = font["name"]
    names.names = [record for record in names.names if record.nameID not in (16, 17, 21, 22, 25)]
    for record in list(names.names):
        text = {
            NAME_FAMILY: family,
            NAME_STYLE: style,
            NAME_UNIQUE: postscript,
            NAME_FULL: f"{family} {style}",
            NAME_POSTSCRIPT: postscript,
        }.get(record.nameID)
        if text is not None:
            names.setName(text, record.nameID, record.platformID, record.platEncID, record.langID)


def slim(font: TTFont, first: int = 0) -> None:
    """Keep every character from `first` on and drop what the engine cannot use: features, kerning,
    hints."""
    options = subset.Options(
        layout_features=[], hinting=False, notdef_outline=True, name_IDs=["*"], glyph_names=False
    )
    options.drop_tables += ["GPOS", "GSUB", "GDEF", "STAT", "MATH", "FFTM", "kern"]
    subsetter = subset.Subsetter(options)
    # A space stays everywhere: it is drawn in the font of what stands before it.
    kept = {code for code in font.getBestCmap() if code >= first or code in (0x20, 0xA0)}
    subsetter.populate(unicodes=kept)
    subsetter.subset(font)


def main(inter: Path, dejavu: Path, droid: Path) -> None:
    HERE.mkdir(exist_ok=True)
    for source, style in (
        (inter / "Inter_400Regular.ttf", "Regular"),
        (inter / "Inter_600SemiBold.ttf", "SemiBold"),
    ):
        font = TTFont(source, recalcTimestamp=False)
        bake_tabular_digits(font)
        slim(font)
        rename(font, "Portal Sans", style)
        font.save(HERE / f"PortalSans-{style}.ttf")
    for source, style in (
        (dejavu / "DejaVuSans.ttf", "Regular"),
        (dejavu / "DejaVuSans-Bold.ttf", "Bold"),
    ):
        font = TTFont(source, recalcTimestamp=False)
        slim(font)
        rename(font, "Portal Fallback", style)
        font.save(HERE / f"PortalFallback-{style}.ttf")
    font = TTFont(droid / "DroidSansFallback.ttf", recalcTimestamp=False)
    # Below lie Latin and signs, which the two others have.
    slim(font, first=0x2E80)
    rename(font, "Portal East Asian", "Regular")
    font.save(HERE / "PortalEastAsian-Regular.ttf")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
