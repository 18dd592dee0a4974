-- name: look_place
-- Where we are, whether it takes writes, the schemas of the path that have a ledger, what is
-- there of ledger, history and lease, what we may do with it, the tables and the ledgers of other
-- schemas without a ledger, who else may write ours, and the note on the history with the state of its rights.
SELECT pg_catalog.current_database(),
       place.ledger_schema,
       pg_catalog.pg_is_in_recovery()
           OR pg_catalog.current_setting('transaction_read_only') OPERATOR(pg_catalog.=) 'on',
       pg_catalog.pg_backend_pid(),
       pg_catalog.current_setting('server_version'),
       pg_catalog.current_setting('standard_conforming_strings'),
       (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(n.nspname), E'\n'
                   ORDER BY pg_catalog.array_position(pg_catalog.current_schemas(false), n.nspname))
          FROM pg_catalog.pg_class c
          JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
         WHERE c.relname OPERATOR(pg_catalog.=) {ledger_name}
           AND c.relkind OPERATOR(pg_catalog.=) ANY
               (ARRAY['r', 'p', 'v', 'f', 'm']::pg_catalog."char"[])
           AND n.nspname OPERATOR(pg_catalog.=) ANY (pg_catalog.current_schemas(false))),
       pg_catalog.quote_ident(place.ledger_schema),
       current_user,
       ledger.oid IS NOT NULL,
       (SELECT pg_catalog.string_agg(r, ' ')
          FROM pg_catalog.unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) r
         WHERE pg_catalog.has_table_privilege(ledger.oid, r)),
       ledger_place.oid IS NOT NULL,
       (SELECT pg_catalog.string_agg(r, ' ') FROM pg_catalog.unnest(ARRAY['USAGE', 'CREATE']) r
         WHERE pg_catalog.has_schema_privilege(ledger_place.oid, r)),
       history.oid IS NOT NULL,
       (SELECT pg_catalog.string_agg(r, ' ')
          FROM pg_catalog.unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) r
         WHERE pg_catalog.has_table_privilege(history.oid, r)),
       history_place.oid IS NOT NULL,
       (SELECT pg_catalog.string_agg(r, ' ') FROM pg_catalog.unnest(ARRAY['USAGE', 'CREATE']) r
         WHERE pg_catalog.has_schema_privilege(history_place.oid, r)),
       lease.oid IS NOT NULL,
       (SELECT pg_catalog.string_agg(r, ' ') FROM pg_catalog.unnest(ARRAY['SELECT', 'UPDATE']) r
         WHERE pg_catalog.has_table_privilege(lease.oid, r)),
       CASE WHEN ledger.oid IS NULL THEN (
           SELECT pg_catalog.string_agg(pg_catalog.quote_ident(c.relname), E'\n'
                      ORDER BY c.relname)
             FROM pg_catalog.pg_class c
            WHERE c.relnamespace OPERATOR(pg_catalog.=) ledger_place.oid
              AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p', 'f']::pg_catalog."char"[])
              AND NOT c.relispartition
              AND COALESCE(c.oid OPERATOR(pg_catalog.<>) history.oid, true)
              AND COALESCE(c.oid OPERATOR(pg_catalog.<>) lease.oid, true)
              AND NOT EXISTS (
                  SELECT FROM pg_catalog.pg_depend d
                   WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
                     AND d.objid OPERATOR(pg_catalog.=) c.oid
                     AND d.deptype OPERATOR(pg_catalog.=) 'e')) END,
       picked.name,
       {table_facts},
       {twin_schemas},
       {other_writers},
       (SELECT d.description FROM pg_catalog.pg_description d
         WHERE d.classoid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
           AND d.objoid OPERATOR(pg_catalog.=) history.oid
           AND d.objsubid OPERATOR(pg_catalog.=) 0),
       {rights_state},
       pg_catalog.pg_has_role(history.relowner, 'USAGE'),
       {note_stands}
  FROM (SELECT COALESCE({ledger_schema}, pg_catalog.current_schema()) AS ledger_schema,
               COALESCE({history_schema}, pg_catalog.current_schema()) AS history_schema) place
  LEFT JOIN pg_catalog.pg_namespace ledger_place
    ON ledger_place.nspname OPERATOR(pg_catalog.=) place.ledger_schema
  LEFT JOIN pg_catalog.pg_class ledger
    ON ledger.relnamespace OPERATOR(pg_catalog.=) ledger_place.oid
   AND ledger.relname OPERATOR(pg_catalog.=) {ledger_name}
   AND ledger.relkind OPERATOR(pg_catalog.=) ANY
       (ARRAY['r', 'p', 'v', 'f', 'm']::pg_catalog."char"[])
  LEFT JOIN pg_catalog.pg_namespace history_place
    ON history_place.nspname OPERATOR(pg_catalog.=) place.history_schema
  LEFT JOIN LATERAL (SELECT ({pick_history})::pg_catalog.name AS name) picked ON true
  LEFT JOIN pg_catalog.pg_class history
    ON history.relnamespace OPERATOR(pg_catalog.=) history_place.oid
   AND history.relname OPERATOR(pg_catalog.=) picked.name
   AND history.relkind OPERATOR(pg_catalog.=) ANY
       (ARRAY['r', 'p', 'v', 'f', 'm']::pg_catalog."char"[])
  LEFT JOIN pg_catalog.pg_class lease
    ON lease.relnamespace OPERATOR(pg_catalog.=) ledger_place.oid
   AND lease.relname OPERATOR(pg_catalog.=) {lease_name}
   AND lease.relkind OPERATOR(pg_catalog.=) ANY
       (ARRAY['r', 'p', 'v', 'f', 'm']::pg_catalog."char"[])

