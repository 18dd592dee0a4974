-- name: is_hidden
-- An expression on a row of pg_class: row security hides rows from this command (r, a, w, d),
-- or may: a policy counts as open only where its condition is plainly true. No policy is
-- evaluated, for its functions are its owner's and would run with our rights.
(c.relrowsecurity AND pg_catalog.row_security_active(c.oid) AND (
    NOT EXISTS (
        SELECT FROM pg_catalog.pg_policy o
         WHERE o.polrelid OPERATOR(pg_catalog.=) c.oid AND o.polpermissive
           AND {applies} AND {open})
    OR EXISTS (
        SELECT FROM pg_catalog.pg_policy o
         WHERE o.polrelid OPERATOR(pg_catalog.=) c.oid AND NOT o.polpermissive
           AND {applies} AND ({open}) IS NOT TRUE)))

-- name: policy_applies
-- An expression on a policy: it is for this command and for us.
o.polcmd OPERATOR(pg_catalog.=) ANY (ARRAY[{command}, '*'::pg_catalog."char"])
AND EXISTS (SELECT FROM pg_catalog.unnest(o.polroles) AS whose (oid)
             WHERE whose.oid OPERATOR(pg_catalog.=) 0::pg_catalog.oid
                OR pg_catalog.pg_has_role(whose.oid, 'USAGE'))

-- name: policy_shows
-- An expression on a policy: it hides no row that is there.
COALESCE(pg_catalog.pg_get_expr(o.polqual, o.polrelid) OPERATOR(pg_catalog.=) 'true', false)

-- name: policy_admits
-- An expression on a policy: it lets every new row in.
COALESCE(COALESCE(pg_catalog.pg_get_expr(o.polwithcheck, o.polrelid),
                  pg_catalog.pg_get_expr(o.polqual, o.polrelid))
         OPERATOR(pg_catalog.=) 'true', false)

-- name: is_plain
-- An expression on a row of pg_class: it is a table, its rows are not those of a foreign table
-- below it, and no column that we read is of a type that somebody made here, whose casts would be
-- functions of theirs.
(c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog."char"[])
 AND {foreign_below} IS NULL
 AND NOT EXISTS (
     SELECT FROM pg_catalog.pg_attribute made
      WHERE made.attrelid OPERATOR(pg_catalog.=) c.oid
        AND made.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2
        AND NOT made.attisdropped
        AND made.atttypid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
        AND (NOT {is_ledger}
             OR made.attname OPERATOR(pg_catalog.=) ANY
                (ARRAY['version', 'dirty']::pg_catalog.name[]))))

-- name: foreign_below
-- An expression on a row of pg_class: the command that takes a foreign table out of it, which
-- inherits from it, or is a partition of it, at any depth; null where there is none. A SELECT
-- reads it as well, by its wrapper's code.
(SELECT pg_catalog.format(CASE WHEN k.relispartition
                               THEN 'ALTER TABLE %3$I.%4$I DETACH PARTITION %1$I.%2$I;'
                               ELSE 'ALTER FOREIGN TABLE %1$I.%2$I NO INHERIT %3$I.%4$I;' END,
                          kn.nspname, k.relname, an.nspname, above.relname)
   FROM (WITH RECURSIVE below AS (
             SELECT i.inhrelid AS oid, i.inhparent AS parent FROM pg_catalog.pg_inherits i
              WHERE c.relhassubclass AND i.inhparent OPERATOR(pg_catalog.=) c.oid
              UNION
             SELECT i.inhrelid, i.inhparent FROM below
               JOIN pg_catalog.pg_inherits i ON i.inhparent OPERATOR(pg_catalog.=) below.oid)
         SELECT below.oid, below.parent FROM below) tree
   JOIN pg_catalog.pg_class k ON k.oid OPERATOR(pg_catalog.=) tree.oid
   JOIN pg_catalog.pg_namespace kn ON kn.oid OPERATOR(pg_catalog.=) k.relnamespace
   JOIN pg_catalog.pg_class above ON above.oid OPERATOR(pg_catalog.=) tree.parent
   JOIN pg_catalog.pg_namespace an ON an.oid OPERATOR(pg_catalog.=) above.relnamespace
  WHERE k.relkind OPERATOR(pg_catalog.=) 'f'
  ORDER BY k.oid, above.oid LIMIT 1)

