from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('invoices', '0019_fill_types_and_buyers'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.UniqueConstraint(condition=models.Q(models.Q(('number', ''), _negated=True), ('number_clashes', False)), fields=('number',), name='a_number_names_one_document'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['draft', 'void']), ('client_type__isnull', False), _connector='OR'), name='issued_has_its_client_type'),
        ),
    ]
