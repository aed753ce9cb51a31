"""What jobs leave behind beside their row: named files, and results too large for it.

- `stored`: what is known of bytes that lie in the storage; pure;
- `content`: what job code hands over, taken in;
- `keeping`, `rows`: bytes, then the row, as long as the attempt holds its job;
- `results`: a result's way to the storage and back;
- `links`: addresses that can be followed for a while, without a token;
- `ranges`: which part of a file was asked for; pure;
- `reading`: what belongs to which job.
"""
