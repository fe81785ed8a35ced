#!/usr/bin/env bash
# The tests whose outcome can depend on the day, on days on which something was ever wrong: a leap
# day, both sides of New Year at midnight, and the two Sundays on which the clock changes, in the
# hour that comes twice or never. On SQLite; one process a day, three at once.
set -u -o pipefail
cd "$(dirname "$0")/.."
days=(2028-02-29 2026-12-31T23:30 2027-01-01T00:30 2027-03-28T02:30 2027-10-31T02:30)
# Dates, what is dated (drafts, documents, payments), and what is measured or due on a day (states,
# reports, alerts). What no day has a say in stays out (killed processes, random books, queries that are
# counted) and what follows many days by itself: they run once, on the usual day.
tests=(
  tests/test_dates.py tests/invoices/deals tests/invoices/invoicing tests/invoices/payments
  tests/invoices/selections tests/reports
)
long="killed or TestAny or TestParts or cluster or preview_says or adds_up or four_hundred or queries"
long+=" or is_the_figure_of or has_the_figure_of"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
one_day() {
  .venv/bin/python -m pytest -q -p no:cacheprovider -m "not slow and not browser" -k "not ($long)" \
    --on-day "$1" "${tests[@]}" >"$out/$1" 2>&1 && state=passed || state=FAILED
  echo "$1 $state: $(tail -n 1 "$out/$1")"
  [ "$state" = passed ] || { tail -n 60 "$out/$1"; return 1; }
}
export -f one_day
export out long
printf '%s\n' "${days[@]}" | env -u DATABASE_URL -u REDIS_URL \
  xargs -P "${TEST_WORKERS:-3}" -I{} bash -c "tests=(${tests[*]}); one_day {}"
