-- name: blocked_by
-- Whom a process waits for, where it waits for a lock, and what they do, as far as our rights
-- show it. A prepared transaction is process 0.
SELECT held.pid, a.usename, a.application_name, a.state,
       extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)
           CASE WHEN a.state OPERATOR(pg_catalog.=) 'active' THEN a.query_start
                ELSE a.state_change END),
       extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.xact_start),
       pg_catalog.left(a.query, 400)
  FROM (SELECT DISTINCT pg_catalog.unnest(pg_catalog.pg_blocking_pids({pid})) AS pid
         WHERE (SELECT me.wait_event_type FROM pg_catalog.pg_stat_get_activity({pid}) me)
               OPERATOR(pg_catalog.=) 'Lock') held
  LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) held.pid
 ORDER BY a.xact_start NULLS LAST, held.pid

-- name: queued_behind
-- Who waits for a process that itself waits for a lock; of the first 200 that wait at all.
SELECT a.pid, a.application_name
  FROM (SELECT DISTINCT l.pid FROM pg_catalog.pg_locks l
         WHERE NOT l.granted AND l.pid OPERATOR(pg_catalog.<>) {pid}
           AND (SELECT me.wait_event_type FROM pg_catalog.pg_stat_get_activity({pid}) me)
               OPERATOR(pg_catalog.=) 'Lock'
         LIMIT 200) waiting
  JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) waiting.pid
 WHERE {pid} OPERATOR(pg_catalog.=) ANY (pg_catalog.pg_blocking_pids(waiting.pid))
 ORDER BY a.pid

-- name: index_build
-- How far the index is that a process builds.
SELECT phase, lockers_done, lockers_total, blocks_done, blocks_total, tuples_done, tuples_total
  FROM pg_catalog.pg_stat_progress_create_index
 WHERE pid OPERATOR(pg_catalog.=) {pid}

-- name: cancel_blocker
-- Cancels a query, if it is still that application's and still in the way of a process.
SELECT pg_catalog.pg_cancel_backend(a.pid)
  FROM pg_catalog.pg_stat_activity a
 WHERE a.pid OPERATOR(pg_catalog.=) {blocker}
   AND a.application_name OPERATOR(pg_catalog.=) {application}
   AND a.pid OPERATOR(pg_catalog.=) ANY (pg_catalog.pg_blocking_pids({pid}))