-- name: tables_beside
-- The tables of the ledger's schema that no extension owns, without ours, quoted.
SELECT pg_catalog.quote_ident(c.relname)
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE n.nspname OPERATOR(pg_catalog.=) {schema}
   AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p', 'f']::pg_catalog."char"[])
   AND NOT c.relispartition
   AND NOT EXISTS (SELECT FROM (VALUES {ours}) AS ours (schema, name)
                    WHERE ours.schema OPERATOR(pg_catalog.=) n.nspname
                      AND ours.name OPERATOR(pg_catalog.=) c.relname)
   AND NOT EXISTS (
       SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
          AND d.objid OPERATOR(pg_catalog.=) c.oid
          AND d.deptype OPERATOR(pg_catalog.=) 'e')
 ORDER BY c.relname

-- name: look_ledger
-- The ledger's rows; two are enough to see that there is more than one.
SELECT version, dirty FROM {ledger} LIMIT 2

-- name: look_history
-- Every attempt, oldest first, without the SQL texts.
SELECT id, attempt, version, name, direction, outcome, statements_total, statements_done,
       in_flight, extract(epoch FROM started), extract(epoch FROM finished),
       error, up_checksum, down_checksum, checksum_formula, up_digest, down_digest,
       tool, tool_version, database_user, host
  FROM {history} ORDER BY id

-- name: look_current_history
-- The same without the rows of a version before its last attempt that ended well. Rows of `force` and
-- `baseline`, which concern other versions too, and whatever is unrecognized stay.
SELECT id, attempt, version, name, direction, outcome, statements_total, statements_done,
       in_flight, extract(epoch FROM started), extract(epoch FROM finished),
       error, up_checksum, down_checksum, checksum_formula, up_digest, down_digest,
       tool, tool_version, database_user, host
  FROM (SELECT id, attempt, version, name, direction, outcome, statements_total, statements_done,
               in_flight, started, finished,
               error, up_checksum, down_checksum, checksum_formula, up_digest, down_digest,
               tool, tool_version, database_user, host,
               pg_catalog.max(id) FILTER (
                   WHERE outcome OPERATOR(pg_catalog.=) 'done'::pg_catalog.text
                     AND direction OPERATOR(pg_catalog.=) ANY
                         (ARRAY['up', 'down', 'mark-applied', 'mark-not-applied']::pg_catalog.text[])
               ) OVER (PARTITION BY version) AS decided
          FROM {history}) AS attempts
 WHERE version IS NULL OR decided IS NULL OR id OPERATOR(pg_catalog.>=) decided
    OR NOT outcome OPERATOR(pg_catalog.=) ANY
           (ARRAY['running', 'done', 'failed']::pg_catalog.text[])
    OR NOT direction OPERATOR(pg_catalog.=) ANY
           (ARRAY['up', 'down', 'edit', 'mark-applied', 'mark-not-applied']::pg_catalog.text[])
 ORDER BY id

