"""Files that jobs work on: taken in once, named in payloads by their id, removed in time.

- `multipart`, `names`: what a request carries, and what its words are worth; pure;
- `storage`, `s3`, `shelf`: where bytes lie, those of `jobs.artifacts` too;
- `storing`: bytes, then the row; giving up: the row, then the bytes;
- `input_file`: the parameter type, as a job declares and uses it;
- `references`: which files a payload names, checked and kept while a job needs them;
- `sweeping`: what the dispatcher removes.
"""