-- name: may_read
-- An error by 1/0 where reading one of these would run what others wrote: a view, a policy, a
-- cast. The message ends there, and nothing of it is read.
SELECT 1 OPERATOR(pg_catalog./) CASE WHEN EXISTS (
    SELECT FROM pg_catalog.pg_class c
     WHERE c.oid OPERATOR(pg_catalog.=) ANY (ARRAY[{tables}]::pg_catalog.oid[])
       AND (NOT {is_plain} OR {hides_rows})) THEN 0 ELSE 1 END

-- name: found_by_path
-- The table that a name without a schema leads to.
pg_catalog.to_regclass({name})::pg_catalog.oid

-- name: found_in_schema
-- The table of a schema; null where it is not there, whatever our rights.
(SELECT t.oid FROM pg_catalog.pg_class t
   JOIN pg_catalog.pg_namespace p ON p.oid OPERATOR(pg_catalog.=) t.relnamespace
  WHERE p.nspname OPERATOR(pg_catalog.=) {schema} AND t.relname OPERATOR(pg_catalog.=) {name})

-- name: is_history
-- An expression on a namespace's oid: a table of this name there has the columns of a history.
EXISTS (SELECT FROM pg_catalog.pg_class c
          JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) c.oid
         WHERE c.relnamespace OPERATOR(pg_catalog.=) {place}
           AND c.relname OPERATOR(pg_catalog.=) {name}
           AND a.attname OPERATOR(pg_catalog.=) ANY
               (ARRAY['attempt', 'outcome', 'statements_done', 'up_checksum']::pg_catalog.name[])
           AND NOT a.attisdropped
         GROUP BY c.oid
        HAVING pg_catalog.count(*) OPERATOR(pg_catalog.=) 4)

-- name: pick_history
-- An expression: the history's name. The usual one, unless another table has it, or a history
-- stands under the spare one alone.
CASE WHEN {spare} IS NULL OR {usual_is_history} THEN {usual}
     WHEN {spare_is_history} THEN {spare}
     WHEN EXISTS (SELECT FROM pg_catalog.pg_class c
                   WHERE c.relnamespace OPERATOR(pg_catalog.=) {place}
                     AND c.relname OPERATOR(pg_catalog.=) {usual}) THEN {spare}
     ELSE {usual} END

-- name: trigger_events
-- A subquery on a table's oid: what its triggers fire for. 4 INSERT, 8 DELETE, 16 UPDATE,
-- 32 TRUNCATE, 2 for one before an UPDATE, which may refuse it, 1 for one that may be deferred,
-- and 64 where the table has rules.
(SELECT COALESCE(pg_catalog.bit_or(
            (g.tgtype::pg_catalog.int4 OPERATOR(pg_catalog.&) 60) OPERATOR(pg_catalog.|)
            CASE WHEN (g.tgtype::pg_catalog.int4 OPERATOR(pg_catalog.&) 18)
                      OPERATOR(pg_catalog.=) 18 THEN 2 ELSE 0 END OPERATOR(pg_catalog.|)
            CASE WHEN g.tgdeferrable THEN 1 ELSE 0 END), 0)
        OPERATOR(pg_catalog.|)
        CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_rewrite w
                           WHERE w.ev_class OPERATOR(pg_catalog.=) {table}) THEN 64 ELSE 0 END
   FROM pg_catalog.pg_trigger g
  WHERE g.tgrelid OPERATOR(pg_catalog.=) {table} AND NOT g.tgisinternal
    AND g.tgenabled OPERATOR(pg_catalog.=) ANY (ARRAY['O', 'A']::pg_catalog."char"[]))

-- name: check_triggers
-- An error that tells what the triggers of ledger and history fire for, where that is not what was
-- found before: the file, or somebody meanwhile, has made one or dropped one.
SELECT (CASE WHEN found.ledger OPERATOR(pg_catalog.=) {ledger_events}
              AND found.history OPERATOR(pg_catalog.=) {history_events} THEN '0'
             ELSE pg_catalog.concat('triggers:', found.ledger, ':', found.history) END
       )::pg_catalog.int4
  FROM (SELECT {of_ledger} AS ledger, {of_history} AS history) found

-- name: check_written
-- An error that tells what the ledger holds, where a trigger or a rule made that other than what
-- was written behind the last check.
SELECT (CASE WHEN held.total OPERATOR(pg_catalog.=) {rows}
              AND held.same OPERATOR(pg_catalog.=) {rows} THEN '0'
             ELSE pg_catalog.concat('written:', COALESCE(held.shown, 'no row'), ':end') END
       )::pg_catalog.int4
  FROM (SELECT pg_catalog.count(*) AS total,
               pg_catalog.count(*) FILTER (WHERE few.version OPERATOR(pg_catalog.=) {version}
                                             AND few.dirty OPERATOR(pg_catalog.=) {dirty}) AS same,
               pg_catalog.string_agg(pg_catalog.format('(%s, %s)', few.version, few.dirty::pg_catalog.text),
                                     ' and ') AS shown
          FROM (SELECT version, dirty FROM {ledger} LIMIT 3) few) held

