#!/usr/bin/env bash
# Many jobs at once, counted together, and one more when all have ended.
. "$(dirname "$0")/lib.sh"

made="$(post /batches '{
    "name": "a class",
    "type": "diagnostics.echo",
    "items": [{"pupil": 1}, {"pupil": 2}, {"pupil": 3}],
    "on_complete": {"type": "diagnostics.echo", "payload": {"all": "done"}}
}')"
id="$(field batch_id <<<"$made")"
echo "batch $id: $(field queued <<<"$made") queued, $(field failed <<<"$made") refused"

wait_for "/batches/$id" progress 100
echo "counts: $(call GET "/batches/$id" | field counts)"
[ "$(call GET "/batches/$id" | field counts completed)" = 3 ]
