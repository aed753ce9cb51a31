#!/usr/bin/env bash
# Hold a queue back and let it go on. Only a platform admin's token may.
. "$(dirname "$0")/lib.sh"

queue="${1:-default}"
echo "paused: $(call POST "/queues/$queue/pause" --json '{"reason": "maintenance"}' | field paused)"
# However this script ends, the queue is not left paused.
trap 'call POST "/queues/$queue/resume" >/dev/null' EXIT

id="$(post /jobs "{\"type\": \"diagnostics.echo\", \"payload\": {}, \"queue\": \"$queue\"}" | field id)"
echo "why it waits: $(call GET "/jobs/$id/explain" | field reasons 0 code)"

echo "paused: $(call POST "/queues/$queue/resume" | field paused)"
wait_for "/jobs/$id" status completed failed cancelled
echo "ended: $(call GET "/jobs/$id" | field status)"
[ "$(call GET "/jobs/$id" | field status)" = completed ]
