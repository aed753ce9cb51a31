"""The statements with which `jobs.dispatcher.ready` reads the ready jobs."""

from __future__ import annotations

from jobs.priorities import FLOORS, HIGHEST

LEAST_SHARE = 2  # rows of one tenant in one tick, however many tenants there are
LEAST_OF_ALL = 600  # of all tenants of a queue and level, where one does not have more
LEAST_OF_BAND = 4  # of one that has aged
_STUCK = 100  # places of which one tick learns that it found too little there

_CAN_START = """COALESCE(GREATEST(job.priority, place.aged_to) >= (place.floors ->> job.type)::int
                         AND (job.limit_key = '' OR NOT (
                              job.tenant_id || ':' || job.limit_key = ANY (%(held_keys)s::text[])
                              OR job.type || ':' || job.tenant_id || ':' || job.limit_key
                              = ANY (%(barred_keys)s::text[])))
                         AND (job.lease_expires_at IS NULL
                              OR job.lease_expires_at <= clock_timestamp())
                         AND (job.expires_at IS NULL
                              OR job.expires_at > clock_timestamp()), false)"""
_COLUMNS = "job.id, job.type, job.limit_key, job.priority, job.seq, job.queued_at"
_AGED = "CASE WHEN {of}.queued_at <= %(aged_before)s THEN {of}.queued_at END"
# One place, read in order. Only so many rows, whether they can be sent or not; the last of them is
# returned in any case, to tell that there may be more behind it. (A limit that the planner sees
# makes it sort, wherever it believes that there are hardly more rows than that.)
_READ = f"""
    SELECT read.id, place.queue, place.tenant_id, read.type, read.limit_key, read.priority,
           read.seq, {_AGED.format(of="read")}, read.can_start, read.number = %(depth)s AS is_end,
           {{band}} AS band, place.share
      FROM {{places}} AS place, LATERAL (
           SELECT * FROM (
                  SELECT {_COLUMNS}, row_number() OVER () AS number, {_CAN_START} AS can_start
                    FROM (SELECT {_COLUMNS}, job.tenant_id, job.lease_expires_at, job.expires_at
                            FROM jobs_job AS job
                           WHERE job.status = 'queued' AND job.dispatched_at IS NULL
                             AND job.queue = place.queue AND job.tenant_id = place.tenant_id
                             AND {{within}}
                           ORDER BY job.queue, job.tenant_id, job.priority DESC, job.seq
                           LIMIT (SELECT %(depth)s)) AS job) AS numbered
            WHERE can_start OR number = %(depth)s
            LIMIT place.share) AS read
"""  # noqa: S608 (constants of this module; values travel as parameters)
_READ_WIDE = _READ.format(
    places="wide", band="false",
    within="job.priority BETWEEN place.from_priority AND place.highest",
)  # fmt: skip
# Of one tenant, as stretches follow each other in `surveyed`: where the first ones hold enough, the
# others are not read.
_READ_NARROW = _READ.format(
    places="""(SELECT * FROM surveyed
                WHERE surveyed.queue = known.queue AND surveyed.tenant_id = known.tenant_id
                  AND surveyed.after IS NOT NULL)""",
    band="true",
    within="job.priority = place.highest AND job.seq > place.after",
)
_LEVEL = " ".join(f"WHEN pair.priority >= {floor} THEN {floor}" for floor in FLOORS.values())
# Reads the head of each (queue, tenant) and nothing behind it: a skip scan over the index
# `job_ready` finds the pairs, so the cost follows the number of pairs and the room, not the
# number of waiting jobs. (A plain ORDER BY over all of them sorts the whole backlog.) Tenants whose
# heads are of one level share what is read of a queue. Where the head holds nothing that can be
# sent, a survey knows the stretches in which to look; where jobs have aged, what has risen is read
# beside the head.
READY = f"""
    WITH RECURSIVE wanted AS (
        SELECT queue, room, floors::jsonb AS floors, lowest, after_tenant
          FROM unnest(%(queues)s::text[], %(rooms)s::int[], %(floors)s::text[], %(lowest)s::int[],
                      %(after_tenants)s::bigint[])
            AS wanted(queue, room, floors, lowest, after_tenant)
    ), pair AS (
        (SELECT wanted.queue, head.tenant_id, head.priority, 1 AS number
           FROM wanted, LATERAL (
                SELECT job.tenant_id, job.priority FROM jobs_job AS job
                 WHERE job.status = 'queued' AND job.dispatched_at IS NULL
                   AND job.queue = wanted.queue AND job.tenant_id > wanted.after_tenant
                 ORDER BY job.queue, job.tenant_id, job.priority DESC, job.seq LIMIT 1) AS head)
        UNION ALL
        SELECT pair.queue, head.tenant_id, head.priority, pair.number + 1
          FROM pair, LATERAL (
               SELECT job.tenant_id, job.priority FROM jobs_job AS job
                WHERE job.status = 'queued' AND job.dispatched_at IS NULL
                  AND job.queue = pair.queue AND job.tenant_id > pair.tenant_id
                ORDER BY job.queue, job.tenant_id, job.priority DESC, job.seq LIMIT 1) AS head
         WHERE pair.number < %(tenants)s
    ), surveyed AS (
        SELECT wanted.*, stretch.tenant_id, stretch.highest, stretch.lowest AS from_priority,
               wanted.room AS share, 0 AS aged_to, stretch.after
          FROM unnest(%(s_queues)s::text[], %(s_tenants)s::bigint[], %(s_highest)s::int[],
                      %(s_lowest)s::int[], %(s_after)s::bigint[])
            AS stretch(queue, tenant_id, highest, lowest, after)
          JOIN wanted USING (queue)
    ), wide AS (
        SELECT wanted.*, pair.tenant_id, {HIGHEST} AS highest, wanted.lowest AS from_priority,
               LEAST(room, GREATEST({LEAST_SHARE}, 1 + {LEAST_OF_ALL} / count(*) OVER peers,
                                    2 * room / count(*) OVER peers))::int AS share, 0 AS aged_to
          FROM pair JOIN wanted USING (queue)
         WHERE NOT pair.tenant_id = ANY (%(barred_tenants)s::bigint[])
        WINDOW peers AS (PARTITION BY pair.queue, CASE {_LEVEL} END)
         UNION ALL
        SELECT queue, room, floors, lowest, after_tenant, tenant_id, highest, from_priority, share,
               aged_to
          FROM surveyed WHERE after IS NULL
         UNION ALL
        SELECT wanted.*, band.tenant_id, band.priority, band.priority,
               LEAST(room, GREATEST({LEAST_OF_BAND}, 2 * room / count(*) OVER (
                     PARTITION BY band.queue)))::int, band.aged_to
          FROM unnest(%(a_queues)s::text[], %(a_tenants)s::bigint[], %(a_priorities)s::int[],
                      %(a_aged)s::int[]) AS band(queue, tenant_id, priority, aged_to)
          JOIN wanted USING (queue)
         WHERE NOT band.tenant_id = ANY (%(barred_tenants)s::bigint[])
    )
    {_READ_WIDE}
    UNION ALL
    SELECT narrow.*
      FROM (SELECT DISTINCT queue, tenant_id, room FROM surveyed) AS known, LATERAL (
           {_READ_NARROW} LIMIT known.room + {_STUCK}) AS narrow
    UNION ALL
    SELECT NULL, queue, max(tenant_id), '', '', 0, 0, NULL, false, false, false, count(*)::int
      FROM pair GROUP BY queue
"""  # noqa: S608 (as above)

_PAGE = """
    SELECT page.priority, page.type, min(page.seq), max(page.seq), count(*)
      FROM (SELECT job.priority, CASE WHEN job.limit_key = '' THEN job.type END AS type, job.seq
              FROM jobs_job AS job
             WHERE job.status = 'queued' AND job.dispatched_at IS NULL
               AND job.queue = %(queue)s AND job.tenant_id = %(tenant)s AND {within}
             ORDER BY job.queue, job.tenant_id, job.priority DESC, job.seq
             LIMIT (SELECT %(rows)s)) AS page
     GROUP BY page.priority, page.type
"""
PAGE_OF_PRIORITY = _PAGE.format(within="job.priority = %(priority)s AND job.seq > %(seq)s")
PAGE_BELOW = _PAGE.format(within="job.priority < %(priority)s")
