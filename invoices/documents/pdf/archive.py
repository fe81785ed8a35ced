"""One pass over the engine's output that makes it PDF/A-3b and the same bytes each time.

What it changes, and why, is measured in the notes on e-invoices: metadata in XMP and document
information from the same values, an sRGB output intent, printable annotations, no mention of the
Helvetica that the engine names and never uses.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from typing import Any

import pikepdf
from PIL import ImageCms

# veraPDF compares XMP with the document information, so both are written from one Facts.
_PRODUCER = "xhtml2pdf, reportlab, pikepdf"
_CREATOR = "Billing portal"


class FontNotEmbedded(Exception):
    """The page draws text in a font that is not in the file."""


@dataclass(frozen=True)
class Facts:
    """What the file says about itself. `at` is when it was made, which the caller says: what is
    printed does not depend on the clock."""

    title: str
    author: str
    language: str
    at: datetime


@dataclass(frozen=True)
class Attachment:
    """A file carried inside, for Factur-X: `relationship` is Alternative for an invoice that the
    XML repeats."""

    name: str
    content: bytes
    mime_type: str
    relationship: str
    description: str
    xmp_extension: str = ""


def finish(raw: bytes, facts: Facts, *, attachments: tuple[Attachment, ...] = ()) -> bytes:
    """Raises FontNotEmbedded rather than claim a conformity that the file lacks."""
    with pikepdf.open(BytesIO(raw)) as pdf:
        _remove_unused_helvetica(pdf)
        _make_annotations_printable(pdf)
        _add_output_intent(pdf)
        for attachment in attachments:
            _attach(pdf, attachment, facts)
        pdf.Root.Lang = pikepdf.String(facts.language)
        pdf.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)
        _describe(pdf, facts, "".join(attachment.xmp_extension for attachment in attachments))
        out = BytesIO()
        # Object streams are legal, yet some receivers' extractors cannot read them.
        pdf.save(
            out,
            deterministic_id=True,
            min_version="1.7",
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
            compress_streams=True,
            fix_metadata_version=False,
        )
        return out.getvalue()


def _remove_unused_helvetica(pdf: pikepdf.Pdf) -> None:
    """Pages share one resources dictionary: clean every page's operators first, then drop the
    font."""
    forms = [
        stream
        for stream in pdf.objects
        if isinstance(stream, pikepdf.Stream) and stream.get("/Subtype") == "/Form"
    ]
    places = [*(page.obj for page in pdf.pages), *forms]
    names = {
        name
        for place in places
        for name, font in _fonts(place).items()
        if font.get("/BaseFont") == "/Helvetica"
    }
    if not names:
        return
    some = b"|".join(re.escape(name.encode()) for name in sorted(names))
    idle = re.compile(rb"BT (?:" + some + rb") [\d.]+ Tf [\d.]+ TL ET\s*")
    used = re.compile(rb"(?:" + some + rb")\s+[\d.]+\s+Tf")
    for page in pdf.pages:
        page.contents_coalesce()
    for stream in [*(page.Contents for page in pdf.pages), *forms]:
        content = idle.sub(b"", stream.read_bytes())
        if used.search(content):
            raise FontNotEmbedded("Helvetica")
        stream.write(content)
    for place in places:
        fonts = _fonts(place)
        for name in names:
            if name in fonts:
                del fonts[name]


def _fonts(place: Any) -> Any:
    return place.get("/Resources", {}).get("/Font", {})


def _make_annotations_printable(pdf: pikepdf.Pdf) -> None:
    for page in pdf.pages:
        for annotation in page.get("/Annots", []):
            annotation.F = 4


@cache
def _srgb() -> bytes:
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # The header carries the moment of its making: 1 January 2000 instead, and no profile id over
    # it.
    profile[24:36] = bytes((7, 208, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0))
    profile[84:100] = bytes(16)
    return bytes(profile)


def _add_output_intent(pdf: pikepdf.Pdf) -> None:
    profile = pdf.make_stream(_srgb(), N=3)
    pdf.Root.OutputIntents = pikepdf.Array(
        [
            pdf.make_indirect(
                pikepdf.Dictionary(
                    Type=pikepdf.Name.OutputIntent,
                    S=pikepdf.Name.GTS_PDFA1,
                    OutputConditionIdentifier=pikepdf.String("sRGB"),
                    Info=pikepdf.String("sRGB"),
                    DestOutputProfile=profile,
                )
            )
        ]
    )


def _attach(pdf: pikepdf.Pdf, attachment: Attachment, facts: Facts) -> None:
    spec = pikepdf.AttachedFileSpec(
        pdf,
        attachment.content,
        filename=attachment.name,
        mime_type=attachment.mime_type,
        description=attachment.description,
        relationship=pikepdf.Name("/" + attachment.relationship),
        creation_date=_pdf_date(facts.at),
        mod_date=_pdf_date(facts.at),
    )
    associated = list(pdf.Root.get("/AF", []))
    pdf.attachments[attachment.name] = spec
    # pikepdf may have named it there already, and twice is once too often for some receivers.
    pdf.Root.AF = pikepdf.Array([*associated, spec.obj])
    pdf.Root.PageMode = pikepdf.Name.UseAttachments


def _describe(pdf: pikepdf.Pdf, facts: Facts, extension: str) -> None:
    if "/Info" in pdf.trailer:
        del pdf.trailer["/Info"]
    info = pdf.docinfo
    info["/Title"] = pikepdf.String(facts.title)
    info["/Author"] = pikepdf.String(facts.author)
    info["/Creator"] = pikepdf.String(_CREATOR)
    info["/Producer"] = pikepdf.String(_PRODUCER)
    info["/CreationDate"] = pikepdf.String(_pdf_date(facts.at))
    info["/ModDate"] = pikepdf.String(_pdf_date(facts.at))
    moment = f"{facts.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}+00:00"
    packet = _XMP.format(
        title=_escaped(facts.title),
        author=_escaped(facts.author),
        language=_escaped(facts.language),
        creator=_CREATOR,
        producer=_PRODUCER,
        moment=moment,
        extension=extension,
    ).encode()
    stream = pdf.make_stream(packet)
    stream.Type = pikepdf.Name.Metadata
    stream.Subtype = pikepdf.Name.XML
    pdf.Root.Metadata = stream


def _pdf_date(at: datetime) -> str:
    return f"D:{at.astimezone(UTC):%Y%m%d%H%M%S}+00'00'"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
 xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">
<pdfaid:part>3</pdfaid:part>
<pdfaid:conformance>B</pdfaid:conformance>
<dc:format>application/pdf</dc:format>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>
<dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language>
<xmp:CreatorTool>{creator}</xmp:CreatorTool>
<xmp:CreateDate>{moment}</xmp:CreateDate>
<xmp:ModifyDate>{moment}</xmp:ModifyDate>
<xmp:MetadataDate>{moment}</xmp:MetadataDate>
<pdf:Producer>{producer}</pdf:Producer>
</rdf:Description>
{extension}</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""
