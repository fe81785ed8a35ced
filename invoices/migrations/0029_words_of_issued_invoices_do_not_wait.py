"""Words around the amounts no longer ask anybody once a document is issued: what waits only for
their sake waits no more, and the others keep only what counts."""

import hashlib
import json

from django.db import migrations

PRINTED = ("title", "purchase_order", "service_from", "service_until")


def let_go(apps, schema_editor):
    bases = apps.get_model("invoices", "DealBasis").objects.filter(
        changed_at__isnull=False, invoice__status__in=["issued", "settled"]
    )
    for basis in bases.iterator():
        known, now = basis.known, basis.now | {
            name: basis.known[name] for name in PRINTED if name in basis.known
        }
        if now.get("lineless") and known.get("lineless") and now["lines"] and known["lines"]:
            (_words, *amounts), printed = now["lines"][0], known["lines"][0][0]
            now["lines"] = [[printed, *amounts]]
        text = json.dumps(now, sort_keys=True, ensure_ascii=False)
        basis.now, basis.now_print = now, hashlib.sha256(text.encode()).hexdigest()
        if basis.now_print == basis.known_print:
            basis.changed_at = None
        basis.save(update_fields=["now", "now_print", "changed_at"])


class Migration(migrations.Migration):
    dependencies = [("invoices", "0028_what_clients_owe_and_what_was_recorded_today")]

    operations = [migrations.RunPython(let_go, migrations.RunPython.noop)]
