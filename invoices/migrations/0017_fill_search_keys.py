"""The keys of the names and numbers that are here already, a batch at a time."""

from itertools import islice

from django.db import migrations

# Today's code, not a copy of it: a key is right if it is what a search of today computes.
from billing_portal.keys import number_key, sort_key, text_key

BATCH = 2000
# Model → key column, the column that it is of, how it is computed, its length.
KEYS = {
    "Client": [("name_key", "name", text_key, 255)],
    "Deal": [("title_key", "title", text_key, 255), ("order_key", "purchase_order", text_key, 120)],
    "Invoice": [
        ("number_key", "number", number_key, 35),
        ("number_plain", "number", text_key, 35),
        ("number_sort", "number", sort_key, 255),
        ("title_key", "title", text_key, 255),
        ("order_key", "purchase_order", text_key, 120),
    ],
    "Payment": [("reference_key", "reference", text_key, 140)],
}


def fill(apps, schema_editor):
    connection = schema_editor.connection
    for name, columns in KEYS.items():
        model = apps.get_model("invoices", name)
        table = connection.ops.quote_name(model._meta.db_table)
        sets = ", ".join(f"{connection.ops.quote_name(key)} = %s" for key, *_rest in columns)
        sources = list(dict.fromkeys(source for _key, source, _made, _length in columns))
        rows = model._default_manager.order_by("pk").values("pk", *sources).iterator(BATCH)
        # Read whole before it is written to: SQLite would meet its own changes.
        rows = iter(list(rows)) if connection.vendor == "sqlite" else rows
        while part := list(islice(rows, BATCH)):
            values = [
                (*(made(row[source] or "")[:length] for _k, source, made, length in columns), row["pk"])
                for row in part
            ]
            with connection.cursor() as cursor:
                cursor.executemany(f"UPDATE {table} SET {sets} WHERE id = %s", values)


class Migration(migrations.Migration):
    dependencies = [("invoices", "0016_search_keys")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
