"""The reason codes of the lifecycle (closed list BR-FR-CDV-CL-09), in our words.

Codes are data: one that is missing here is shown as it was received.
"""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext_lazy as _

_FILE: Final = _("The platform could not read the file.")
_ATTACHMENT: Final = _("An attachment cannot be read or is not allowed.")
_TOO_LARGE: Final = _("The file or an attachment is too large.")
REASONS: Final[dict[str, Any]] = {
    "NON_TRANSMISE": _("The invoice could not be passed on to the client’s platform."),
    "JUSTIF_ABS": _("A supporting document is missing."),
    "ROUTAGE_ERR": _("The invoice was routed to the wrong place."),
    "AUTRE": _("The reason is in the sender’s own words."),
    "COORD_BANC_ERR": _("The bank details are wrong."),
    "TX_TVA_ERR": _("The VAT rate is contested."),
    "MONTANTTOTAL_ERR": _("The total is wrong."),
    "CALCUL_ERR": _("The amounts do not add up."),
    "NON_CONFORME": _("A mandatory mention is missing or wrong."),
    "DOUBLON": _("The invoice was received before."),
    "DEST_INC": _("The recipient is not known."),
    "DEST_ERR": _("The invoice went to the wrong recipient."),
    "TRANSAC_INC": _("The client does not know this transaction."),
    "EMMET_INC": _("The client does not know us as a supplier."),
    "CONTRAT_TERM": _("The contract has ended."),
    "DOUBLE_FACT": _("The same supply was invoiced twice."),
    "CMD_ERR": _("The purchase order is missing or wrong."),
    "ADR_ERR": _("The client’s electronic address is wrong or closed."),
    "SIRET_ERR": _("The SIRET is missing or wrong."),
    "CODE_ROUTAGE_ERR": _("The routing code is missing or wrong."),
    "REF_CT_ABSENT": _("A reference of the contract is missing."),
    "REF_ERR": _("A reference is wrong."),
    "PU_ERR": _("A unit price is wrong."),
    "REM_ERR": _("A discount is wrong."),
    "QTE_ERR": _("A quantity is wrong."),
    "ART_ERR": _("An item is wrong."),
    "MODPAI_ERR": _("The means or terms of payment are wrong."),
    "QUALITE_ERR": _("What was supplied is not of the agreed quality."),
    "LIVR_INCOMP": _("The delivery is incomplete."),
    "REJ_SEMAN": _("A value breaks a rule of the format."),
    "REJ_UNI": _("This number was deposited before."),
    "REJ_COH": _("Values of the invoice contradict each other."),
    "REJ_ADR": _("The client’s electronic address cannot receive invoices."),
    "REJ_CONT_B2G": _("A rule for invoices to public bodies is not kept."),
    "REJ_REF_PJ": _("An attachment is named twice or badly."),
    "REJ_ASS_PJ": _("An attachment belongs to no invoice."),
    "IRR_VIDE_F": _("The file is empty."),
    "IRR_TYPE_F": _("The type of the file is not allowed."),
    "IRR_SYNTAX": _FILE,
    "IRR_TAILLE_PJ": _TOO_LARGE,
    "IRR_NOM_PJ": _ATTACHMENT,
    "IRR_VID_PJ": _ATTACHMENT,
    "IRR_EXT_DOC": _ATTACHMENT,
    "IRR_TAILLE_F": _TOO_LARGE,
    "IRR_ANTIVIRUS": _("A virus was found in the file."),
    "IRR_NOM_F": _("The name of the file is not allowed."),
    # What platforms answer before there is any message (XP Z12-013, ReasonCodeEnum).
    "EmptyAttachement": _ATTACHMENT,
    "AttachmentTypeError": _ATTACHMENT,
    "EmptyFlow": _("The file is empty."),
    "OtherTechnicalError": _("The platform reports a technical fault."),
    "InvalidSchema": _FILE,
    "FileSizeExceeded": _TOO_LARGE,
    "FlowTypeError": _("The type of the file is not allowed."),
    "AlreadyExistingFlow": _("The invoice was received before."),
    "VirusFound": _("A virus was found in the file."),
    "ChecksumMismatch": _("The file was damaged on its way."),
    "InvoiceLCInvalidStatus": _("The status does not fit the state of the invoice there."),
    "InvoiceLCStatusError": _("The status is wrong or not allowed."),
    "InvoiceLCRuleError": _("The status breaks a rule of the format."),
    "InvoiceLCAccessDenied": _("The platform does not let us say this about the invoice."),
    "InvoiceLCAmountError": _("The amounts of the status do not fit the VAT of the invoice."),
}
# Where another address may help.
OF_THE_ADDRESS: Final = frozenset(["ADR_ERR", "REJ_ADR", "DEST_INC", "DEST_ERR", "ROUTAGE_ERR"])


def reason_in_words(code: str, text: str = "") -> str:
    """Our sentence, else what was said; "" for neither."""
    found = REASONS.get(code)
    return str(found) if found is not None else (text or code)
