"""What decides whether and when a waiting job may be sent, besides its turn: limits, pauses, keys
that are closed. Kept in the database; the dispatcher reads it at each change.

- `rate`: a rate, `100/m`; pure.
- `changes`: the transaction in which every change of a policy is made.
- `rules`: what limits and holds mean for a job; pure. `snapshot` reads those in force.
- `buckets`: the names under which starts and running jobs are counted; pure.
"""
