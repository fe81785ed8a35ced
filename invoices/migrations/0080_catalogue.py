
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('invoices', '0076_kinds_of_events'),
    ]

    operations = [
        migrations.CreateModel(
            name='CataloguePrice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('unit_price', models.DecimalField(decimal_places=6, max_digits=20, verbose_name='unit price')),
            ],
            options={
                'ordering': ['currency'],
            },
        ),
        migrations.CreateModel(
            name='DealInstalment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField()),
                ('description', models.CharField(blank=True, max_length=255)),
                ('amount_minor', models.BigIntegerField()),
                ('due_on', models.DateField()),
            ],
            options={
                'ordering': ['position', 'pk'],
            },
        ),
        migrations.AddField(
            model_name='historyimport',
            name='items_file',
            field=models.BinaryField(blank=True, default=b''),
        ),
        migrations.AddField(
            model_name='historyimport',
            name='items_name',
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.CreateModel(
            name='CatalogueItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=60, verbose_name='code')),
                ('code_key', models.CharField(blank=True, default='', editable=False, max_length=120, unique=True)),
                ('code_plain', models.CharField(blank=True, default='', editable=False, max_length=120)),
                ('name', models.CharField(max_length=255, verbose_name='name')),
                ('name_key', models.CharField(blank=True, db_index=True, default='', editable=False, max_length=255)),
                ('description', models.TextField(blank=True, max_length=1500, verbose_name='description')),
                ('unit', models.CharField(default='C62', max_length=3, verbose_name='unit')),
                ('nature', models.CharField(choices=[('services', 'Services'), ('goods', 'Goods')], default='services', max_length=8, verbose_name='nature')),
                ('vat_category', models.CharField(blank=True, max_length=2)),
                ('vat_rate', models.DecimalField(decimal_places=2, default=0, max_digits=5, verbose_name='VAT')),
                ('archived_at', models.DateTimeField(blank=True, null=True)),
                ('origin', models.CharField(choices=[('own', 'Kept here'), ('crm', 'From the CRM')], default='own', max_length=4)),
                ('crm_number', models.CharField(blank=True, max_length=40)),
                ('crm_says', models.JSONField(blank=True, default=dict)),
                ('kept_here', models.JSONField(blank=True, default=list)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('exemption', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='invoices.exemptionreason')),
            ],
            options={
                'ordering': ['name_key', 'pk'],
            },
        ),
        migrations.AddField(
            model_name='dealline',
            name='item',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deal_lines', to='invoices.catalogueitem'),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='item',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='invoices.catalogueitem'),
        ),
        migrations.AddField(
            model_name='quoteline',
            name='item',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='quote_lines', to='invoices.catalogueitem'),
        ),
        migrations.AddField(
            model_name='subscriptionline',
            name='item',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='subscription_lines', to='invoices.catalogueitem'),
        ),
        migrations.AddIndex(
            model_name='dealline',
            index=models.Index(condition=models.Q(('item__isnull', False)), fields=['item'], name='deal_line_of_item'),
        ),
        migrations.AddIndex(
            model_name='invoiceline',
            index=models.Index(condition=models.Q(('item__isnull', False)), fields=['item'], name='line_of_item'),
        ),
        migrations.AddIndex(
            model_name='quoteline',
            index=models.Index(condition=models.Q(('item__isnull', False)), fields=['item'], name='quote_line_of_item'),
        ),
        migrations.AddIndex(
            model_name='subscriptionline',
            index=models.Index(condition=models.Q(('item__isnull', False)), fields=['item'], name='subscription_line_of_item'),
        ),
        migrations.AddField(
            model_name='catalogueprice',
            name='item',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='prices', to='invoices.catalogueitem'),
        ),
        migrations.AddField(
            model_name='dealinstalment',
            name='deal',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='instalments', to='invoices.deal'),
        ),
        migrations.AddIndex(
            model_name='catalogueitem',
            index=models.Index(fields=['archived_at', 'name_key'], name='item_offered_by_name'),
        ),
        migrations.AddIndex(
            model_name='catalogueitem',
            index=models.Index(fields=['updated_at'], name='item_updated'),
        ),
        migrations.AddConstraint(
            model_name='catalogueitem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('crm_number', ''), ('origin', 'own')), models.Q(('origin', 'crm'), models.Q(('crm_number', ''), _negated=True)), _connector='OR'), name='an_item_of_the_crm_has_its_number'),
        ),
        migrations.AddConstraint(
            model_name='catalogueitem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('exemption__isnull', True), ('vat_category', ''), ('vat_rate', 0)), models.Q(('exemption__isnull', True), ('vat_category', 'S'), ('vat_rate__gt', 0)), models.Q(('exemption__isnull', False), ('vat_category', 'E'), ('vat_rate', 0)), _connector='OR'), name='the_vat_of_an_item_is_whole'),
        ),
        migrations.AddConstraint(
            model_name='catalogueprice',
            constraint=models.UniqueConstraint(fields=('item', 'currency'), name='an_item_has_one_price_in_each_currency'),
        ),
        migrations.AddConstraint(
            model_name='catalogueprice',
            constraint=models.CheckConstraint(condition=models.Q(('unit_price__gte', 0)), name='a_price_of_the_catalogue_is_not_below_zero'),
        ),
        migrations.AddConstraint(
            model_name='dealinstalment',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='an_instalment_of_a_deal_is_above_zero'),
        ),
    ]