-- name: check_recorded
-- An error where the history does not hold what was just written to it, for the same reasons.
SELECT (CASE WHEN EXISTS (
                 SELECT FROM {history}
                  WHERE attempt OPERATOR(pg_catalog.=) {attempt}
                    AND pg_catalog.concat_ws(' ', {columns}) OPERATOR(pg_catalog.=) {values})
             THEN '0' ELSE 'written:no such row:end' END)::pg_catalog.int4

-- name: table_facts
-- A subquery of look_place: a line for each of ledger, history and lease that is there. What it
-- is, whose, what row security hides, what its triggers fire for, the publications that need a
-- key which it lacks, what would run a function of a role that is less than us: by itself, by
-- an operator, or by a domain, on the table or on what inherits from it; the statements that give
-- us such domains, and a foreign table below it.
(WITH RECURSIVE ours AS (
     SELECT r.oid FROM pg_catalog.pg_roles r
      WHERE r.rolname OPERATOR(pg_catalog.=) ANY (ARRAY[current_user, session_user])
     UNION
     SELECT m.roleid FROM pg_catalog.pg_auth_members m
       JOIN ours ON ours.oid OPERATOR(pg_catalog.=) m.member
 ), tables AS (
     SELECT t.what, c.*
       FROM (VALUES ('ledger', ledger.oid), ('history', history.oid), ('lease', lease.oid))
            AS t (what, oid)
       JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) t.oid
 ), trees AS (
     SELECT c.oid AS root, c.oid FROM tables c
     UNION
     SELECT trees.root, i.inhrelid FROM trees
       JOIN pg_catalog.pg_inherits i ON i.inhparent OPERATOR(pg_catalog.=) trees.oid
 ), objects AS (
     SELECT t.root, 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AS classid,
            t.oid AS objid
       FROM trees t
     UNION ALL
     SELECT t.root, d.classid, d.objid
       FROM trees t
       JOIN pg_catalog.pg_depend d
         ON d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.refobjid OPERATOR(pg_catalog.=) t.oid
        AND d.classid OPERATOR(pg_catalog.=) ANY (ARRAY['pg_catalog.pg_trigger',
            'pg_catalog.pg_rewrite', 'pg_catalog.pg_constraint', 'pg_catalog.pg_attrdef',
            'pg_catalog.pg_class']::pg_catalog.regclass[]::pg_catalog.oid[])
      WHERE d.classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_rewrite'::pg_catalog.regclass
         OR EXISTS (SELECT FROM pg_catalog.pg_rewrite w
                     WHERE w.oid OPERATOR(pg_catalog.=) d.objid
                       AND w.ev_class OPERATOR(pg_catalog.=) t.oid)
 ), strange AS (
     SELECT DISTINCT b.root AS of_table,
            pg_catalog.pg_describe_object(b.classid, b.objid, f.objsubid) AS name, whose.rolname,
            (SELECT pg_catalog.format('ALTER %s %I.%I OWNER TO %I;',
                        CASE WHEN y.typtype OPERATOR(pg_catalog.=) 'd' THEN 'DOMAIN'
                             ELSE 'TYPE' END, yn.nspname, y.typname, current_user)
               FROM pg_catalog.pg_type y
               JOIN pg_catalog.pg_namespace yn ON yn.oid OPERATOR(pg_catalog.=) y.typnamespace
              WHERE f.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass
                AND y.oid OPERATOR(pg_catalog.=) f.refobjid) AS remedy
       FROM objects b
       JOIN pg_catalog.pg_depend f ON f.classid OPERATOR(pg_catalog.=) b.classid
        AND f.objid OPERATOR(pg_catalog.=) b.objid
        AND f.refclassid OPERATOR(pg_catalog.=) ANY (ARRAY['pg_catalog.pg_proc',
            'pg_catalog.pg_operator', 'pg_catalog.pg_type'
            ]::pg_catalog.regclass[]::pg_catalog.oid[])
       JOIN pg_catalog.pg_roles whose ON whose.oid OPERATOR(pg_catalog.=)
            CASE WHEN f.refclassid OPERATOR(pg_catalog.=)
                      'pg_catalog.pg_type'::pg_catalog.regclass
            THEN (SELECT y.typowner FROM pg_catalog.pg_type y
                   WHERE y.oid OPERATOR(pg_catalog.=) f.refobjid)
            ELSE (SELECT p.proowner FROM pg_catalog.pg_proc p
                   WHERE p.oid OPERATOR(pg_catalog.=) COALESCE(
                         (SELECT o.oprcode::pg_catalog.oid FROM pg_catalog.pg_operator o
                           WHERE f.refclassid OPERATOR(pg_catalog.=)
                                 'pg_catalog.pg_operator'::pg_catalog.regclass
                             AND o.oid OPERATOR(pg_catalog.=) f.refobjid), f.refobjid)) END
      WHERE NOT whose.rolsuper AND whose.oid OPERATOR(pg_catalog.<>) ALL (SELECT ours.oid FROM ours)
     UNION ALL
     SELECT c.oid, 'its rules', whose.rolname, NULL
       FROM tables c
       JOIN pg_catalog.pg_roles whose ON whose.oid OPERATOR(pg_catalog.=) c.relowner
      WHERE c.relhasrules AND NOT whose.rolsuper
        AND whose.oid OPERATOR(pg_catalog.<>) ALL (SELECT ours.oid FROM ours)
 )
 SELECT pg_catalog.string_agg(pg_catalog.concat_ws(E'\t', c.what, c.relkind,
            CASE WHEN {is_plain} THEN 't' ELSE 'f' END,
            pg_catalog.translate(pg_catalog.pg_get_userbyid(c.relowner), E'\t\n', '  '),
            pg_catalog.concat(CASE WHEN {hides_rows} THEN 'r' END,
                              CASE WHEN {hides_inserts} THEN 'a' END,
                              CASE WHEN {hides_updates} THEN 'w' END,
                              CASE WHEN {hides_deletes} THEN 'd' END),
            {trigger_events},
            COALESCE(CASE WHEN c.relreplident OPERATOR(pg_catalog.<>) 'f' AND NOT EXISTS (
                     SELECT FROM pg_catalog.pg_index i
                      WHERE i.indrelid OPERATOR(pg_catalog.=) c.oid
                        AND i.indisvalid AND i.indimmediate
                        AND CASE WHEN c.relreplident OPERATOR(pg_catalog.=) 'd'
                                 THEN i.indisprimary
                                 WHEN c.relreplident OPERATOR(pg_catalog.=) 'i'
                                 THEN i.indisreplident END)
                 THEN (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(p.pubname), ', '
                                  ORDER BY p.pubname)
                         FROM pg_catalog.pg_publication_tables v
                         JOIN pg_catalog.pg_publication p
                           ON p.pubname OPERATOR(pg_catalog.=) v.pubname
                         JOIN pg_catalog.pg_namespace n
                           ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
                        WHERE v.schemaname OPERATOR(pg_catalog.=) n.nspname
                          AND v.tablename OPERATOR(pg_catalog.=) c.relname
                          AND (p.pubupdate OR p.pubdelete)) END, ''),
            COALESCE((SELECT pg_catalog.translate(pg_catalog.string_agg(pg_catalog.concat(
                              s.name, ' of role ', pg_catalog.quote_ident(s.rolname)), ', '
                              ORDER BY s.name),
                          E'\t\n', '  ')
                        FROM strange s WHERE s.of_table OPERATOR(pg_catalog.=) c.oid), ''),
            COALESCE((SELECT pg_catalog.translate(
                          pg_catalog.string_agg(DISTINCT s.remedy, ' '), E'\t\n', '  ')
                        FROM strange s WHERE s.of_table OPERATOR(pg_catalog.=) c.oid), ''),
            pg_catalog.translate(COALESCE({foreign_below}, ''), E'\t\n', '  '),
            COALESCE((SELECT pg_catalog.translate(pg_catalog.string_agg(pg_catalog.format(
                              '%I is of type %s', a.attname,
                              pg_catalog.format_type(a.atttypid, NULL)), ', ' ORDER BY a.attnum),
                          E'\t\n', '  ')
                        FROM pg_catalog.pg_attribute a
                       WHERE c.what OPERATOR(pg_catalog.=) 'ledger'
                         AND a.attrelid OPERATOR(pg_catalog.=) c.oid AND {is_misfit}), ''),
            COALESCE((SELECT pg_catalog.translate(pg_catalog.string_agg(pg_catalog.quote_ident(
                              a.attname), ', ' ORDER BY a.attnum), E'\t\n', '  ')
                        FROM pg_catalog.pg_attribute a
                       WHERE c.what OPERATOR(pg_catalog.=) 'ledger'
                         AND a.attrelid OPERATOR(pg_catalog.=) c.oid AND {is_unwritable}), '')
            ), E'\n')
   FROM tables c)

