"""What an import has to say about single objects, by code; `provider` is the CRM's name."""

from typing import Any, Final

from django.utils.translation import gettext_lazy as _

SENTENCES: Final[dict[str, Any]] = {
    # Parts of sentences
    "crm.the_name": _("The name"),
    "crm.the_title": _("The title"),
    "crm.the_value": _("The deal’s value"),
    "crm.the_address": _("The address"),
    "crm.the_postal_code": _("The postal code"),
    "crm.the_town": _("The town"),
    "crm.the_purchase_order": _("The purchase order"),
    "crm.the_deal_discount": _("The discount of the deal"),
    "crm.deal_created": _("Deal created"),
    "crm.won_time": _("Won time"),
    "crm.the_code": _("The code"),
    "crm.the_description": _("The description"),
    "crm.the_vat_of_product": _("The VAT rate"),
    "crm.the_product_price": _("The price in %(currency)s"),
    "crm.instalment": _("Instalment %(place)s"),
    "crm.line": _("Line %(place)s"),
    "crm.the_quantity": _("%(where)s: the quantity"),
    "crm.the_price": _("%(where)s: the price"),
    "crm.the_discount": _("%(where)s: the discount"),
    "crm.the_vat_rate": _("%(where)s: the VAT rate"),
    # Refused
    "crm.no_id": _("It has no number, so it cannot be told from others."),
    "crm.currency_unknown": _(
        "“%(currency)s” is not a currency the portal knows. "
        "Change the deal’s currency in %(provider)s."
    ),
    "crm.number_too_large": _("%(what)s is too large (%(value)s). Correct it in %(provider)s."),
    "crm.no_number": _("%(what)s is not a number we can read. Correct it in %(provider)s."),
    "crm.value_too_large": _(
        "The deal’s value of %(value)s is larger than any amount here may be. "
        "Correct it in %(provider)s."
    ),
    "crm.price_too_large": _(
        "Line %(place)s has a price of %(price)s; no amount here may be that large. "
        "Correct it in %(provider)s."
    ),
    "crm.line_too_large": _(
        "Line %(place)s amounts to more than any amount here may be. Correct it in %(provider)s."
    ),
    "crm.user_without_email": _(
        "This user of %(provider)s has no usable email, so the deals have no owner here."
    ),
    # Taken, with a notice
    "crm.cut": _("%(what)s was cut to %(length)s characters."),
    "crm.rounded": _("%(what)s was rounded to %(places)s decimals."),
    "crm.no_date": _("“%(field)s” is no date we can use (%(value)s); it was left empty."),
    "crm.no_name": _("It has no name in %(provider)s."),
    "crm.country_unknown": _("“%(text)s” is not a country we know; check the country."),
    "crm.email_wrong": _("“%(text)s” is not an email address and was not taken."),
    "crm.option_unknown": _(
        "“%(field)s” has the option %(option)s, which has no meaning here yet. "
        "An administrator chooses in the mapping what it means."
    ),
    "crm.first_option": _("“%(field)s” has several options; the first one counts."),
    "crm.no_terms": _(
        "“%(text)s” is not a payment term we can read; the terms were left as they are."
    ),
    "crm.no_language": _("“%(text)s” is not a language of our documents; it was left as it is."),
    "crm.vat_id_wrong": _("The VAT id “%(text)s” fails its check and was not taken."),
    "crm.siren_wrong": _("The SIREN “%(text)s” fails its check and was not taken."),
    "crm.billing_email_wrong": _(
        "“%(text)s” is not an email address; the billing email was left as it is."
    ),
    "crm.first_billing_email": _("Of several billing emails only the first, %(email)s, was taken."),
    "crm.period_backwards": _("“%(field)s” ends before it begins; it was left empty."),
    "crm.value_negative": _("The deal’s value is negative (%(value)s)."),
    "crm.status_unknown": _("Its status is not one we know; it counts as open."),
    "crm.vat_ways_differ": _("Its lines state VAT in different ways; the first line’s way counts."),
    "crm.price_negative": _(
        "Line %(place)s has a negative price (%(price)s): it lowers the invoice."
    ),
    "crm.quantity_negative": _("Line %(place)s has a negative quantity: it lowers the invoice."),
    "crm.discount_impossible": _(
        "Line %(place)s has a discount of %(discount)s, which cannot be; it was left out."
    ),
    "crm.product_vat_impossible": _("A VAT rate of %(rate)s %% cannot be; none was taken."),
    "crm.price_currency": _(
        "“%(currency)s” is not a currency the portal knows; this price was left out."
    ),
    "crm.product_price_negative": _("The price in %(currency)s is negative; it was left out."),
    "crm.code_taken": _(
        "Its code %(wanted)s is another item’s here; it got %(given)s. Give each product of "
        "%(provider)s a code of its own."
    ),
    "crm.no_products": _(
        "%(provider)s did not show its products: the plan has none, or the owner of the token may "
        "not see them. The catalogue stays as it is, and all else came in."
    ),
    "crm.no_instalments": _(
        "%(provider)s did not show the instalments of deals: the plan has none, or the owner of "
        "the token may not see them. Drafts take the payment terms of the client."
    ),
    "crm.instalment_left_out": _(
        "Instalment %(place)s has no day or no amount above zero; it was left out."
    ),
    "crm.vat_impossible": _(
        "Line %(place)s has a VAT rate of %(rate)s %%, which cannot be; choose one on the draft."
    ),
    # No longer said (the draft says it), but kept with deals that came in before.
    "crm.line_recurs": _("Line %(place)s recurs: a draft bills it once."),
    "crm.line_differs": _("Line %(place)s amounts to %(ours)s; %(provider)s shows %(theirs)s."),
    "crm.value_differs": _(
        "Its lines amount to %(ours)s, its value says %(theirs)s; a draft takes the lines."
    ),
    "crm.no_organisation": _(
        "It has no organisation, and an invoice needs a client. Add one in %(provider)s, or choose "
        "the client on the page of the deal."
    ),
    "crm.organisation_unseen": _(
        "Its organisation (number %(number)s) is deleted in %(provider)s or hidden from the "
        "token’s owner, so it has no client here."
    ),
    # What is no longer seen
    "crm.hidden": _(
        "It is no longer visible to the owner of the token. It may be deleted or only hidden: "
        "nothing was changed here."
    ),
    "crm.many_missing": _(
        "%(missing)s of %(all)s are no longer visible to the owner of the token. That many are "
        "rarely deleted at once, so nothing was changed: say whether each shall be looked up."
    ),
    "crm.not_whole": _(
        "This import went on where an earlier one had stopped, so it could not tell what was "
        "deleted meanwhile. The next full import does."
    ),
    # Told to drafts
    "crm.deal_deleted": _("The deal was deleted in %(provider)s after this draft was made."),
    "crm.deal_changed": _(
        "The deal changed in %(provider)s after this draft was made. Compare before you issue."
    ),
    "crm.deal_unreadable": _(
        "The deal changed in %(provider)s after this draft was made and can no longer be read. "
        "Compare before you issue."
    ),
    "crm.fault": _(
        "A fault of the portal stopped this import. What came in is kept; tell support."
    ),
}