-- name: create_ledger
-- golang-migrate's table, byte for byte.
CREATE TABLE IF NOT EXISTS {ledger} (version bigint not null primary key, dirty boolean not null)

-- name: create_history
-- A row for each attempt whose end was seen, and for a file of several units from before its first.
CREATE TABLE IF NOT EXISTS {history} (
    id               bigint                 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    attempt          pg_catalog.uuid        NOT NULL,
    version          bigint,
    name             pg_catalog.text        NOT NULL,
    direction        pg_catalog.text        NOT NULL,
    outcome          pg_catalog.text        NOT NULL,
    statements_total integer                NOT NULL,
    statements_done  integer                NOT NULL,
    in_flight        integer,
    started          pg_catalog.timestamptz NOT NULL,
    finished         pg_catalog.timestamptz,
    error            pg_catalog.text,
    up_checksum      pg_catalog.text,
    down_checksum    pg_catalog.text,
    checksum_formula integer,
    up_digest        pg_catalog.text,
    down_digest      pg_catalog.text,
    up_sql           pg_catalog.text,
    down_sql         pg_catalog.text,
    tool             pg_catalog.text        NOT NULL,
    tool_version     pg_catalog.text        NOT NULL,
    database_user    pg_catalog.text        NOT NULL,
    host             pg_catalog.text        NOT NULL
)

-- name: lock_ledger
-- Keeps a second first row out; readers are not kept out.
LOCK TABLE {ledger} IN SHARE ROW EXCLUSIVE MODE

-- name: move_from_empty
-- The first row, or an error by 1/0 where the ledger is not empty.
WITH moved AS (
    INSERT INTO {ledger} (version, dirty)
    SELECT {version}, {dirty} WHERE NOT EXISTS (SELECT FROM {ledger})
    RETURNING 1
)
SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*) FROM moved

-- name: move_row
-- From exactly the row that was planned for to the next, or an error by 1/0.
WITH moved AS (
    UPDATE {ledger} SET version = {version}, dirty = {dirty}
     WHERE version OPERATOR(pg_catalog.=) {from_version}
       AND dirty OPERATOR(pg_catalog.=) {from_dirty}
       AND (SELECT pg_catalog.count(*) FROM {ledger}) OPERATOR(pg_catalog.=) 1
    RETURNING 1
)
SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*) FROM moved

-- name: move_to_empty
-- From exactly the row that was planned for to none, or an error by 1/0. An INSERT may follow.
WITH moved AS (
    DELETE FROM {ledger}
     WHERE version OPERATOR(pg_catalog.=) {from_version}
       AND dirty OPERATOR(pg_catalog.=) {from_dirty}
       AND (SELECT pg_catalog.count(*) FROM {ledger}) OPERATOR(pg_catalog.=) 1
    RETURNING 1
)
SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*) FROM moved

-- name: check_empty
-- An error by 1/0 where the ledger is not empty.
SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*)
  FROM (SELECT 1) one WHERE NOT EXISTS (SELECT FROM {ledger})

-- name: check_row
-- An error by 1/0 where the ledger does not hold exactly this row.
SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*)
  FROM {ledger}
 WHERE version OPERATOR(pg_catalog.=) {from_version}
   AND dirty OPERATOR(pg_catalog.=) {from_dirty}
   AND (SELECT pg_catalog.count(*) FROM {ledger}) OPERATOR(pg_catalog.=) 1

-- name: truncate
-- Empties the ledger with golang-migrate's rights.
TRUNCATE {ledger}

-- name: clear_ledger
-- Empties the ledger, whatever it holds.
DELETE FROM {ledger}

-- name: write_ledger
-- The one row of the ledger, after it was emptied.
INSERT INTO {ledger} (version, dirty) VALUES ({version}, {dirty})

