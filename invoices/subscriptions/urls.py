from django.urls import path

from invoices.subscriptions.views import acts, drafts, indexes, listing, subscription

urlpatterns = [
    path("subscriptions/", listing.subscription_list, name="subscriptions"),
    path(
        "subscriptions/export.csv",
        listing.export_subscriptions,
        {"kind": "csv"},
        name="subscriptions-csv",
    ),
    path(
        "subscriptions/export.xlsx",
        listing.export_subscriptions,
        {"kind": "xlsx"},
        name="subscriptions-xlsx",
    ),
    path("subscriptions/new/", drafts.new, name="subscription-new"),
    path("invoices/<int:pk>/repeat/", drafts.from_invoice, name="subscription-from-invoice"),
    path("quotes/<int:pk>/subscription/", drafts.from_quote, name="subscription-from-quote"),
    path("deals/<int:pk>/subscription/", drafts.from_deal, name="subscription-from-deal"),
    path("subscriptions/<int:pk>/", subscription.subscription, name="subscription"),
    path("subscriptions/<int:pk>/edit/", drafts.edit, name="subscription-edit"),
    path("subscriptions/<int:pk>/totals/", drafts.totals, name="subscription-totals"),
    path("subscriptions/<int:pk>/preview/", drafts.preview, name="subscription-preview"),
    path("subscriptions/<int:pk>/page/", drafts.page, name="subscription-page-preview"),
    path("subscriptions/<int:pk>/copy/", drafts.copy, name="subscription-copy"),
    path("subscriptions/<int:pk>/start/", acts.start, name="subscription-start"),
    path("subscriptions/<int:pk>/discard/", acts.discard, name="subscription-discard"),
    path("subscriptions/<int:pk>/pause/", acts.pause, name="subscription-pause"),
    path("subscriptions/<int:pk>/resume/", acts.resume, name="subscription-resume"),
    path("subscriptions/<int:pk>/skip/", acts.skip, name="subscription-skip"),
    path("subscriptions/<int:pk>/end/", acts.end, name="subscription-end"),
    path("subscriptions/<int:pk>/rise/", acts.rise, name="subscription-rise"),
    path("subscriptions/indexes/", indexes.price_indexes, name="price-indexes"),
    path("subscriptions/indexes/<int:pk>/remove/", indexes.remove, name="price-index-remove"),
    path("subscriptions/<int:pk>/index/", indexes.follow, name="subscription-index"),
    path("subscriptions/<int:pk>/index/stop/", indexes.stop, name="subscription-index-stop"),
    path("subscriptions/<int:pk>/release/", acts.release, name="subscription-release"),
    path(
        "subscriptions/<int:pk>/rises/<int:rise_id>/call-off/",
        acts.call_off_rise,
        name="subscription-call-off-rise",
    ),
    path(
        "subscriptions/<int:pk>/periods/<int:period_id>/draft/",
        acts.draft_again,
        name="subscription-draft-again",
    ),
]
