"""What providers call: nobody is signed in, and nothing that they say is believed."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from integrations.core.hooks import LARGEST, is_secret, secret_in
from integrations.einvoicing.hints import note_hint
from integrations.registry import PLATFORM, platform_connection


@csrf_exempt
@login_not_required
@require_POST
def platform_hook(request: HttpRequest) -> HttpResponse:
    """200 for what was kept or was kept before; 401 without the secret, 413 for what is too long.

    404 without a connection. An answer has no body, as XP Z12-013 has it.
    """
    connection = platform_connection()
    if connection is None:
        raise Http404
    secret = secret_in(request.headers.get("Authorization", ""))
    if not is_secret(secret, connection.hook_secret or ""):
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Basic realm="portal"'})
    length = request.headers.get("Content-Length", "0")
    if not length.isdecimal() or int(length) > LARGEST:
        return HttpResponse(status=413)
    note_hint(PLATFORM.key, request.body, PLATFORM.flow_named_in)
    return HttpResponse(status=200)
