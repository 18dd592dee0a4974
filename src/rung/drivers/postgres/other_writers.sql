-- name: other_writers
-- A part of look_place: a line for each way in which others can write ledger, history or lease:
-- table, kind, name, how. Who can act as us or as the owner anyway (a superuser, a member) does
-- not count. A superuser is a member of every role for pg_has_role, so where we are one the
-- owner has to be able to act as us. 6182 is pg_write_all_data.
(SELECT pg_catalog.string_agg(pg_catalog.concat_ws(E'\t', f.what, f.kind,
            pg_catalog.translate(f.name, E'\t\n', '  '),
            pg_catalog.translate(f.how, E'\t\n', '  ')), E'\n')
   FROM (
     SELECT CASE WHEN t.oid OPERATOR(pg_catalog.=) ledger.oid THEN 'ledger'
                 WHEN t.oid OPERATOR(pg_catalog.=) history.oid THEN 'history'
                 ELSE 'lease' END AS what,
            w.kind, w.how,
            CASE WHEN w.name IS NOT NULL THEN w.name
                 WHEN w.role OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN 'PUBLIC'
                 ELSE pg_catalog.pg_get_userbyid(w.role) END AS name
       FROM pg_catalog.pg_class t
      CROSS JOIN LATERAL (
          SELECT 'role' AS kind, a.grantee AS role, NULL::pg_catalog.name AS name,
                 a.privilege_type AS how
            FROM pg_catalog.aclexplode(t.relacl) a
           WHERE a.privilege_type OPERATOR(pg_catalog.=) ANY
                 (ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER'])
          UNION ALL
          SELECT 'role', a.grantee, NULL, pg_catalog.format('%s (%I)', a.privilege_type, c.attname)
            FROM pg_catalog.pg_attribute c, pg_catalog.aclexplode(c.attacl) a
           WHERE c.attrelid OPERATOR(pg_catalog.=) t.oid AND c.attacl IS NOT NULL
             AND a.privilege_type OPERATOR(pg_catalog.=) ANY (ARRAY['INSERT', 'UPDATE'])
          UNION ALL
          SELECT 'role', a.grantee, NULL,
                 pg_catalog.format('%s through %s', a.privilege_type, v.oid::pg_catalog.regclass)
            FROM {written_through} v
           CROSS JOIN LATERAL (
                 SELECT v.relacl AS acl
                  UNION ALL
                 SELECT c.attacl FROM pg_catalog.pg_attribute c
                  WHERE c.attrelid OPERATOR(pg_catalog.=) v.oid AND c.attacl IS NOT NULL) held,
                 pg_catalog.aclexplode(held.acl) a
           WHERE a.privilege_type OPERATOR(pg_catalog.=) ANY (ARRAY['INSERT', 'UPDATE', 'DELETE'])
          UNION ALL
          SELECT 'role', m.member, NULL, 'pg_write_all_data'
            FROM pg_catalog.pg_auth_members m
           WHERE m.roleid OPERATOR(pg_catalog.=) 6182::pg_catalog.oid
          UNION ALL
          SELECT 'owner', t.relowner, NULL, ''
          UNION ALL
          SELECT 'trigger', p.proowner, g.tgname, pg_catalog.pg_get_userbyid(p.proowner)
            FROM pg_catalog.pg_trigger g
            JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) g.tgfoid
           WHERE g.tgrelid OPERATOR(pg_catalog.=) t.oid AND NOT g.tgisinternal
          UNION ALL
          SELECT 'rule', NULL, r.rulename, ''
            FROM pg_catalog.pg_rewrite r
           WHERE r.ev_class OPERATOR(pg_catalog.=) t.oid
             AND t.relkind OPERATOR(pg_catalog.<>) 'v'
          UNION ALL
          SELECT 'child', NULL, i.inhrelid::pg_catalog.regclass::pg_catalog.text, ''
            FROM pg_catalog.pg_inherits i
           WHERE i.inhparent OPERATOR(pg_catalog.=) t.oid) w
      WHERE t.oid OPERATOR(pg_catalog.=) ANY (ARRAY[ledger.oid, history.oid, lease.oid])
        AND CASE WHEN w.role IS NULL OR w.role OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN true
                 WHEN pg_catalog.pg_has_role(w.role, current_user, 'MEMBER') THEN false
                 WHEN w.kind OPERATOR(pg_catalog.=) 'role'
                 THEN NOT pg_catalog.pg_has_role(w.role, t.relowner, 'MEMBER')
                 ELSE pg_catalog.current_setting('is_superuser') OPERATOR(pg_catalog.=) 'on'
                      OR NOT pg_catalog.pg_has_role(w.role, 'MEMBER') END
      LIMIT 500) f)

