#!/usr/bin/env bash
# The tests whose outcome can depend on the day, on days on which something was ever wrong: a leap
# day, both sides of New Year at midnight, and the two Sundays on which the clock changes, in the
# hour that comes twice or never. On SQLite; one process a day, three at once.
set -u -o pipefail
cd "$(dirname "$0")/.."
days=(2028-02-29 2026-12-31T23:30 2027-01-01T00:30)
nights=(2027-03-28T02:30 2027-10-31T02:30)
# What is measured or due on a day (states, reports, alerts) or says an hour (timelines, what is saved), and,
# but for the nights, which change no date, what is dated: drafts, documents, payments.
hours=(tests/test_dates.py tests/invoices/selections tests/invoices/invoicing/test_keeping.py
  tests/invoices/invoicing/test_invoice_page.py tests/reports)
dates=(tests/test_dates.py tests/invoices/deals tests/invoices/invoicing tests/invoices/payments
  tests/invoices/selections tests/reports)
# What no day has a say in stays out (killed processes, random books, queries that are counted) and what follows
# many days by itself: they run once, on the usual day.
long="killed or TestAny or TestParts or cluster or preview_says or adds_up or four_hundred or queries"
long+=" or is_the_figure_of or has_the_figure_of or cannot_tell or lists_have_a_row or whatever_is_paid"
long+=" or test_dues_typed or test_einvoices or at_once or AnyRetention"
# Pages of forms show what the rules say, which are tried on every day; of reports the pages too.
forms="--ignore-glob=*/invoicing/*pages.py --ignore-glob=*/deals/*pages.py --ignore-glob=*/payments/*pages.py"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
one_day() { # the day, then the tests
  local day=$1
  shift
  set -f # the patterns are for pytest
  .venv/bin/python -m pytest -q -p no:cacheprovider -m "not slow and not browser" -k "not ($long)" \
    --on-day "$day" $forms "$@" >"$out/$day" 2>&1 && state=passed || state=FAILED
  echo "$day $state: $(tail -n 1 "$out/$day")"
  [ "$state" = passed ] || { tail -n 60 "$out/$day"; return 1; }
}
export -f one_day
export out long forms
{
  printf "%s ${dates[*]}\n" "${days[@]}"
  printf "%s ${hours[*]}\n" "${nights[@]}"
} | env -u DATABASE_URL -u REDIS_URL xargs -P "${TEST_WORKERS:-3}" -L 1 bash -c 'one_day "$@"' one_day
