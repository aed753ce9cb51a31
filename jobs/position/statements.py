"""How many jobs go before another: SQL, because only a skip scan over the index `job_ready` keeps
the cost from growing with the queue, and the ORM has none.

Waiting jobs stand in bands of one tenant and stored priority, oldest first. In a band whose first
job is too young to have aged, all have the priority that is stored, and are counted by the index
alone. Of the others the first rows are read one by one: so many that those of the job's own tenant
cost READ rows together, and those of all other tenants as many. What stands behind them has aged
no more than the last of them. Every count stops where it is enough.
"""

# ruff: noqa: S608 (constants of this module; values travel as parameters)

READ = 2_000
_LEAST, _MOST = 3, 1_000  # of one band

_READY = "job.queue = %(queue)s AND job.status = 'queued' AND job.dispatched_at IS NULL"
_BAND = f"{_READY} AND job.tenant_id = {{band}}.tenant_id AND job.priority = {{band}}.priority"
_ORDER = "ORDER BY job.queue, job.tenant_id, job.priority DESC, job.seq"
# (A limit that the planner sees makes it sort, where it expects hardly more rows than that.)
_FIRST = "LIMIT (SELECT %(limit)s)"


def _aged(priority: str, since: str) -> str:
    """The effective priority of a job ready since then, as `jobs.ageing` computes it."""
    waited = f"extract(epoch FROM %(now)s::timestamptz - {since})::float"
    times = f"1 + floor(LEAST(1000, ({waited} - %(after)s) / %(every)s))::int"
    risen = f"GREATEST({priority}, LEAST(%(highest)s, {priority} + %(step)s * ({times})))"
    is_old = f"%(step)s <> 0 AND {waited} >= %(after)s"
    return f"CASE WHEN {is_old} THEN {risen} ELSE {priority} END"


# A job was never ready before it was made, and what it was paused does not count.
_CREATED = "LEAST(job.created_at, job.queued_at)"
_SINCE = """job.queued_at + COALESCE((
    SELECT sum(upper(span) - lower(span)) FROM unnest((
        SELECT range_agg(tstzrange(GREATEST(resumed.begin, job.queued_at), resumed.at))
          FROM resumed
         WHERE resumed.at > job.queued_at
           AND ((resumed.kind = 'queue' AND resumed.target = job.queue)
                OR (resumed.kind = 'type' AND resumed.target = job.type)
                OR (resumed.kind = 'tenant' AND resumed.tenant_id = job.tenant_id)
                OR (resumed.kind = 'key' AND resumed.tenant_id = job.tenant_id
                    AND resumed.target = job.limit_key)))) AS span), interval '0')"""

_BANDS = f"""
    WITH RECURSIVE present(tenant_id) AS (
        (SELECT job.tenant_id FROM jobs_job AS job WHERE {_READY}
          ORDER BY job.queue, job.tenant_id LIMIT 1)
        UNION ALL
        SELECT next.tenant_id FROM present, LATERAL (
               SELECT job.tenant_id FROM jobs_job AS job
                WHERE {_READY} AND job.tenant_id > present.tenant_id
                ORDER BY job.queue, job.tenant_id LIMIT 1) AS next
    ), band AS MATERIALIZED (
        SELECT present.tenant_id, first.priority,
               {_aged("first.priority", "first.created")} > first.priority AS is_old
          FROM present, LATERAL (
            WITH RECURSIVE step AS (
                (SELECT job.priority, {_CREATED} AS created FROM jobs_job AS job
                  WHERE {_READY} AND job.tenant_id = present.tenant_id
                    AND job.priority <= %(ceiling)s
                  {_ORDER} LIMIT 1)
                UNION ALL
                SELECT lower.priority, lower.created FROM step, LATERAL (
                       SELECT job.priority, {_CREATED} AS created FROM jobs_job AS job
                        WHERE {_READY} AND job.tenant_id = present.tenant_id
                          AND job.priority < step.priority
                        {_ORDER} LIMIT 1) AS lower)
            SELECT priority, created FROM step) AS first
         WHERE {_aged("first.priority", "first.created")} >= %(floor)s
    ), old AS MATERIALIZED (
        SELECT tenant_id, priority, GREATEST({_LEAST}, LEAST({_MOST}, {READ} / count(*) OVER (
               PARTITION BY tenant_id = %(tenant)s))) AS most
          FROM band WHERE is_old
    ), resumed AS MATERIALIZED (
        SELECT kind, target, tenant_id, COALESCE(ended_at, until) AS at,
               LEAST(created_at, ended_at, until) AS begin FROM jobs_pause
         WHERE ended_at > %(now)s - interval '1 day'
            OR (ended_at IS NULL AND until <= %(now)s AND until > %(now)s - interval '1 day')
    ), aged AS MATERIALIZED (
        SELECT old.tenant_id, old.priority, read.seq, read.created,
               {_aged("old.priority", "read.since")} AS effective,
               read.number = old.most AS is_last
          FROM old, LATERAL (
               SELECT first.*, row_number() OVER () AS number
                 FROM (SELECT job.seq, {_CREATED} AS created, {_SINCE} AS since
                         FROM jobs_job AS job
                        WHERE {_BAND.format(band="old")} {_ORDER} LIMIT old.most) AS first) AS read
    ), edge AS MATERIALIZED (
        SELECT tenant_id, priority, seq, {_aged("priority", "created")} AS top
          FROM aged WHERE is_last
    ), young AS MATERIALIZED (
        SELECT tenant_id, priority, -1::bigint AS after FROM band WHERE NOT is_old
        UNION ALL
        SELECT tenant_id, priority, seq FROM edge WHERE top = priority
    )"""

