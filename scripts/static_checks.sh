#!/usr/bin/env bash
# Everything that reads the code without running it; prints all findings, then fails if there were any.
set -u
bin=.venv/bin
failed=0
run() { echo "— $*" | cut -c1-80; "$@" || failed=1; }
run $bin/ruff check --quiet .
run $bin/ruff format --check --quiet .
run $bin/mypy --no-error-summary billing_portal invoices reports integrations
mapfile -t templates < <(git ls-files 'templates/*.html')
run $bin/djade --check --target-version 5.2 "${templates[@]}"
run env DJANGO_SETTINGS_MODULE=billing_portal.settings_for_tools $bin/python manage.py makemigrations --check --dry-run --verbosity 0
echo "— manage.py check --deploy"
env DEBUG=false DEMO=false HTTPS_ONLY=true SECRET_KEY="$(head -c 48 /dev/urandom | base64 | tr -d '\n')" \
  BOOKS_KEYS="$(head -c 48 /dev/urandom | base64 | tr -d '\n')" \
  ALLOWED_HOSTS=billing.example.com BASE_URL=https://billing.example.com DATABASE_URL="${DATABASE_URL:-sqlite:///$(pwd)/var/deploy-check.sqlite3}" \
  $bin/python manage.py check --deploy --fail-level WARNING || failed=1
exit $failed