-- name: removals
-- The statements that take out of a table what others' code is, and give it to us.
SELECT pg_catalog.format('DROP RULE %I ON %I.%I;', r.rulename, n.nspname, c.relname)
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  JOIN pg_catalog.pg_rewrite r ON r.ev_class OPERATOR(pg_catalog.=) c.oid
 WHERE c.oid OPERATOR(pg_catalog.=) {table} AND c.relkind OPERATOR(pg_catalog.<>) 'v'
UNION ALL
SELECT pg_catalog.format('DROP TRIGGER %I ON %I.%I;', g.tgname, n.nspname, c.relname)
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  JOIN pg_catalog.pg_trigger g ON g.tgrelid OPERATOR(pg_catalog.=) c.oid AND NOT g.tgisinternal
  JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) g.tgfoid
 WHERE c.oid OPERATOR(pg_catalog.=) {table}
   AND NOT pg_catalog.pg_has_role(p.proowner, current_user, 'MEMBER')
   AND (pg_catalog.current_setting('is_superuser') OPERATOR(pg_catalog.=) 'on'
        OR NOT pg_catalog.pg_has_role(p.proowner, 'MEMBER'))
UNION ALL
SELECT pg_catalog.format(CASE WHEN k.relispartition
                              THEN 'ALTER TABLE %3$I.%4$I DETACH PARTITION %1$I.%2$I;'
                              ELSE 'ALTER TABLE %1$I.%2$I NO INHERIT %3$I.%4$I;' END,
                         kn.nspname, k.relname, n.nspname, c.relname)
  FROM pg_catalog.pg_inherits i
  JOIN pg_catalog.pg_class k ON k.oid OPERATOR(pg_catalog.=) i.inhrelid
  JOIN pg_catalog.pg_namespace kn ON kn.oid OPERATOR(pg_catalog.=) k.relnamespace
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.inhparent
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE c.oid OPERATOR(pg_catalog.=) {table}

-- name: written_through
-- A FROM item: the views on a table, and the tables whose rules write it, that have the rights of
-- its owner there. What a view's owner may not write is not written through it. By OFFSET the
-- conditions are asked of these alone; the planner would ask them of every view there is.
(WITH RECURSIVE reached AS (
     SELECT {table} AS oid
     UNION
     SELECT w.ev_class
       FROM reached
       JOIN pg_catalog.pg_depend d
         ON d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.refobjid OPERATOR(pg_catalog.=) reached.oid
        AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass
       JOIN pg_catalog.pg_rewrite w ON w.oid OPERATOR(pg_catalog.=) d.objid
 )
 SELECT c.oid, c.xmin, c.relacl
   FROM reached
  CROSS JOIN LATERAL (
        SELECT k.oid, k.xmin, k.relacl, k.relkind, k.relowner FROM pg_catalog.pg_class k
         WHERE k.oid OPERATOR(pg_catalog.=) reached.oid OFFSET 0) c
  WHERE c.oid OPERATOR(pg_catalog.<>) {table}
    AND c.relkind OPERATOR(pg_catalog.<>) 'm'
    AND pg_catalog.pg_has_role(c.relowner, {owner}, 'MEMBER')
    AND (c.relkind OPERATOR(pg_catalog.<>) 'v'
         OR pg_catalog.pg_relation_is_updatable(c.oid, true) OPERATOR(pg_catalog.>) 0))

