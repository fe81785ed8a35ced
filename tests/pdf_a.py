"""What PDF/A-3b and Factur-X want of a file, looked at with pikepdf.

No replacement for veraPDF: it names what once was wrong in files of this engine, and what receivers
of e-invoices look for first.
"""

from __future__ import annotations

import hashlib
from typing import Any

import pikepdf

FX = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
SAID = {
    "DocumentType": "INVOICE",
    "DocumentFileName": "factur-x.xml",
    "Version": "1.0",
    "ConformanceLevel": "EN 16931",
}


def faults_of(pdf: pikepdf.Pdf) -> list[str]:
    return [*_metadata(pdf), *_colours(pdf), *_attached(pdf), *_fonts(pdf), *_marks(pdf)]


def _metadata(pdf: pikepdf.Pdf) -> list[str]:
    found = []
    with pdf.open_metadata() as metadata:
        if metadata.pdfa_status != "3B":
            found.append(f"claims PDF/A {metadata.pdfa_status!r}")
        if metadata.get("dc:title") != str(pdf.docinfo.get("/Title")):
            found.append("XMP and document information have two titles")
        for name, value in SAID.items():
            if metadata.get(f"{{{FX}}}{name}") != value:
                found.append(f"fx:{name} is {metadata.get(f'{{{FX}}}{name}')!r}")
    packet = pdf.Root.Metadata.read_bytes().decode()
    if packet.count("<?xpacket begin") != 1 or "pdfaExtension:schemas" not in packet:
        found.append("no extension schema, or several packets")
    for name in SAID:
        if f"<pdfaProperty:name>{name}</pdfaProperty:name>" not in packet:
            found.append(f"the extension schema lacks {name}")
    return found


def _colours(pdf: pikepdf.Pdf) -> list[str]:
    intents = pdf.Root.get("/OutputIntents", [])
    right = (
        len(intents) == 1 and intents[0].S == "/GTS_PDFA1" and intents[0].DestOutputProfile.N == 3
    )
    return [] if right else ["no sRGB output intent"]


def _attached(pdf: pikepdf.Pdf) -> list[str]:
    files = list(pdf.Root.get("/AF", []))
    if len(files) != 1 or list(pdf.attachments) != ["factur-x.xml"]:
        return ["not one associated file"]
    spec: Any = files[0]
    stream = spec.EF.F
    content = stream.read_bytes()
    wanted = {
        "F": str(spec.F) == "factur-x.xml",
        "UF": str(spec.UF) == "factur-x.xml",
        "AFRelationship": spec.AFRelationship == "/Alternative",
        "Subtype": stream.Subtype == "/text/xml",
        "Size": int(stream.Params.Size) == len(content),
        "CheckSum": bytes(stream.Params.CheckSum) == hashlib.md5(content).digest(),
        "ModDate": "/ModDate" in stream.Params,
        "PageMode": pdf.Root.PageMode == "/UseAttachments",
    }
    return [f"{name} of the attachment" for name, right in wanted.items() if not right]


def _fonts(pdf: pikepdf.Pdf) -> list[str]:
    fonts = [
        each
        for each in pdf.objects
        if isinstance(each, pikepdf.Dictionary) and each.get("/Type") == "/Font"
    ]
    loose = [str(font.BaseFont) for font in fonts if "/FontFile2" not in _described(font)]
    return [f"{name} is not embedded" for name in loose]


def _described(font: Any) -> Any:
    if "/DescendantFonts" in font:
        font = font.DescendantFonts[0]
    return font.get("/FontDescriptor", {})


def _marks(pdf: pikepdf.Pdf) -> list[str]:
    found = ["encrypted"] if pdf.is_encrypted else []
    for page in pdf.pages:
        for annotation in page.get("/Annots", []):
            if int(annotation.get("/F", 0)) & 4 == 0:
                found.append("an annotation is not printed")
    if any(
        each.get("/Type") == "/ObjStm" for each in pdf.objects if isinstance(each, pikepdf.Stream)
    ):
        found.append("object streams")
    return found
