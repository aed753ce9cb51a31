#!/usr/bin/env bash
# Steps that wait for each other, with a result handed from one to the next.
. "$(dirname "$0")/lib.sh"

made="$(post /workflows '{
    "name": "a greeting",
    "steps": {
        "fetch": {"type": "diagnostics.echo", "payload": {"names": ["Ann", "Bob"]}},
        "greet": {
            "type": "diagnostics.echo",
            "payload": {"whom": {"$result": "fetch.names.0"}},
            "after": ["fetch"]
        }
    }
}')"
id="$(field workflow_id <<<"$made")"
greet="$(field steps greet <<<"$made")"
echo "workflow $id: greet is job $greet"

wait_for "/workflows/$id" status completed failed cancelled
echo "ended: $(call GET "/workflows/$id" | field status)"
echo "greeted: $(call GET "/jobs/$greet" | field result)"
[ "$(call GET "/workflows/$id" | field status)" = completed ]