_IN_BAND = "young.priority BETWEEN %(floor)s AND %(ceiling)s"
_AGED_IN_BAND = "aged.effective BETWEEN %(floor)s AND %(ceiling)s"
_BETTER = """(aged.effective > %(effective)s
              OR aged.effective = %(effective)s AND aged.seq < %(seq)s)"""


def _young(before: str) -> str:
    """Rows of a young band with a smaller `seq`."""
    return f"""LATERAL (
        SELECT 1 FROM jobs_job AS job
         WHERE {_BAND.format(band="young")} AND job.seq > young.after AND job.seq < {before}
         {_ORDER} {_FIRST}) AS one"""


_ANY = "9223372036854775807"
# Of a band with the job's own priority those that are older, of a higher one all.
_OLDER = f"CASE WHEN young.priority > %(effective)s THEN {_ANY} ELSE %(seq)s END"
_AS_SENT = "COALESCE(sent_priority, priority) BETWEEN %(floor)s AND %(ceiling)s"
_SENT = f"""SELECT count(*) FROM jobs_job
             WHERE status = 'queued' AND queue = %(queue)s AND {_AS_SENT}
               AND dispatched_at < COALESCE(%(dispatched_at)s::timestamptz, 'infinity')"""


def _of(tenant: str, *, better: bool) -> str:
    """Waiting jobs of the level of one tenant: those that rank before the job, or all."""
    young = f"young.priority >= %(effective)s AND {_IN_BAND}" if better else _IN_BAND
    aged = f"{_BETTER} AND {_AGED_IN_BAND}" if better else _AGED_IN_BAND
    return f"""
        SELECT 1 FROM young, {_young(_OLDER if better else _ANY)}
         WHERE young.tenant_id = {tenant} AND {young}
        UNION ALL
        SELECT 1 FROM aged WHERE aged.tenant_id = {tenant} AND {aged}"""


SENT_AHEAD = _SENT
# Of another tenant `low` start before the job's own turn whatever they are; where its turn falls
# together with the job's, one more that ranks before it.
AHEAD = f"""{_BANDS}, own AS MATERIALIZED (
        SELECT count(*) AS ahead FROM ({_of("%(tenant)s", better=True)} LIMIT %(limit)s) AS one
    ), weight AS MATERIALIZED (
        SELECT tenant.id, COALESCE(tenant.weight, (%(weights)s::jsonb ->> tenant.plan_name)::int, 1)
               AS weight
          FROM accounts_tenant AS tenant
         WHERE tenant.id = %(tenant)s OR tenant.id IN (SELECT tenant_id FROM present)
    ), other AS MATERIALIZED (
        SELECT weight.id, weight.weight::float / mine.weight AS share,
               (own.ahead * weight.weight + mine.weight - 1) / mine.weight AS low,
               own.ahead * weight.weight / mine.weight + 1 AS high
          FROM weight, own, weight AS mine
         WHERE mine.id = %(tenant)s AND weight.id <> %(tenant)s
    ), counted AS MATERIALIZED (
        SELECT stream.id, GREATEST(count(*) FILTER (WHERE NOT better),
                                   count(*) FILTER (WHERE better)) AS number
          FROM (SELECT other.id, one.better FROM other, LATERAL (
                       (SELECT false AS better FROM ({_of("other.id", better=False)}) AS each
                         LIMIT other.low)
                       UNION ALL
                       (SELECT true FROM ({_of("other.id", better=True)}) AS each
                         LIMIT other.high)) AS one
                 WHERE (SELECT ahead FROM own) < %(limit)s
                 LIMIT 2 * %(limit)s) AS stream
         GROUP BY stream.id)
    SELECT ({_SENT}), (SELECT ahead FROM own),
           (SELECT COALESCE(sum(number), 0)::bigint FROM counted),
           (SELECT COALESCE(sum(share), 0)::float FROM other),
           EXISTS (SELECT 1 FROM edge
                    WHERE edge.tenant_id = %(tenant)s AND edge.top > edge.priority
                      AND (edge.top > %(effective)s
                           OR edge.top = %(effective)s AND edge.seq < %(seq)s))
        OR EXISTS (SELECT 1 FROM edge JOIN other ON other.id = edge.tenant_id
                     LEFT JOIN counted ON counted.id = other.id
                    WHERE edge.top > edge.priority AND edge.top >= %(floor)s
                      AND COALESCE(counted.number, 0) < other.high)
"""
# What was sent is in flight by its own level.
HIGHER = f"""{_BANDS}
    SELECT (SELECT count(*) FROM (
             SELECT 1 FROM young, {_young(_ANY)} WHERE {_IN_BAND}
             UNION ALL
             SELECT 1 FROM aged WHERE {_AGED_IN_BAND}
             UNION ALL
             SELECT 1 FROM jobs_job WHERE status = 'queued' AND queue = %(queue)s
                AND dispatched_at IS NOT NULL AND {_AS_SENT}
             LIMIT %(limit)s) AS one),
           EXISTS (SELECT 1 FROM edge WHERE edge.top > edge.priority AND edge.top >= %(floor)s)
"""