-- name: is_misfit
-- An expression on a column of the ledger: its type is not one that golang-migrate reads and writes.
(a.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2 AND NOT a.attisdropped
 AND a.atttypid OPERATOR(pg_catalog.<) 16384::pg_catalog.oid
 AND CASE
     WHEN a.attname OPERATOR(pg_catalog.=) 'version' THEN a.atttypid OPERATOR(pg_catalog.<>) ALL (ARRAY['pg_catalog.int2',
         'pg_catalog.int4', 'pg_catalog.int8', 'pg_catalog.numeric'
         ]::pg_catalog.regtype[]::pg_catalog.oid[])
     WHEN a.attname OPERATOR(pg_catalog.=) 'dirty' THEN a.atttypid OPERATOR(pg_catalog.<>)
         'pg_catalog.bool'::pg_catalog.regtype::pg_catalog.oid
     ELSE false END)

-- name: is_unwritable
-- An expression on a column of the ledger: it takes no value, or wants one that nobody gives.
(a.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2 AND NOT a.attisdropped
 AND CASE WHEN a.attname OPERATOR(pg_catalog.=) ANY
               (ARRAY['version', 'dirty']::pg_catalog.name[])
          THEN a.attgenerated OPERATOR(pg_catalog.<>) ''::pg_catalog."char"
               OR a.attidentity OPERATOR(pg_catalog.=) 'a'::pg_catalog."char"
          ELSE a.attnotnull AND NOT a.atthasdef
               AND a.attidentity OPERATOR(pg_catalog.=) ''::pg_catalog."char" END)

