"""What was issued before keeps the client type of today and the buyer whom its page names.

Numbers that both our series and the old system gave are marked: neither document can be changed.
"""

from django.db import migrations
from django.db.models import Count, OuterRef, Subquery
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, Left

BATCH = 5_000
MANY = 500


def fill(apps, schema_editor):
    Client = apps.get_model("invoices", "Client")
    Invoice = apps.get_model("invoices", "Invoice")
    issued = Invoice.objects.filter(status__in=["issued", "settled"])
    client = Client.objects.filter(pk=OuterRef("client_id"))
    newest = issued.order_by("-pk").values_list("pk", flat=True).first() or 0
    for start in range(0, newest + 1, BATCH):
        issued.filter(pk__gt=start, pk__lte=start + BATCH).update(
            client_type_id=Subquery(client.values("client_type_id")[:1]),
            buyer_name=Left(
                Coalesce(KT("paper__buyer__name"), Subquery(client.values("name")[:1])), 255
            ),
        )


def mark_doubles(apps, schema_editor):
    Invoice = apps.get_model("invoices", "Invoice")
    numbered = Invoice.objects.exclude(number="")
    doubles = list(
        numbered.values("number")
        .annotate(n=Count("pk"))
        .filter(n__gt=1)
        .order_by("number")
        .values_list("number", flat=True)
    )
    for start in range(0, len(doubles), MANY):
        # Ours is the lawful one of our series; the imported one gives way.
        numbered.filter(number__in=doubles[start : start + MANY], imported=True).update(
            number_clashes=True
        )


class Migration(migrations.Migration):
    dependencies = [("invoices", "0018_numbers_types_and_buyers")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunPython(mark_doubles, migrations.RunPython.noop),
    ]
