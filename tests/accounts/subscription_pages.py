"""Who may open what of subscriptions, for the table of test_roles.py: permission, args, post."""

_CHANGE = "invoices.change_subscription"
_POSTED = ("copy", "from-deal", "from-invoice", "from-quote", "page-preview", "totals")
_DIALOGS = ("discard", "edit", "end", "pause", "resume", "rise", "skip", "start")
OF_SUBSCRIPTIONS = {
    **{f"invoices:subscription-{act}": (_CHANGE, (0,), True) for act in _POSTED},
    **{f"invoices:subscription-{act}": (_CHANGE, (0,), False) for act in _DIALOGS},
    "invoices:subscription": ("invoices.view_subscription", (0,)),
    "invoices:subscription-call-off-rise": (_CHANGE, (0, 0), True),
    "invoices:subscription-draft-again": (_CHANGE, (0, 0), True),
    "invoices:subscription-new": (_CHANGE,),
    "invoices:subscription-preview": ("invoices.view_subscription", (0,)),
    "invoices:subscription-release": ("invoices.issue_invoice", (0,)),
    "invoices:subscriptions": ("invoices.view_subscription",),
    "invoices:subscriptions-csv": ("invoices.export",),
    "invoices:subscriptions-xlsx": ("invoices.export",),
}
