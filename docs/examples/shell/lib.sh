# What the examples share: the address, the token, one way to call and one to read an answer.
# Source it; it needs curl and python3.
set -euo pipefail

CELERIAC_URL="${CELERIAC_URL:-http://127.0.0.1:8000}"
: "${CELERIAC_TOKEN:?set CELERIAC_TOKEN to a token (manage.py tokens create)}"

# call METHOD PATH [curl options]: the answer's body. An error of the API is shown and ends the
# script. While the server asks to come later, curl does.
call() {
    local method="$1" path="$2"
    shift 2
    # The token is read from a file descriptor: arguments can be seen by others on the machine.
    curl --silent --show-error --fail-with-body --retry 5 \
        --header @<(printf 'Authorization: Bearer %s' "$CELERIAC_TOKEN") \
        --request "$method" "$CELERIAC_URL/api/v1$path" "$@" || {
        echo >&2
        return 1
    }
}

# post PATH JSON [curl options]: the same, with a body and a key that makes it safe to send again.
post() {
    local path="$1" body="$2"
    shift 2
    call POST "$path" --json "$body" --header "Idempotency-Key: $(new_key)" "$@"
}

new_key() { python3 -c 'import uuid; print(uuid.uuid4())'; }

# field NAME...: one field of the JSON on the standard input; names lead inwards.
field() {
    python3 -c '
import json, sys
value = json.load(sys.stdin)
for name in sys.argv[1:]:
    value = value[int(name)] if isinstance(value, list) else value[name]
print(value if isinstance(value, str) else json.dumps(value))' "$@"
}

# wait_for PATH FIELD WANTED...: look until the field has one of these values, at most 60 seconds.
wait_for() {
    local path="$1" name="$2" value=""
    shift 2
    for _ in $(seq 120); do
        value="$(call GET "$path" | field "$name")"
        for wanted in "$@"; do
            [ "$value" != "$wanted" ] || return 0
        done
        sleep 0.5
    done
    echo "$path: $name is still $value" >&2
    return 1
}
