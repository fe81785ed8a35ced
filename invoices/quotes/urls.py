from django.urls import path

from invoices.quotes.views import acts, billing, drafts, listing, pro_forma, public, quote

urlpatterns = [
    path("quotes/", listing.quote_list, name="quotes"),
    path("quotes/export.csv", listing.export_quotes, {"kind": "csv"}, name="quotes-csv"),
    path("quotes/export.xlsx", listing.export_quotes, {"kind": "xlsx"}, name="quotes-xlsx"),
    path("quotes/figures/", listing.figures, name="quote-figures"),
    path("quotes/new/", drafts.new, name="quote-new"),
    path("deals/<int:pk>/quote/", drafts.from_deal, name="quote-from-deal"),
    path("quotes/<int:pk>/", quote.quote, name="quote"),
    path("quotes/<int:pk>/files/<int:document_id>/", quote.document, name="quote-file"),
    path("quotes/<int:pk>/edit/", drafts.edit, name="quote-edit"),
    path("quotes/<int:pk>/totals/", drafts.totals, name="quote-totals"),
    path("quotes/<int:pk>/preview/", drafts.preview, name="quote-preview"),
    path("quotes/<int:pk>/page/", drafts.page, name="quote-page-preview"),
    path("quotes/<int:pk>/discard/", drafts.discard, name="quote-discard"),
    path("quotes/<int:pk>/copy/", drafts.copy, name="quote-copy"),
    path("quotes/<int:pk>/version/", drafts.version, name="quote-version"),
    path("quotes/<int:pk>/send/", acts.send, name="quote-send"),
    path("quotes/<int:pk>/send-again/", acts.send_again, name="quote-send-again"),
    path("quotes/<int:pk>/withdraw/", acts.withdraw, name="quote-withdraw"),
    path("quotes/<int:pk>/link/", acts.link, name="quote-link"),
    path("quotes/<int:pk>/record/", acts.record, name="quote-record"),
    path("quotes/<int:pk>/pro-forma.pdf", pro_forma.document, name="quote-pro-forma"),
    path("quotes/<int:pk>/bill/", billing.bill, name="quote-bill"),
    # The client's side: no account, the link is the key.
    path("quote/<str:token>/", public.page, name="guest-quote"),
    path("quote/<str:token>/total/", public.total, name="guest-total"),
    path("quote/<str:token>/seen/", public.seen, name="guest-seen"),
    path("quote/<str:token>/pdf/", public.pdf, name="guest-pdf"),
    path("quote/<str:token>/terms/", public.terms, name="guest-terms"),
    path("quote/<str:token>/files/<int:pk>/", public.attachment, name="guest-file"),
    path("quote/<str:token>/accept/", public.accept, name="guest-accept"),
    path("quote/<str:token>/decline/", public.decline, name="guest-decline"),
    path("quote/<str:token>/reconsider/", public.reconsider, name="guest-reconsider"),
    path("quote/<str:token>/ask/", public.ask, name="guest-ask"),
]
