#!/usr/bin/env bash
# Make a token that may only read, use it, and take it back. Needs a token with the scope admin.
. "$(dirname "$0")/lib.sh"

made="$(post /tokens '{"name": "a reader", "scopes": ["jobs:read"]}')"
id="$(field id <<<"$made")"
reader="$(field token <<<"$made")"  # shown this once only
echo "token $id: $(field scopes <<<"$made")"

echo "it is: $(CELERIAC_TOKEN="$reader" call GET /me | field name)"
if CELERIAC_TOKEN="$reader" post /jobs '{"type": "diagnostics.echo", "payload": {}}' >/dev/null; then
    echo "it could write" >&2
    exit 1
fi
echo "it may not write"

call DELETE "/tokens/$id"
echo "taken back"