-- name: is_unusual
-- An expression of look_place, in place of table_facts: a word where one of our tables is more than
-- a plain table whose code is all the server's own. Then the long question is asked. The lease's
-- own CHECK (one) calls nothing.
CASE WHEN EXISTS (
    SELECT FROM pg_catalog.unnest(ARRAY[ledger.oid, history.oid, lease.oid]) one (oid)
      JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) one.oid
     WHERE c.relkind OPERATOR(pg_catalog.<>) 'r' OR c.relrowsecurity OR c.relhasrules
        OR c.relhastriggers OR c.relhassubclass OR c.relispartition
        OR (c.relchecks OPERATOR(pg_catalog.<>) 0::pg_catalog.int2
            AND EXISTS (SELECT FROM pg_catalog.pg_constraint k
                         WHERE k.conrelid OPERATOR(pg_catalog.=) c.oid
                           AND k.contype OPERATOR(pg_catalog.=) 'c'
                           AND pg_catalog.pg_get_expr(k.conbin, k.conrelid)
                               OPERATOR(pg_catalog.<>) 'one'))
        OR EXISTS (SELECT FROM pg_catalog.pg_attribute a
                    WHERE a.attrelid OPERATOR(pg_catalog.=) ledger.oid
                      AND c.oid OPERATOR(pg_catalog.=) ledger.oid
                      AND ({is_misfit} OR {is_unwritable}))
        OR EXISTS (SELECT FROM pg_catalog.pg_attrdef d
                    WHERE d.adrelid OPERATOR(pg_catalog.=) c.oid)
        OR EXISTS (SELECT FROM pg_catalog.pg_attribute a
                    WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid
                      AND a.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2
                      AND a.atttypid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid)
        OR EXISTS (SELECT FROM pg_catalog.pg_index i
                    WHERE i.indrelid OPERATOR(pg_catalog.=) c.oid
                      AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL
                           OR 16384::pg_catalog.oid OPERATOR(pg_catalog.<=)
                              ANY (i.indclass::pg_catalog.oid[]))))
    THEN 'unusual' END

-- name: guards
-- What may refuse a write to a table, or that it is made: the table itself, where it is there,
-- its triggers, rules, check constraints and policies, publications, and event triggers.
WITH ours AS (
    SELECT c.oid, c.relname, n.nspname FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
     WHERE n.nspname OPERATOR(pg_catalog.=) {schema} AND c.relname OPERATOR(pg_catalog.=) {name}
)
SELECT 'table' AS kind, pg_catalog.quote_ident(o.relname) AS name FROM ours o
UNION ALL
SELECT 'trigger', pg_catalog.quote_ident(g.tgname) FROM ours o
  JOIN pg_catalog.pg_trigger g ON g.tgrelid OPERATOR(pg_catalog.=) o.oid
 WHERE NOT g.tgisinternal AND g.tgenabled OPERATOR(pg_catalog.<>) 'D'
