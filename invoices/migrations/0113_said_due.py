from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("invoices", "0112_standing_files"),
    ]

    operations = [
        migrations.AddField(
            model_name="instalment",
            name="said_due",
            field=models.DateField(null=True),
        ),
    ]