-- name: touch_ledger
-- A write that changes nothing: its commit puts all commits before it on disk.
UPDATE {ledger} SET dirty = dirty

-- name: touch_nothing
-- The same where an UPDATE is not allowed, or a trigger would see it; nobody listens to the message.
SELECT pg_catalog.pg_logical_emit_message(true, 'rung', '')

-- name: still_there
-- An error where a unit of the file has dropped the ledger.
SELECT FROM {ledger} LIMIT 0

-- name: create_schema
-- A schema that the file dropped, for ledger and history.
CREATE SCHEMA IF NOT EXISTS {schema}

-- name: grantees
-- Who has a right on the ledger, as GRANT names them, by their plain name, and whether they own it.
SELECT DISTINCT CASE WHEN a.grantee OPERATOR(pg_catalog.=) 0 THEN 'PUBLIC'
                     ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END,
       pg_catalog.pg_get_userbyid(a.grantee),
       a.grantee OPERATOR(pg_catalog.=) c.relowner
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace,
       pg_catalog.aclexplode(
           COALESCE(c.relacl, pg_catalog.acldefault('r', c.relowner))) a
 WHERE n.nspname OPERATOR(pg_catalog.=) {schema}
   AND c.relname OPERATOR(pg_catalog.=) {name}
   AND a.privilege_type OPERATOR(pg_catalog.=) {right}

-- name: grant_reading
-- The history for who reads the ledger.
GRANT SELECT ON TABLE {history} TO {readers}

-- name: record_attempt
-- One row of the history; started is when its message came in.
INSERT INTO {history} (attempt, version, name, direction, outcome, statements_total,
    statements_done, started, finished, error, up_checksum, down_checksum, checksum_formula,
    up_digest, down_digest, up_sql, down_sql, tool, tool_version, database_user, host)
SELECT {attempt}, {version}, {name}, {direction}, {outcome}, {statements_total},
    {statements_done}, {started}, {finished}, {error}, {up_checksum}, {down_checksum}, {formula},
    {up_digest}, {down_digest}, {up_sql}, {down_sql}, {tool}, {tool_version}, {user}, {host}
 {only_where}

-- name: record_in_flight
-- The statement that is about to be sent outside a transaction.
UPDATE {history} SET in_flight = {statement}
 WHERE attempt OPERATOR(pg_catalog.=) {attempt}

-- name: record_progress
-- How many statements of a file of several units are committed.
UPDATE {history} SET statements_done = {done}, in_flight = NULL
 WHERE attempt OPERATOR(pg_catalog.=) {attempt}

-- name: record_end
-- How a file of several units ended.
UPDATE {history} SET outcome = {outcome}, error = {error},
       finished = pg_catalog.clock_timestamp()
 WHERE attempt OPERATOR(pg_catalog.=) {attempt}

-- name: record_cut_off
-- That an attempt was cut off, where its end is not recorded; what was under way stays named.
UPDATE {history} SET outcome = 'failed', error = {error},
       finished = pg_catalog.clock_timestamp()
 WHERE attempt OPERATOR(pg_catalog.=) {attempt}
   AND outcome OPERATOR(pg_catalog.=) 'running'

-- name: stored_halves
-- Every text that is kept of these versions, oldest first.
SELECT version, id, checksum_formula,
       up_checksum, up_digest, up_sql, down_checksum, down_digest, down_sql
  FROM {history}
 WHERE version OPERATOR(pg_catalog.=) ANY (ARRAY[{versions}]::pg_catalog.int8[])
   AND (up_sql IS NOT NULL OR down_sql IS NOT NULL)
 ORDER BY id

-- name: find_attempt
-- The outcome of one attempt, by our own id.
SELECT outcome FROM {history} WHERE attempt OPERATOR(pg_catalog.=) {attempt}

-- name: function_code
-- The code of each function and procedure of these names; NULL where it is not text to read.
SELECT CASE WHEN l.lanname OPERATOR(pg_catalog.=) 'sql'
              OR l.lanname OPERATOR(pg_catalog.=) 'plpgsql' THEN p.prosrc END
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) p.prolang
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
 WHERE p.proname OPERATOR(pg_catalog.=) ANY (ARRAY[{names}]::pg_catalog.name[])
   AND n.nspname OPERATOR(pg_catalog.<>) 'pg_catalog'

