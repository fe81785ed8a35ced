from django.urls import URLPattern, path

from reports.alerts.views import rules
from reports.delays import views
from reports.desk import views as desk
from reports.receivables import views as receivables
from reports.search import views as search

app_name = "reports"
urlpatterns: list[URLPattern] = [
    path("", desk.desk, name="desk"),
    path("counts/", desk.counts, name="counts"),
    path("search/", search.search, name="search"),
    path("reports/delays/", views.delays, name="delays"),
    path("reports/delays/figures/", views.figures, name="delays-figures"),
    path("reports/delays/export.csv", views.delays_csv, name="delays-csv"),
    path("reports/delays/export.xlsx", views.delays_xlsx, name="delays-xlsx"),
    path("reports/receivables/", receivables.receivables, name="receivables"),
    path("reports/receivables/figures/", receivables.figures, name="receivables-figures"),
    path("reports/receivables/export.csv", receivables.receivables_csv, name="receivables-csv"),
    path("reports/receivables/export.xlsx", receivables.receivables_xlsx, name="receivables-xlsx"),
    path("alerts/", rules.inbox, name="alerts"),
    path("alerts/<int:pk>/acknowledge/", rules.acknowledge, name="acknowledge"),
    path("alerts/<int:pk>/reopen/", rules.reopen, name="reopen"),
    path("alerts/<int:pk>/snooze/", rules.snooze, name="snooze"),
    path("alerts/rules/", rules.rules, name="rules"),
    path("alerts/rules/new/", rules.rule_new, name="rule-new"),
    path("alerts/rules/try/", rules.rule_try, name="rule-try"),
    path("alerts/rules/<int:pk>/", rules.rule, name="rule"),
    path("alerts/rules/<int:pk>/acknowledge-all/", rules.acknowledge_all, name="acknowledge-all"),
    path("alerts/rules/<int:pk>/tried/", rules.rule_tried, name="rule-tried"),
    path("alerts/rules/<int:pk>/switch/", rules.rule_switch, name="rule-switch"),
    path("alerts/rules/<int:pk>/delete/", rules.rule_delete, name="rule-delete"),
]
