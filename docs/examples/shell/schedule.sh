#!/usr/bin/env bash
# A job each night: look when it would run, make it, run it once by hand, and remove it again.
. "$(dirname "$0")/lib.sh"

rule='"cron_expression": "0 2 * * *", "timezone": "Europe/Amsterdam"'
preview="$(call POST /schedules/preview --json "{$rule, \"count\": 3}")"
echo "$(field in_words <<<"$preview"), next: $(field next <<<"$preview")"

id="$(post /schedules "{\"name\": \"nightly $$\", \"type\": \"diagnostics.echo\", $rule}" | field id)"
# However this script ends, the schedule is not left behind.
trap 'call DELETE "/schedules/$id"' EXIT
echo "schedule $id, first run: $(call GET "/schedules/$id" | field next_run_at)"

job="$(call POST "/schedules/$id/run" --header "Idempotency-Key: $(new_key)" | field id)"
wait_for "/jobs/$job" status completed failed cancelled
echo "job $job ended: $(call GET "/jobs/$job" | field status)"
echo "its history: $(call GET "/schedules/$id/firings" | field items 0 decision)"
