#!/usr/bin/env bash
# Look at what failed for good, by kind of failure, and run one kind again.
. "$(dirname "$0")/lib.sh"

# Something to find: it fails once, and is not retried by itself.
label="example-$$"
id="$(post /jobs "{\"type\": \"diagnostics.fail\", \"payload\": {\"times\": 1, \"message\": \"$label\"},
    \"max_retries\": 0, \"labels\": {\"example\": \"$label\"}}" | field id)"
wait_for "/jobs/$id" status failed

echo "dead letters by kind:"
call GET /failures | python3 -c '
import json, sys
for group in json.load(sys.stdin)["items"]:
    print("  {count} x {type} {exception}: {sample[message]}".format(**group))'

echo "run again: $(call POST /jobs/bulk/retry \
    --json "{\"filter\": {\"dead\": true, \"label\": \"example:$label\"}}" | field changed)"
wait_for "/jobs/$id" status completed failed
echo "ended: $(call GET "/jobs/$id" | field status)"
[ "$(call GET "/jobs/$id" | field status)" = completed ]
