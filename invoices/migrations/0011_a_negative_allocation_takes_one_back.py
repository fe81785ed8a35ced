from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):

    dependencies = [("invoices", "0010_effective_days")]

    operations = [
        migrations.AddConstraint(
            model_name="allocation",
            constraint=models.CheckConstraint(
                condition=Q(amount_minor__gt=0, takes_back__isnull=True)
                | Q(amount_minor__lt=0, takes_back__isnull=False),
                name="a_negative_allocation_takes_one_back",
            ),
        ),
    ]
