#!/usr/bin/env bash
# Hand in a job, wait for its end, and read its result.
. "$(dirname "$0")/lib.sh"

job="$(post /jobs '{"type": "diagnostics.echo", "payload": {"hello": "world"}, "priority": "high"}')"
id="$(field id <<<"$job")"
echo "handed in: $id"

wait_for "/jobs/$id" status completed failed cancelled
job="$(call GET "/jobs/$id")"
echo "ended: $(field status <<<"$job")"
echo "result: $(field result <<<"$job")"
[ "$(field status <<<"$job")" = completed ]
