#!/usr/bin/env bash
# Hand in a file (the first argument, or this script), and let a job take its text out of it.
. "$(dirname "$0")/lib.sh"

path="${1:-$0}"
file="$(call POST /files --form "file=@$path;type=text/plain" --header "Idempotency-Key: $(new_key)")"
id="$(field id <<<"$file")"
echo "file $id: $(field name <<<"$file"), $(field size <<<"$file") bytes"
echo "sha256: $(field sha256 <<<"$file")"

# A payload refers to it by {"file_id": ...} where the job's type takes a file.
echo "until: $(call GET "/files/$id" | field expires_at)"
call DELETE "/files/$id"
echo "removed"
