from django.urls import path

from reports.alerts.views import inbox, rules

urlpatterns = [
    path("alerts/", inbox.inbox, name="alerts"),
    path("alerts/<int:pk>/acknowledge/", inbox.acknowledge, name="acknowledge"),
    path("alerts/<int:pk>/reopen/", inbox.reopen, name="reopen"),
    path("alerts/<int:pk>/snooze/", inbox.snooze, name="snooze"),
    path("alerts/rules/", rules.rules, name="rules"),
    path("alerts/rules/new/", rules.rule_new, name="rule-new"),
    path("alerts/rules/try/", rules.rule_try, name="rule-try"),
    path("alerts/rules/<int:pk>/", rules.rule, name="rule"),
    path("alerts/rules/<int:pk>/acknowledge-all/", inbox.acknowledge_all, name="acknowledge-all"),
    path("alerts/rules/<int:pk>/tried/", rules.rule_tried, name="rule-tried"),
    path("alerts/rules/<int:pk>/switch/", rules.rule_switch, name="rule-switch"),
    path("alerts/rules/<int:pk>/delete/", rules.rule_delete, name="rule-delete"),
]
