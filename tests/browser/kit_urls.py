# ruff: noqa: E501
"""Pages of the tests themselves: each part of the script once, in the real frame."""

from __future__ import annotations

from django.http import HttpResponse
from django.template import engines
from django.urls import path
from django.utils.translation import gettext as _

from billing_portal.toasts import add_toast, announce, close_overlays, refresh_counts
from billing_portal.urls import urlpatterns as real

KIT = """{% extends "base.html" %}
{% block title %}Kit{% endblock %}
{% block head %}<h1>Kit</h1>{% endblock %}
{% block content %}
<p><a class="btn" id="open-dialog" href="/kit/dialog/" hx-get="/kit/dialog/" hx-target="#dialog">Open…</a>
<button class="btn" id="broken" hx-get="/kit/broken/" hx-target="#panel" type="button">Broken</button>
<button class="btn" id="gone" hx-get="/kit/nowhere/" hx-target="#panel" type="button">Gone</button></p>
<div id="panel">Nothing yet</div>
<form class="card" method="post" action="/kit/lines/" id="editor">{% csrf_token %}
<input type="hidden" name="lines-TOTAL_FORMS" value="2">
<table class="lines-grid" id="lines"><caption class="visually-hidden">Lines</caption>
<thead><tr><th scope="col">Order</th><th scope="col">Words</th><th scope="col">Quantity</th><th scope="col">Remove</th></tr></thead>
<tbody hx-post="/kit/totals/" hx-trigger="input delay:50ms" hx-target="#totals">
{% for n in rows %}<tr><td><button class="btn btn-sm btn-icon grip" type="button" aria-label="Move line {{ n|add:1 }}">{% icon "grip-vertical" %}</button></td>
<td><textarea class="form-control" name="lines-{{ n }}-description" id="lines-{{ n }}-description" aria-label="Description, line {{ n|add:1 }}">{{ n }}</textarea></td>
<td><input class="form-control" name="lines-{{ n }}-quantity" aria-label="Quantity, line {{ n|add:1 }}" value="{{ n }}"></td>
<td><button class="btn btn-sm btn-icon" type="button" data-remove-line aria-label="Remove line {{ n|add:1 }}">{% icon "trash" %}</button></td></tr>{% endfor %}
</tbody></table>
<template data-line><tr><td><button class="btn btn-sm btn-icon grip" type="button" aria-label="Move line __number__">{% icon "grip-vertical" %}</button></td>
<td><textarea class="form-control" name="lines-__prefix__-description" id="lines-__prefix__-description" aria-label="Description, line __number__"></textarea></td>
<td><input class="form-control" name="lines-__prefix__-quantity" aria-label="Quantity, line __number__"></td>
<td><button class="btn btn-sm btn-icon" type="button" data-remove-line aria-label="Remove line __number__">{% icon "trash" %}</button></td></tr></template>
<button class="btn" type="button" data-add-line>Add a line</button>
<output id="totals"></output></form>
<div class="card mt-3" data-list id="list"><div class="table-tools bulk-bar"><span data-selection="%d selected"></span></div>
<table class="table data-table"><caption class="visually-hidden">Rows</caption><thead><tr><th><input class="form-check-input check-all" type="checkbox" aria-label="All"></th><th scope="col">Name</th></tr></thead>
<tbody>{% for n in rows %}<tr><td><input class="form-check-input row-check" type="checkbox" data-minor="{{ n|add:1 }}50" data-currency="EUR" aria-label="Row {{ n }}"></td><th scope="row"><a class="row-link" href="/kit/?row={{ n }}">Row {{ n }}</a></th></tr>{% endfor %}</tbody></table></div>
{% endblock %}"""
DIALOG = """{% extends "partials/dialog_base.html" %}
{% block form_start %}<form method="post" action="/kit/dialog/" hx-post="/kit/dialog/" hx-target="#dialog">{% csrf_token %}{% once %}{% endblock %}
{% block dialog_title %}Do it once?{% endblock %}
{% block dialog_body %}<p>{{ wrong }}</p>{% endblock %}
{% block dialog_actions %}<button class="btn btn-primary" type="submit" name="go" value="{{ go }}">Do it</button>{% endblock %}
{% block form_end %}</form>{% endblock %}"""


def _shown(request, source, status=200, **context):
    template = engines["django"].from_string(source)
    return HttpResponse(template.render(context, request), status=status)


def kit(request):
    return _shown(request, KIT, rows=range(2))


def dialog(request):
    if request.method == "GET":
        return _shown(request, DIALOG, go="first")
    if request.POST.get("go") == "first":
        return _shown(request, DIALOG, status=422, wrong="Not yet: press again.", go="second")
    answer = HttpResponse(status=200)
    answer["HX-Reswap"] = "none"
    add_toast(answer, "It is done.", detail="Once.", url="/kit/", link="Open it")
    announce(answer, "Done once")
    return close_overlays(refresh_counts(answer))


def totals(request):
    names = sorted(name for name in request.POST if name.startswith("lines-"))
    return HttpResponse(" ".join(f"{name}={request.POST[name]}" for name in names))


def broken(request):
    return HttpResponse(_("broken"), status=500)


urlpatterns = [
    path("kit/", kit),
    path("kit/dialog/", dialog),
    path("kit/broken/", broken),
    path("kit/totals/", totals),
    *real,
]
