from invoices.models.account_letters import AccountLetter, LateClaim, LateClaimRow
from invoices.models.accounting import JournalExport, JournalSetup, LedgerAccount
from invoices.models.archives import BooksArchive
from invoices.models.attachments import Attachment, StandingFile, StoredFile
from invoices.models.bases import DealBasis
from invoices.models.batches import Batch, BatchItem
from invoices.models.catalogue import CatalogueItem, CataloguePrice
from invoices.models.chain import BooksChain, BooksCheck, BooksHead, BooksLink
from invoices.models.clients import Client, ClientType, Contact
from invoices.models.company import Company, ExchangeRate, LatePenaltyRate
from invoices.models.deals import Deal, DealDiscount, DealInstalment, DealLine, Pipeline, Stage
from invoices.models.decisions import BooksDecision
from invoices.models.deposits import DepositDeduction
from invoices.models.documents import Document
from invoices.models.drafts import DraftVersion
from invoices.models.einvoicing import (
    ClientRoute,
    DeclaredAllocation,
    Dispute,
    IncomingInvoice,
    LifecycleStatus,
    PlatformFlow,
    Transmission,
)
from invoices.models.events import InvoiceEvent
from invoices.models.exemptions import ExemptionReason
from invoices.models.history import HistoryComplaint, HistoryImport, ImportedPaymentRow
from invoices.models.instalments import Instalment
from invoices.models.invoices import Invoice
from invoices.models.lines import InvoiceLine, VatBreakdown
from invoices.models.looks import KeptLogo
from invoices.models.messages import Message
from invoices.models.numbering import NumberPattern, NumberSeries
from invoices.models.payments import Allocation, PastSettlement, Payment, Refund, WriteOff
from invoices.models.price_indexes import Indexation, IndexValue
from invoices.models.quote_answers import (
    QuoteAcceptance,
    QuoteBilledAdjustment,
    QuoteBilledLine,
    QuoteBilling,
    QuoteDocument,
    QuoteEvent,
)
from invoices.models.quotes import Quote, QuoteLine, QuoteVersion
from invoices.models.rebates import CreditShare, Rebate
from invoices.models.sales_terms import SalesTerms
from invoices.models.subscriptions import (
    PriceRise,
    Subscription,
    SubscriptionBilling,
    SubscriptionEvent,
    SubscriptionLine,
    SubscriptionPeriod,
    SubscriptionVersion,
)
from invoices.models.terms import PaymentTerms, PaymentTermsStep
from invoices.models.vat_checks import VatCheck
from invoices.models.vat_rates import VatRate
from invoices.models.wordings import MailWording

__all__ = [
    "AccountLetter",
    "Allocation",
    "Attachment",
    "Batch",
    "BatchItem",
    "BooksArchive",
    "BooksChain",
    "BooksCheck",
    "BooksDecision",
    "BooksHead",
    "BooksLink",
    "CatalogueItem",
    "CataloguePrice",
    "Client",
    "ClientRoute",
    "ClientType",
    "Company",
    "Contact",
    "CreditShare",
    "Deal",
    "DealBasis",
    "DealDiscount",
    "DealInstalment",
    "DealLine",
    "DeclaredAllocation",
    "DepositDeduction",
    "Dispute",
    "Document",
    "DraftVersion",
    "ExchangeRate",
    "ExemptionReason",
    "HistoryComplaint",
    "HistoryImport",
    "ImportedPaymentRow",
    "IncomingInvoice",
    "IndexValue",
    "Indexation",
    "Instalment",
    "Invoice",
    "InvoiceEvent",
    "InvoiceLine",
    "JournalExport",
    "JournalSetup",
    "KeptLogo",
    "LateClaim",
    "LateClaimRow",
    "LatePenaltyRate",
    "LedgerAccount",
    "LifecycleStatus",
    "MailWording",
    "Message",
    "NumberPattern",
    "NumberSeries",
    "PastSettlement",
    "Payment",
    "PaymentTerms",
    "PaymentTermsStep",
    "Pipeline",
    "PlatformFlow",
    "PriceRise",
    "Quote",
    "QuoteAcceptance",
    "QuoteBilledAdjustment",
    "QuoteBilledLine",
    "QuoteBilling",
    "QuoteDocument",
    "QuoteEvent",
    "QuoteLine",
    "QuoteVersion",
    "Rebate",
    "Refund",
    "SalesTerms",
    "Stage",
    "StandingFile",
    "StoredFile",
    "Subscription",
    "SubscriptionBilling",
    "SubscriptionEvent",
    "SubscriptionLine",
    "SubscriptionPeriod",
    "SubscriptionVersion",
    "Transmission",
    "VatBreakdown",
    "VatCheck",
    "VatRate",
    "WriteOff",
]
