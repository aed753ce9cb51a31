#!/usr/bin/env bash
# Follow one job as it happens, by server-sent events, until it has ended.
. "$(dirname "$0")/lib.sh"

id="$(post /jobs '{"type": "diagnostics.sleep", "payload": {"seconds": 2, "steps": 4}}' | field id)"
echo "watching $id"

# The stream ends by itself after the job has.
call GET "/events?job_id=$id" --no-buffer --max-time 60 | while IFS= read -r line; do
    case "$line" in
        event:*) echo "${line#event: }" ;;
    esac
done
echo "ended: $(call GET "/jobs/$id" | field status)"
[ "$(call GET "/jobs/$id" | field status)" = completed ]
