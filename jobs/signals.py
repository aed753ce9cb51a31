"""What the engine tells other apps, and on what terms.

`job_moved` is sent once for each change of status (and for a boost, a discard, a withdrawal and a
requested cancel, which change none), inside the transaction that makes it:

- `moves`: list of `jobs.lifecycle.Move`, the rows as they are after the change;
- `transition`: the name of the transition, a key of `jobs.states.TRANSITIONS`.

A receiver does one cheap write or none, calls nobody outside the database, and may not change the
job. An exception in it undoes the change of status, on purpose: what a receiver records and what
happened can never differ. `sender` is `jobs.models.Job`.

Where the engine moves many jobs at once (promote, expire, rescue, withdraw, settle), an exception
keeps back only the jobs it concerns: the batch is undone and sent again in parts, each in a
savepoint of its own, until the job at fault stands alone. It stays as it was, is logged, and is
tried again a minute later. So a receiver may be told of a move that was undone, and of the same
one again; what it wrote in the transaction was undone with it. The jobs that wait for one that
ended are such a batch too: one that cannot be settled stays blocked, and does not undo the end of
the other.

`job_event` is sent on the same terms and with the same arguments, but only for those of the moves
that concern somebody: of jobs with a `webhook_url`, of tenants where somebody is `listening`, and
of the platform's own jobs that ended without success. Where nobody listens it costs a job nothing:
`job_moved` takes the statements that begin, complete and create a job out of their fast form.

`happened` is sent for what concerns a tenant and is no change of one job, inside the transaction
that makes it, on the same terms:

- `event`: its name, as programs are told it (`schedule.missed`);
- `tenant_id`: whose it is;
- `data`: what there is to say, JSON-able, without secrets.

`sender` is the model it is about.
"""

from django.dispatch import Signal

job_moved = Signal()
job_event = Signal()
happened = Signal()
