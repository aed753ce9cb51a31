"""What the engine tells other apps, and on what terms.

`job_moved` is sent once for each change of status (and for a boost, a discard, a withdrawal and a
requested cancel, which change none), inside the transaction that makes it:

- `moves`: list of `jobs.lifecycle.Move`, the rows as they are after the change;
- `transition`: the name of the transition, a key of `jobs.states.TRANSITIONS`.

A receiver does one cheap write or none, calls nobody outside the database, and may not change the
job. An exception in it undoes the change of status, on purpose: what a receiver records and what
happened can never differ. `sender` is `jobs.models.Job`.
"""

from django.dispatch import Signal

job_moved = Signal()
