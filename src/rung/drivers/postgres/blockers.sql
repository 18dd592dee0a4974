-- name: blocked_by
-- The sessions that block a process, where it waits for a lock, and what they do, as far as our rights
-- show it. A prepared transaction is process 0, and has a name where it holds what is waited for.
SELECT held.pid, a.usename, a.application_name, a.state,
       extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)
           CASE WHEN a.state OPERATOR(pg_catalog.=) 'active' THEN a.query_start
                ELSE a.state_change END),
       extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)
           COALESCE(a.xact_start, p.prepared)),
       pg_catalog.left(a.query, 400), p.gid
  FROM (SELECT DISTINCT pg_catalog.unnest(pg_catalog.pg_blocking_pids({pid})) AS pid
         WHERE (SELECT me.wait_event_type FROM pg_catalog.pg_stat_get_activity({pid}) me)
               OPERATOR(pg_catalog.=) 'Lock') held
  LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) held.pid
  LEFT JOIN (SELECT prepared.gid, prepared.prepared
               FROM pg_catalog.pg_prepared_xacts prepared
               JOIN pg_catalog.pg_locks own
                 ON own.transactionid OPERATOR(pg_catalog.=) prepared.transaction
                AND own.granted AND own.pid IS NULL
               JOIN pg_catalog.pg_locks its
                 ON its.virtualtransaction OPERATOR(pg_catalog.=) own.virtualtransaction
                AND its.granted AND its.pid IS NULL
               JOIN pg_catalog.pg_locks awaited
                 ON awaited.locktype OPERATOR(pg_catalog.=) its.locktype
                AND pg_catalog.format('%L %L %L %L %L %L %L', awaited.database, awaited.relation,
                        awaited.transactionid, awaited.page, awaited.tuple, awaited.classid,
                        awaited.objid)
                    OPERATOR(pg_catalog.=)
                    pg_catalog.format('%L %L %L %L %L %L %L', its.database, its.relation,
                        its.transactionid, its.page, its.tuple, its.classid, its.objid)
              WHERE awaited.pid OPERATOR(pg_catalog.=) {pid} AND NOT awaited.granted
              ORDER BY prepared.prepared LIMIT 1) p
    ON held.pid OPERATOR(pg_catalog.=) 0
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

-- name: standby_wait
-- The standbys that a process waits for, where its commit does so, and how many are connected.
SELECT pg_catalog.current_setting('synchronous_standby_names'),
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_replication
         WHERE sync_state OPERATOR(pg_catalog.=) ANY (ARRAY['sync', 'quorum', 'potential']))
 WHERE (SELECT me.wait_event FROM pg_catalog.pg_stat_get_activity({pid}) me)
       OPERATOR(pg_catalog.=) 'SyncRep'

-- name: cancel_blocker
-- Cancels a query, if it is still that application's and still in the way of a process.
SELECT pg_catalog.pg_cancel_backend(a.pid)
  FROM pg_catalog.pg_stat_activity a
 WHERE a.pid OPERATOR(pg_catalog.=) {blocker}
   AND a.application_name OPERATOR(pg_catalog.=) {application}
   AND a.pid OPERATOR(pg_catalog.=) ANY (pg_catalog.pg_blocking_pids({pid}))

-- name: locked_by
-- Who holds a table so that nobody reads it, and what they do, in the form of `blocked_by`.
SELECT held.pid, a.usename, a.application_name, a.state,
       extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)
           CASE WHEN a.state OPERATOR(pg_catalog.=) 'active' THEN a.query_start
                ELSE a.state_change END),
       extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)
           COALESCE(a.xact_start, p.prepared)),
       pg_catalog.left(a.query, 400), p.gid
  FROM (SELECT DISTINCT COALESCE(l.pid, 0) AS pid, l.virtualtransaction AS owner
          FROM pg_catalog.pg_locks l
          JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) l.relation
          JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
         WHERE n.nspname OPERATOR(pg_catalog.=) ANY (ARRAY[{schemas}]::pg_catalog.name[])
           AND c.relname OPERATOR(pg_catalog.=) ANY (ARRAY[{names}]::pg_catalog.name[])
           AND l.locktype OPERATOR(pg_catalog.=) 'relation' AND l.granted
           AND l.mode OPERATOR(pg_catalog.=) 'AccessExclusiveLock'
           AND l.database OPERATOR(pg_catalog.=) (
               SELECT oid FROM pg_catalog.pg_database
                WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
           AND COALESCE(l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid(), true)) held
  LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) held.pid
  LEFT JOIN (SELECT prepared.gid, prepared.prepared, own.virtualtransaction AS owner
               FROM pg_catalog.pg_prepared_xacts prepared
               JOIN pg_catalog.pg_locks own
                 ON own.transactionid OPERATOR(pg_catalog.=) prepared.transaction
                AND own.granted AND own.pid IS NULL) p
    ON held.pid OPERATOR(pg_catalog.=) 0
   AND held.owner OPERATOR(pg_catalog.=) p.owner
 ORDER BY COALESCE(a.xact_start, p.prepared) NULLS LAST, held.pid