-- name: process_alive
-- Whether a server process that is older than this connection still runs.
SELECT pg_catalog.count(*)
  FROM pg_catalog.pg_stat_activity old, pg_catalog.pg_stat_activity me
 WHERE me.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
   AND old.pid OPERATOR(pg_catalog.=) {pid}
   AND (old.backend_start IS NULL OR old.backend_start OPERATOR(pg_catalog.<) me.backend_start)

-- name: holds_a_key
-- A condition on a row of pg_locks: it is a hold on one of these keys.
l.locktype OPERATOR(pg_catalog.=) 'advisory'
   AND l.granted
   AND l.objsubid OPERATOR(pg_catalog.=) 1
   AND l.database OPERATOR(pg_catalog.=) (
       SELECT oid FROM pg_catalog.pg_database
        WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
   AND (l.classid::pg_catalog.int8 OPERATOR(pg_catalog.*) 4294967296
        OPERATOR(pg_catalog.+) l.objid::pg_catalog.int8)
       OPERATOR(pg_catalog.=) ANY (ARRAY[{keys}]::pg_catalog.int8[])

-- name: lock_holder
-- Who holds one of our keys, the longest connected first.
SELECT a.pid, a.usename, a.application_name, pg_catalog.host(a.client_addr),
       pg_catalog.to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS TZ'),
       CASE WHEN pg_catalog.starts_with(a.state, 'idle')
            THEN extract(epoch FROM pg_catalog.clock_timestamp()
                                    OPERATOR(pg_catalog.-) a.state_change) END
  FROM pg_catalog.pg_locks l
  JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) l.pid
 WHERE {held}
   AND l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
 ORDER BY a.backend_start NULLS LAST LIMIT 1

-- name: changed_settings
-- Settings that stand otherwise than they did at connect, and who we are now.
SELECT (SELECT pg_catalog.string_agg(name, ', ' ORDER BY name) FROM pg_catalog.pg_settings
         WHERE source OPERATOR(pg_catalog.=) 'session'
           AND name OPERATOR(pg_catalog.<>) ALL (ARRAY['transaction_isolation',
               'transaction_read_only', 'transaction_deferrable'])),
       pg_catalog.current_setting('role'), session_user

-- name: who_we_are
-- The role that was taken on, and whose session it is.
SELECT pg_catalog.current_setting('role'), session_user

-- name: current_schema
-- The first schema of the search path that is there.
SELECT pg_catalog.current_schema()