UNION ALL
SELECT 'rule', pg_catalog.quote_ident(r.rulename) FROM ours o
  JOIN pg_catalog.pg_rewrite r ON r.ev_class OPERATOR(pg_catalog.=) o.oid
UNION ALL
SELECT 'check constraint', pg_catalog.quote_ident(k.conname) FROM ours o
  JOIN pg_catalog.pg_constraint k ON k.conrelid OPERATOR(pg_catalog.=) o.oid
 WHERE k.contype OPERATOR(pg_catalog.=) 'c'
UNION ALL
SELECT 'policy', pg_catalog.quote_ident(p.polname) FROM ours o
  JOIN pg_catalog.pg_policy p ON p.polrelid OPERATOR(pg_catalog.=) o.oid
UNION ALL
SELECT 'publication', pg_catalog.quote_ident(v.pubname) FROM ours o
  JOIN pg_catalog.pg_publication_tables v ON v.schemaname OPERATOR(pg_catalog.=) o.nspname
   AND v.tablename OPERATOR(pg_catalog.=) o.relname
UNION ALL
SELECT 'event trigger', pg_catalog.quote_ident(e.evtname) FROM pg_catalog.pg_event_trigger e
 WHERE e.evtenabled OPERATOR(pg_catalog.<>) 'D'
   AND e.evtevent OPERATOR(pg_catalog.=) ANY
       (ARRAY['ddl_command_start', 'ddl_command_end']::pg_catalog.name[])
   AND (e.evttags IS NULL OR 'CREATE TABLE' OPERATOR(pg_catalog.=) ANY (e.evttags))

-- name: twin_schemas
-- A subquery of look_place: the schemas that hold a ledger under our name, which we may read, where
-- our own is missing and neither URL nor environment of this call named the search path.
CASE WHEN ledger.oid IS NULL AND EXISTS (
         SELECT FROM pg_catalog.pg_settings s
          WHERE s.name OPERATOR(pg_catalog.=) 'search_path'
            AND s.source OPERATOR(pg_catalog.<>) ALL (ARRAY['client', 'session']))
     THEN (SELECT pg_catalog.string_agg(n.nspname, E'\n' ORDER BY n.nspname)
             FROM pg_catalog.pg_class c
             JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
            WHERE c.relname OPERATOR(pg_catalog.=) {ledger_name}
              AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog."char"[])
              AND c.relpersistence OPERATOR(pg_catalog.<>) 't'
              AND n.nspname OPERATOR(pg_catalog.<>) place.ledger_schema
              AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
              AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
              AND (SELECT pg_catalog.count(*) FROM pg_catalog.pg_attribute a
                    WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid AND NOT a.attisdropped
                      AND a.attname OPERATOR(pg_catalog.=) ANY
                          (ARRAY['version', 'dirty']::pg_catalog.name[]))
                  OPERATOR(pg_catalog.=) 2) END

-- name: other_ledgers
-- The tables of a ledger's shape that have another name, in any schema that we may use.
SELECT n.nspname, c.relname
  FROM pg_catalog.pg_attribute d
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) d.attrelid
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE d.attname OPERATOR(pg_catalog.=) 'dirty' AND NOT d.attisdropped
   AND d.atttypid OPERATOR(pg_catalog.=) 'pg_catalog.bool'::pg_catalog.regtype
   AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog."char"[])
   AND NOT c.relispartition
   AND c.relpersistence OPERATOR(pg_catalog.<>) 't'
   AND c.relname OPERATOR(pg_catalog.<>) {name}
   AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
   AND (SELECT pg_catalog.count(*) FROM pg_catalog.pg_attribute a
         WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid
           AND a.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2
           AND NOT a.attisdropped) OPERATOR(pg_catalog.=) 2
   AND EXISTS (SELECT FROM pg_catalog.pg_attribute v
                WHERE v.attrelid OPERATOR(pg_catalog.=) c.oid
                  AND v.attname OPERATOR(pg_catalog.=) 'version' AND NOT v.attisdropped
                  AND v.atttypid OPERATOR(pg_catalog.=) 'pg_catalog.int8'::pg_catalog.regtype)
 ORDER BY 1, 2 LIMIT 5