-- name: note_stands
-- Whether the comment was written behind the last change of the table's row in the catalog, thus
-- by who owns it now. An owner before could have foretold the state that another leaves.
EXISTS (SELECT FROM pg_catalog.pg_description d
         WHERE d.classoid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
           AND d.objoid OPERATOR(pg_catalog.=) history.oid
           AND d.objsubid OPERATOR(pg_catalog.=) 0
           AND pg_catalog.age(d.xmin) OPERATOR(pg_catalog.<=) pg_catalog.age(history.xmin))

-- name: rights_state
-- What changes with every GRANT, REVOKE, ALTER, new rule, trigger or trigger function of the
-- history, though it be taken back: the transactions that wrote its rows of the catalog, and
-- those of the views on it. VACUUM and ANALYZE write these rows in place.
pg_catalog.left(pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
    pg_catalog.concat_ws(' ', history.oid, history.xmin,
        (SELECT pg_catalog.string_agg(c.xmin::pg_catalog.text, ' ' ORDER BY c.attnum)
           FROM pg_catalog.pg_attribute c
          WHERE c.attrelid OPERATOR(pg_catalog.=) history.oid
            AND c.attnum OPERATOR(pg_catalog.>) 0),
        (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', g.oid, g.xmin, p.oid, p.xmin),
                                      ' ' ORDER BY g.oid)
           FROM pg_catalog.pg_trigger g
           JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) g.tgfoid
          WHERE g.tgrelid OPERATOR(pg_catalog.=) history.oid),
        (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', 'view', v.oid, v.xmin,
                    (SELECT pg_catalog.string_agg(c.xmin::pg_catalog.text, ' ' ORDER BY c.attnum)
                       FROM pg_catalog.pg_attribute c
                      WHERE c.attrelid OPERATOR(pg_catalog.=) v.oid)), ' ' ORDER BY v.oid)
           FROM {written_through} v)),
    'UTF8')), 'hex'), 32)

-- name: remember
-- Keeps which tables of ours are there, to the transaction's end: what is made in it is another.
SELECT pg_catalog.set_config('rung.there', pg_catalog.concat_ws(' ', {tables}), true)

-- name: revokes
-- The statements that take every right but SELECT on tables of ours and their sequences from all
-- but the owner, leaving out those that were there before `remember`. Who is meant to write the
-- ledger keeps what golang-migrate needs there, or is given it.
WITH tables AS (
    SELECT c.oid, c.relacl, c.relowner, 'TABLE' AS kind,
           pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
     WHERE c.oid OPERATOR(pg_catalog.=) ANY (ARRAY[{tables}]::pg_catalog.oid[])
       AND c.oid::pg_catalog.text OPERATOR(pg_catalog.<>) ALL (pg_catalog.string_to_array(
           COALESCE(pg_catalog.current_setting('rung.there', true), ''), ' '))
     UNION ALL
    SELECT c.oid, c.relacl, c.relowner, 'SEQUENCE',
           pg_catalog.format('%I.%I', n.nspname, c.relname)
      FROM pg_catalog.pg_depend d
      JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) d.objid
       AND c.relkind OPERATOR(pg_catalog.=) 'S'
      JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
     WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
       AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
       AND d.refobjid OPERATOR(pg_catalog.=) ANY (ARRAY[{tables}]::pg_catalog.oid[])
       AND d.refobjid::pg_catalog.text OPERATOR(pg_catalog.<>) ALL (pg_catalog.string_to_array(
           COALESCE(pg_catalog.current_setting('rung.there', true), ''), ' '))
       AND d.deptype OPERATOR(pg_catalog.=) ANY (ARRAY['a', 'i']::pg_catalog."char"[])
), held AS (
    SELECT t.*, a.grantee, a.privilege_type AS privilege
      FROM tables t, pg_catalog.aclexplode(t.relacl) a
     WHERE NOT (t.oid OPERATOR(pg_catalog.=) {ledger}
                AND a.privilege_type OPERATOR(pg_catalog.=) ANY
                    (ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'])
                AND pg_catalog.pg_get_userbyid(a.grantee) OPERATOR(pg_catalog.=) ANY
                    (ARRAY[{writers}]::pg_catalog.name[]))
     UNION ALL
    SELECT t.*, a.grantee, pg_catalog.format('%s (%I)', a.privilege_type, c.attname)
      FROM tables t
      JOIN pg_catalog.pg_attribute c ON c.attrelid OPERATOR(pg_catalog.=) t.oid,
           pg_catalog.aclexplode(c.attacl) a
     WHERE a.privilege_type OPERATOR(pg_catalog.<>) 'SELECT'
     {through_views}
)
SELECT pg_catalog.format('REVOKE %s ON %s %s FROM %s CASCADE',
           pg_catalog.string_agg(DISTINCT h.privilege, ', ' ORDER BY h.privilege), h.kind, h.name,
           CASE WHEN h.grantee OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN 'PUBLIC'
                ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(h.grantee)) END)
  FROM held h
 WHERE h.grantee OPERATOR(pg_catalog.<>) h.relowner
   AND h.privilege OPERATOR(pg_catalog.<>) 'SELECT'
   {only}
 GROUP BY h.kind, h.name, h.grantee
 UNION ALL