-- name: everything
-- Every object of the schema that no extension owns, and the history, but not the lease, tables
-- first. To be run with search_path = pg_catalog, so that types of arguments come qualified.
SELECT kind, described
  FROM (
    SELECT CASE WHEN c.relkind OPERATOR(pg_catalog.=) 'v' THEN 'view'
                WHEN c.relkind OPERATOR(pg_catalog.=) 'm' THEN 'materialized view'
                WHEN c.relkind OPERATOR(pg_catalog.=) 'S' THEN 'sequence'
                WHEN c.relkind OPERATOR(pg_catalog.=) 'f' THEN 'foreign table'
                WHEN c.relkind OPERATOR(pg_catalog.=) 'c' THEN 'type' ELSE 'table' END AS kind,
           pg_catalog.format('%I.%I', n.nspname, c.relname) AS described,
           c.oid, 'pg_class'::pg_catalog.regclass AS catalog
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
     WHERE (n.nspname OPERATOR(pg_catalog.=) {schema}
            OR n.nspname OPERATOR(pg_catalog.=) {history_schema}
            AND c.relname OPERATOR(pg_catalog.=) {history_name})
       AND c.relkind OPERATOR(pg_catalog.=) ANY
           (ARRAY['r', 'p', 'v', 'm', 'S', 'f', 'c']::pg_catalog."char"[])
       AND NOT (n.nspname OPERATOR(pg_catalog.=) {lease_schema}
                AND c.relname OPERATOR(pg_catalog.=) {lease_name})
    UNION ALL
    SELECT CASE WHEN p.prokind OPERATOR(pg_catalog.=) 'p' THEN 'procedure'
                WHEN p.prokind OPERATOR(pg_catalog.=) 'a' THEN 'aggregate' ELSE 'function' END,
           pg_catalog.format('%I.%I(%s)', n.nspname, p.proname,
                             CASE WHEN p.prokind OPERATOR(pg_catalog.=) 'a'
                                   AND p.pronargs OPERATOR(pg_catalog.=) 0 THEN '*'
                                  ELSE pg_catalog.pg_get_function_identity_arguments(p.oid) END),
           p.oid, 'pg_proc'::pg_catalog.regclass
      FROM pg_catalog.pg_proc p
      JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
     WHERE n.nspname OPERATOR(pg_catalog.=) {schema}
    UNION ALL
    SELECT CASE WHEN t.typtype OPERATOR(pg_catalog.=) 'd' THEN 'domain' ELSE 'type' END,
           pg_catalog.format('%I.%I', n.nspname, t.typname), t.oid,
           'pg_type'::pg_catalog.regclass
      FROM pg_catalog.pg_type t
      JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace
     WHERE n.nspname OPERATOR(pg_catalog.=) {schema}
       AND t.typtype OPERATOR(pg_catalog.=) ANY
           (ARRAY['b', 'd', 'e', 'p', 'r']::pg_catalog."char"[])
    UNION ALL
    SELECT CASE WHEN named.type OPERATOR(pg_catalog.=) 'statistics object' THEN 'statistics'
                ELSE named.type END,
           named.identity, other.oid, other.catalog
      FROM (SELECT oid, oprnamespace AS place, 'pg_operator'::pg_catalog.regclass AS catalog
              FROM pg_catalog.pg_operator
             UNION ALL SELECT oid, opfnamespace, 'pg_opfamily' FROM pg_catalog.pg_opfamily
             UNION ALL SELECT oid, opcnamespace, 'pg_opclass' FROM pg_catalog.pg_opclass
             UNION ALL SELECT oid, connamespace, 'pg_conversion' FROM pg_catalog.pg_conversion
             UNION ALL SELECT oid, cfgnamespace, 'pg_ts_config' FROM pg_catalog.pg_ts_config
             UNION ALL SELECT oid, dictnamespace, 'pg_ts_dict' FROM pg_catalog.pg_ts_dict
             UNION ALL SELECT oid, prsnamespace, 'pg_ts_parser' FROM pg_catalog.pg_ts_parser
             UNION ALL SELECT oid, tmplnamespace, 'pg_ts_template' FROM pg_catalog.pg_ts_template
             UNION ALL SELECT s.oid, s.stxnamespace, 'pg_statistic_ext'
              FROM pg_catalog.pg_statistic_ext s
              JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) s.stxrelid
             WHERE c.relnamespace OPERATOR(pg_catalog.<>) s.stxnamespace) AS other
      JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) other.place,
           pg_catalog.pg_identify_object(other.catalog, other.oid, 0) AS named
     WHERE n.nspname OPERATOR(pg_catalog.=) {schema}
    UNION ALL
    SELECT 'collation', pg_catalog.format('%I.%I', n.nspname, o.collname), o.oid,
           'pg_collation'::pg_catalog.regclass
      FROM pg_catalog.pg_collation o
      JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) o.collnamespace
     WHERE n.nspname OPERATOR(pg_catalog.=) {schema}
  ) AS found
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid OPERATOR(pg_catalog.=) found.catalog
                      AND d.objid OPERATOR(pg_catalog.=) found.oid
                      AND d.deptype OPERATOR(pg_catalog.=) ANY
                          (ARRAY['e', 'i', 'a']::pg_catalog."char"[])
                      AND (d.deptype OPERATOR(pg_catalog.=) 'e'
                           OR found.catalog OPERATOR(pg_catalog.<>) 'pg_class'::pg_catalog.regclass
                              AND d.deptype OPERATOR(pg_catalog.=) 'i'
                           OR found.kind OPERATOR(pg_catalog.=) 'sequence'))
 ORDER BY kind OPERATOR(pg_catalog.<>) 'table', kind, described
