from django.urls import path

from invoices.deals.views import acts, changes, choosing, deal, queue

urlpatterns = [
    path("deals/", queue.deal_queue, name="deals"),
    path("deals/export.csv", queue.export_deals, {"kind": "csv"}, name="deals-csv"),
    path("deals/export.xlsx", queue.export_deals, {"kind": "xlsx"}, name="deals-xlsx"),
    path("deals/draft/", acts.draft_deals, name="draft-deals"),
    path("deals/<int:pk>/", deal.deal, name="deal"),
    path("deals/<int:pk>/client/", choosing.deal_client, name="deal-client"),
    path("deals/<int:pk>/draft/", acts.draft_deal, name="draft-deal"),
    path("deals/<int:pk>/set-aside/", acts.set_deal_aside, name="set-deal-aside"),
    path("deals/<int:pk>/take-back/", acts.take_deal_back, name="take-deal-back"),
    path("invoices/<int:pk>/deal-change/", changes.deal_change, name="deal-change"),
]