SELECT pg_catalog.format('GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON TABLE %s TO %s',
                         t.name, {given})
  FROM tables t
 WHERE t.oid OPERATOR(pg_catalog.=) {ledger} AND {given} IS NOT NULL
 ORDER BY 1 DESC

-- name: held_through_views
-- A part of revokes: the rights to write on what writes our tables with their owner's rights.
UNION ALL
SELECT v.oid, NULL, t.relowner, 'TABLE', pg_catalog.format('%I.%I', vn.nspname, vc.relname),
       a.grantee, a.how
  FROM tables t
 CROSS JOIN LATERAL {written_through} v
  JOIN pg_catalog.pg_class vc ON vc.oid OPERATOR(pg_catalog.=) v.oid
  JOIN pg_catalog.pg_namespace vn ON vn.oid OPERATOR(pg_catalog.=) vc.relnamespace
 CROSS JOIN LATERAL (
       SELECT x.grantee, x.privilege_type AS how, x.privilege_type
         FROM pg_catalog.aclexplode(v.relacl) x
        UNION ALL
       SELECT x.grantee, pg_catalog.format('%s (%I)', x.privilege_type, c.attname),
              x.privilege_type
         FROM pg_catalog.pg_attribute c, pg_catalog.aclexplode(c.attacl) x
        WHERE c.attrelid OPERATOR(pg_catalog.=) v.oid) a
 WHERE a.privilege_type OPERATOR(pg_catalog.=) ANY (ARRAY['INSERT', 'UPDATE', 'DELETE'])

-- name: from_others
-- A condition: who can act as the owner or as us anyway is left alone.
AND (h.grantee OPERATOR(pg_catalog.=) 0::pg_catalog.oid
     OR NOT pg_catalog.pg_has_role(h.grantee, h.relowner, 'MEMBER')
        AND NOT pg_catalog.pg_has_role(h.grantee, current_user, 'MEMBER'))

-- name: newest_row
-- The id of the history's newest row, 0 where it has none.
SELECT COALESCE(pg_catalog.max(id), 0) FROM {history}

-- name: keep_writers_out
-- Waits for whoever has written the history, and lets nobody begin, but not for long.
LOCK TABLE {history} IN SHARE MODE

-- name: check_closed
-- An error by 1/0 where rights or rows are not any more as they were when the note was thought out.
SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*)
  FROM pg_catalog.pg_class history
 WHERE history.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({name})
   AND {rights_state} OPERATOR(pg_catalog.=) {state}
   AND (SELECT COALESCE(pg_catalog.max(id), 0) FROM {history}) OPERATOR(pg_catalog.=) {newest}

-- name: comment_history
-- The note, where the owner alone can write.
COMMENT ON TABLE {history} IS {comment}
