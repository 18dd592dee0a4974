-- The schema as rows: identity, definition, identity of the object that it belongs to, owner, ACL,
-- the ACL that such an object has by default, comment. ACLs are JSON arrays of aclitem texts.
-- Each statement is run with search_path = pg_catalog, pg_temp, so names of users' objects come
-- qualified, and no user's function is called. `{{relations}}` and `{{relation}}` are below.

-- name: snapshot_settings
-- What holds while the schema is read, so that its text does not follow the session's settings.
-- No temporary table shadows a catalog. To compile these statements takes seconds, and to run them
-- milliseconds.
(VALUES ('DateStyle', 'ISO, MDY'), ('IntervalStyle', 'postgres'), ('TimeZone', 'UTC'),
        ('bytea_output', 'hex'), ('extra_float_digits', '1'), ('lc_monetary', 'C'),
        ('quote_all_identifiers', 'off'), ('jit', 'off'), ('search_path', 'pg_catalog, pg_temp'))
    AS fixed (name, value)

-- name: snapshot_keep_settings
-- Keep the settings of a transaction that was open before, and continues.
SELECT pg_catalog.set_config(pg_catalog.concat('rung.', name), pg_catalog.current_setting(name),
           true)
  FROM {settings}

-- name: snapshot_fix_settings
-- Set them.
SELECT pg_catalog.set_config(name, value, true) FROM {settings}

-- name: snapshot_put_back_settings
-- Set them to the earlier values again.
SELECT pg_catalog.set_config(name,
           pg_catalog.current_setting(pg_catalog.concat('rung.', name)), true)
  FROM {settings}

-- name: snapshot_relations
-- The FROM clause of everything in relations: not Rung's own, not an extension's, no system schema.
pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
   AND NOT coalesce((n.nspname, c.relname) IN ({own_tables}), false)
   AND c.oid NOT IN (SELECT objid FROM pg_depend
                      WHERE classid = 'pg_class'::regclass AND deptype = 'e'
                        AND refclassid = 'pg_extension'::regclass)

-- name: snapshot_relation
-- The identity of a relation.
CASE c.relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view '
               WHEN 'f' THEN 'foreign table ' WHEN 'c' THEN 'composite type '
               ELSE 'table ' END || c.oid::regclass

-- name: snapshot_present
-- Which kinds of objects there are. What initdb made has an OID below 16384.
SELECT name FROM (VALUES
    ('tables', EXISTS (SELECT FROM pg_class
                        WHERE oid >= 16384 AND relkind IN ('r', 'p', 'f', 'v', 'm'))),
    ('sequences', EXISTS (SELECT FROM pg_sequence)),
    ('triggers', EXISTS (SELECT FROM pg_trigger)),
    ('functions', EXISTS (SELECT FROM pg_proc WHERE oid >= 16384)),
    ('types', EXISTS (SELECT FROM pg_type WHERE oid >= 16384
                         AND (typtype IN ('d', 'e', 'r', 'p') OR typtype = 'b' AND typelem = 0))
              OR EXISTS (SELECT FROM pg_class WHERE oid >= 16384 AND relkind = 'c')),
    ('rules', EXISTS (SELECT FROM pg_rewrite WHERE oid >= 16384 AND rulename <> '_RETURN')),
    ('policies', EXISTS (SELECT FROM pg_policy)),
    ('statistics', EXISTS (SELECT FROM pg_statistic_ext)),
    ('domain_constraints', EXISTS (SELECT FROM pg_constraint WHERE contypid <> 0 AND oid >= 16384)),
    ('operators', EXISTS (SELECT FROM pg_operator WHERE oid >= 16384)),
    ('operator_families', EXISTS (SELECT FROM pg_opfamily WHERE oid >= 16384)
                          OR EXISTS (SELECT FROM pg_amop WHERE oid >= 16384)
                          OR EXISTS (SELECT FROM pg_amproc WHERE oid >= 16384)),
    ('operator_classes', EXISTS (SELECT FROM pg_opclass WHERE oid >= 16384)),
    ('conversions', EXISTS (SELECT FROM pg_conversion WHERE oid >= 16384)),
    ('collations', EXISTS (SELECT FROM pg_collation WHERE oid >= 16384)),
    ('text_search', EXISTS (SELECT FROM pg_ts_config WHERE oid >= 16384)
                    OR EXISTS (SELECT FROM pg_ts_dict WHERE oid >= 16384)
                    OR EXISTS (SELECT FROM pg_ts_parser WHERE oid >= 16384)
                    OR EXISTS (SELECT FROM pg_ts_template WHERE oid >= 16384)),
    ('casts', EXISTS (SELECT FROM pg_cast WHERE oid >= 16384)),
    ('transforms', EXISTS (SELECT FROM pg_transform)),
    ('access_methods', EXISTS (SELECT FROM pg_am WHERE oid >= 16384)),
    ('event_triggers', EXISTS (SELECT FROM pg_event_trigger)),
    ('publications', EXISTS (SELECT FROM pg_publication)),
    ('subscriptions', EXISTS (SELECT subname FROM pg_subscription)),
    ('foreign', EXISTS (SELECT FROM pg_foreign_data_wrapper)),
    ('default_privileges', EXISTS (SELECT FROM pg_default_acl)),
    ('column_privileges', EXISTS (SELECT FROM pg_attribute
                                   WHERE attacl IS NOT NULL AND attrelid >= 16384)),
    ('security_labels', EXISTS (SELECT FROM pg_seclabel) OR EXISTS (SELECT FROM pg_shseclabel)),
    ('extension_dependencies', EXISTS (SELECT FROM pg_depend
                                        WHERE refclassid = 'pg_extension'::regclass
                                          AND deptype = 'x'))
) AS kinds (name, is_present) WHERE is_present

-- name: snapshot_schemas
-- Schemas.
SELECT 'schema ' || quote_ident(n.nspname), '', NULL, pg_get_userbyid(n.nspowner),
       to_json(n.nspacl::text[]), to_json(acldefault('n', n.nspowner)::text[]),
       -- Without its usual comment, pg_dump writes that the schema public has none.
       CASE WHEN n.nspname <> 'public' THEN d.description
            WHEN d.description IS NULL THEN 'none'
            WHEN d.description <> 'standard public schema' THEN d.description END
  FROM pg_namespace n
  LEFT JOIN pg_description d ON d.classoid = 'pg_namespace'::regclass AND d.objoid = n.oid
 WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
   AND n.oid NOT IN (SELECT objid FROM pg_depend
                      WHERE classid = 'pg_namespace'::regclass AND deptype = 'e'
                        AND refclassid = 'pg_extension'::regclass)

-- name: snapshot_tables
-- Tables, partitions, foreign tables, views and materialized views, without their columns.
SELECT {relation},
       concat_ws(E'\n',
           CASE c.relpersistence WHEN 'u' THEN 'unlogged' END,
           CASE WHEN c.relkind = 'p' THEN 'partitioned by ' || pg_get_partkeydef(c.oid) END,
           CASE WHEN c.relispartition THEN 'partition' END,
           (SELECT string_agg(CASE WHEN c.relispartition THEN 'of ' ELSE 'inherits ' END
                       || i.inhparent::regclass
                       || CASE WHEN i.inhdetachpending THEN ', detach pending' ELSE '' END,
                   E'\n' ORDER BY i.inhseqno)
              FROM pg_inherits i WHERE i.inhrelid = c.oid),
           pg_get_expr(c.relpartbound, c.oid),
           CASE WHEN c.reloftype <> 0 THEN 'of type ' || format_type(c.reloftype, NULL) END,
           CASE WHEN c.reloptions IS NOT NULL OR t.reloptions IS NOT NULL
                THEN (SELECT 'options ' || string_agg(o, ', ' ORDER BY o COLLATE "C")
                        FROM (SELECT unnest(c.reloptions)
                              UNION ALL SELECT 'toast.' || unnest(t.reloptions)) options (o)) END,
           CASE WHEN c.relam NOT IN (0, 2) THEN  -- heap has the OID 2
               (SELECT 'access method ' || quote_ident(m.amname) FROM pg_am m
                 WHERE m.oid = c.relam) END,
           CASE WHEN c.reltablespace <> 0 THEN
               (SELECT 'tablespace ' || quote_ident(s.spcname) FROM pg_tablespace s
                 WHERE s.oid = c.reltablespace) END,
           CASE WHEN c.relrowsecurity THEN 'row security' END,
           CASE WHEN c.relforcerowsecurity THEN 'row security for the owner too' END,
           CASE WHEN c.relreplident <> 'd' AND c.relkind IN ('r', 'p')
                THEN 'replica identity ' || c.relreplident::text END,
           CASE WHEN c.relkind = 'm' AND NOT c.relispopulated THEN 'not populated' END,
           CASE WHEN c.relkind = 'f' THEN
               (SELECT 'server ' || quote_ident(s.srvname) || coalesce(' options '
                           || (SELECT string_agg({option}, ', ' ORDER BY o COLLATE "C")
                                 FROM unnest(f.ftoptions) o), '')
                  FROM pg_foreign_table f JOIN pg_foreign_server s ON s.oid = f.ftserver
                 WHERE f.ftrelid = c.oid) END,
           CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END),
       'schema ' || quote_ident(n.nspname), pg_get_userbyid(c.relowner),
       to_json(c.relacl::text[]), to_json(acldefault('r', c.relowner)::text[]), d.description
  FROM {relations}
  LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
  LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid
                            AND d.objsubid = 0
 WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')

-- name: snapshot_columns
-- Columns, in the order of the table.
SELECT 'column ' || c.oid::regclass || '.' || quote_ident(a.attname),
       concat_ws(' ',
           format_type(a.atttypid, a.atttypmod),
           CASE WHEN a.attcollation <> t.typcollation
                THEN 'collate ' || a.attcollation::regcollation END,
           CASE WHEN a.attnotnull THEN 'not null' END,
           CASE a.attidentity WHEN 'a' THEN 'identity always' WHEN 'd' THEN 'identity' END,
           CASE a.attgenerated WHEN 's' THEN 'generated stored' WHEN 'v' THEN 'generated virtual'
                ELSE CASE WHEN v.oid IS NOT NULL THEN 'default' END END,
           pg_get_expr(v.adbin, v.adrelid),
           CASE WHEN a.attstorage <> t.typstorage AND c.relkind IN ('r', 'p', 'm', 'f')
                THEN 'storage ' || a.attstorage::text END,
           CASE WHEN a.attcompression <> '' THEN 'compression ' || a.attcompression::text END,
           CASE WHEN a.attstattarget >= 0 THEN 'statistics ' || a.attstattarget END,
           CASE WHEN a.attoptions IS NOT NULL OR a.attfdwoptions IS NOT NULL
                THEN (SELECT 'options ' || string_agg({option}, ', ' ORDER BY o COLLATE "C")
                        FROM unnest(a.attoptions || a.attfdwoptions) o) END,
           CASE WHEN a.attinhcount > 0 AND NOT c.relispartition THEN 'inherited' END,
           CASE WHEN a.attinhcount > 0 AND a.attislocal THEN 'and its own' END),
       {relation}, NULL, NULL, NULL, d.description
  FROM {relations}
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef v ON v.adrelid = a.attrelid AND v.adnum = a.attnum
  LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid
                            AND d.objsubid = a.attnum
 WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
 ORDER BY c.oid, a.attnum

-- name: snapshot_constraints
-- Constraints of tables; from PostgreSQL 18 on, NOT NULL is one.
SELECT 'constraint ' || quote_ident(k.conname) || ' on ' || c.oid::regclass,
       concat_ws(' ', pg_get_constraintdef(k.oid),
           CASE WHEN k.coninhcount > 0 THEN 'inherited' END,
           CASE WHEN k.coninhcount > 0 AND k.conislocal THEN 'and its own' END),
       {relation}, NULL, NULL, NULL, d.description
  FROM {relations} JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype <> 't'
  LEFT JOIN pg_description d ON d.classoid = 'pg_constraint'::regclass AND d.objoid = k.oid

-- name: snapshot_indexes
-- Indexes; one that was made for a constraint belongs to the constraint.
SELECT 'index ' || i.indexrelid::regclass,
       concat_ws(E'\n', pg_get_indexdef(i.indexrelid),
           CASE WHEN NOT (i.indisvalid AND i.indislive) THEN 'invalid' END,
           CASE WHEN i.indisclustered THEN 'clustered' END,
           CASE WHEN i.indisreplident THEN 'replica identity' END,
           CASE WHEN x.relispartition THEN
               (SELECT 'of ' || p.inhparent::regclass FROM pg_inherits p
                 WHERE p.inhrelid = i.indexrelid) END,
           CASE WHEN x.reltablespace <> 0 THEN
               (SELECT 'tablespace ' || quote_ident(s.spcname) FROM pg_tablespace s
                 WHERE s.oid = x.reltablespace) END,
           CASE WHEN i.indexprs IS NOT NULL THEN  -- only expressions have a target of their own
               (SELECT 'statistics ' || string_agg(a.attnum || '=' || a.attstattarget, ', '
                           ORDER BY a.attnum)
                  FROM pg_attribute a
                 WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0) END),
       coalesce('constraint ' || quote_ident(k.conname) || ' on ' || c.oid::regclass, {relation}),
       NULL, NULL, NULL, d.description
  FROM {relations} JOIN pg_index i ON i.indrelid = c.oid
  JOIN pg_class x ON x.oid = i.indexrelid
  LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
  LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = x.oid

-- name: snapshot_sequences
-- Sequences, but for those of Rung's own tables.
SELECT 'sequence ' || c.oid::regclass,
       concat_ws(' ', format_type(s.seqtypid, NULL), 'start', s.seqstart, 'by', s.seqincrement,
           'from', s.seqmin, 'to', s.seqmax, 'cache', s.seqcache,
           CASE WHEN s.seqcycle THEN 'cycle' END,
           CASE c.relpersistence WHEN 'u' THEN 'unlogged' END,
           'owned by ' || o.name),
       coalesce('column ' || o.name, 'schema ' || quote_ident(n.nspname)),
       pg_get_userbyid(c.relowner), to_json(c.relacl::text[]),
       to_json(acldefault('s', c.relowner)::text[]), d.description
  FROM {relations} JOIN pg_sequence s ON s.seqrelid = c.oid
  LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid
  LEFT JOIN LATERAL (
      SELECT d.refobjid, d.refobjid::regclass || '.' || quote_ident(a.attname) AS name
        FROM pg_depend d
        JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
       WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
         AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')) o ON true
 WHERE NOT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE c.oid = o.refobjid
                      AND (n.nspname, c.relname) IN ({own_tables}))

-- name: snapshot_rules
-- Rules, but for those that are views.
SELECT 'rule ' || quote_ident(r.rulename) || ' on ' || c.oid::regclass,
       concat_ws(E'\n', pg_get_ruledef(r.oid),
           CASE WHEN r.ev_enabled <> 'O' THEN 'enabled ' || r.ev_enabled::text END),
       {relation}, NULL, NULL, NULL, obj_description(r.oid, 'pg_rewrite')
  FROM {relations} JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename <> '_RETURN'

-- name: snapshot_triggers
-- Triggers, but for those of foreign keys. PostgreSQL 14 calls a partition's copy internal.
SELECT 'trigger ' || quote_ident(g.tgname) || ' on ' || c.oid::regclass,
       concat_ws(E'\n', pg_get_triggerdef(g.oid),
           CASE WHEN g.tgenabled <> 'O' THEN 'enabled ' || g.tgenabled::text END),
       {relation}, NULL, NULL, NULL, obj_description(g.oid, 'pg_trigger')
  FROM {relations} JOIN pg_trigger g ON g.tgrelid = c.oid
  LEFT JOIN pg_trigger o ON o.oid = g.tgparentid
 WHERE NOT g.tgisinternal OR NOT o.tgisinternal AND g.tgenabled <> o.tgenabled

-- name: snapshot_policies
-- Row security policies.
SELECT 'policy ' || quote_ident(p.polname) || ' on ' || c.oid::regclass,
       concat_ws(E'\n', CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
           'for ' || p.polcmd::text,
           (SELECT 'to ' || string_agg(CASE WHEN o = 0 THEN 'public'
                       ELSE quote_ident(pg_get_userbyid(o)) END, ', ' ORDER BY pg_get_userbyid(o))
              FROM unnest(p.polroles) o),
           'using ' || pg_get_expr(p.polqual, p.polrelid),
           'check ' || pg_get_expr(p.polwithcheck, p.polrelid)),
       {relation}, NULL, NULL, NULL, obj_description(p.oid, 'pg_policy')
  FROM {relations} JOIN pg_policy p ON p.polrelid = c.oid

-- name: snapshot_statistics
-- Extended statistics.
SELECT 'statistics ' || quote_ident(m.nspname) || '.' || quote_ident(s.stxname),
       concat_ws(E'\n', pg_get_statisticsobjdef(s.oid),
           CASE WHEN s.stxstattarget >= 0 THEN 'statistics ' || s.stxstattarget END),
       {relation}, pg_get_userbyid(s.stxowner), NULL, NULL,
       obj_description(s.oid, 'pg_statistic_ext')
  FROM {relations} JOIN pg_statistic_ext s ON s.stxrelid = c.oid
  JOIN pg_namespace m ON m.oid = s.stxnamespace

-- name: snapshot_functions
-- Functions, procedures and aggregates, without those that a range type brings with it.
SELECT CASE p.prokind WHEN 'p' THEN 'procedure ' WHEN 'a' THEN 'aggregate '
                      ELSE 'function ' END || p.oid::regprocedure,
       CASE WHEN p.prokind <> 'a' THEN rtrim(pg_get_functiondef(p.oid), E'\n')
            ELSE (SELECT concat_ws(E'\n', 'arguments ' || pg_get_function_arguments(p.oid),
                      'returns ' || pg_get_function_result(p.oid), 'kind ' || g.aggkind::text,
                      'direct arguments ' || g.aggnumdirectargs, 'parallel ' || p.proparallel::text,
                      'by ' || g.aggtransfn::regprocedure,
                      'state ' || format_type(g.aggtranstype, NULL), 'size ' || g.aggtransspace,
                      'final ' || g.aggfinalfn::regprocedure, 'final extra ' || g.aggfinalextra,
                      'final modifies ' || g.aggfinalmodify::text, 'combine ' || g.aggcombinefn::regprocedure,
                      'serialize ' || g.aggserialfn::regprocedure, 'deserialize ' || g.aggdeserialfn::regprocedure,
                      'initial ' || quote_literal(g.agginitval), 'moving ' || g.aggmtransfn::regprocedure,
                      'moving inverse ' || g.aggminvtransfn::regprocedure,
                      CASE WHEN g.aggmtranstype <> 0
                           THEN 'moving state ' || format_type(g.aggmtranstype, NULL) END,
                      'moving size ' || g.aggmtransspace, 'moving final ' || g.aggmfinalfn::regprocedure,
                      'moving final extra ' || g.aggmfinalextra,
                      'moving final modifies ' || g.aggmfinalmodify::text,
                      'moving initial ' || quote_literal(g.aggminitval),
                      CASE WHEN g.aggsortop <> 0
                           THEN 'sorts by ' || g.aggsortop::regoperator END)
                    FROM pg_aggregate g WHERE g.aggfnoid = p.oid) END,
       'schema ' || quote_ident(n.nspname), pg_get_userbyid(p.proowner),
       to_json(p.proacl::text[]), to_json(acldefault('f', p.proowner)::text[]), d.description
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  LEFT JOIN pg_description d ON d.classoid = 'pg_proc'::regclass AND d.objoid = p.oid
 WHERE p.oid NOT IN (SELECT objid FROM pg_depend
                      WHERE classid = 'pg_proc'::regclass AND deptype IN ('e', 'i'))

-- name: snapshot_types
-- Enums, domains, ranges, composite types, base types and shell types.
SELECT CASE t.typtype WHEN 'e' THEN 'enum ' WHEN 'd' THEN 'domain ' WHEN 'r' THEN 'range '
                      WHEN 'c' THEN 'composite type ' WHEN 'p' THEN 'shell type '
                      ELSE 'type ' END || format_type(t.oid, NULL),
       CASE t.typtype
           WHEN 'e' THEN (SELECT string_agg(quote_literal(e.enumlabel), ', '
                                     ORDER BY e.enumsortorder)
                            FROM pg_enum e WHERE e.enumtypid = t.oid)
           WHEN 'c' THEN (SELECT string_agg(concat_ws(' ', quote_ident(a.attname),
                                     format_type(a.atttypid, a.atttypmod),
                                     CASE WHEN a.attcollation <> b.typcollation
                                          THEN 'collate ' || a.attcollation::regcollation END,
                                     'comment '
                                     || quote_literal(col_description(a.attrelid, a.attnum))),
                                     ', ' ORDER BY a.attnum)
                            FROM pg_attribute a JOIN pg_type b ON b.oid = a.atttypid
                           WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
           WHEN 'd' THEN concat_ws(' ', format_type(t.typbasetype, t.typtypmod),
               (SELECT 'collate ' || t.typcollation::regcollation FROM pg_type b
                 WHERE b.oid = t.typbasetype AND b.typcollation <> t.typcollation),
               CASE WHEN t.typnotnull THEN 'not null' END, 'default ' || t.typdefault)
           WHEN 'r' THEN (SELECT concat_ws(' ', 'of', format_type(r.rngsubtype, NULL), 'by',
                       (pg_identify_object('pg_opclass'::regclass, r.rngsubopc, 0)).identity,
                       CASE WHEN r.rngcollation <> 0
                            THEN 'collate ' || r.rngcollation::regcollation END,
                       'canonical', r.rngcanonical, 'difference', r.rngsubdiff,
                       'multirange', format_type(r.rngmultitypid, NULL))
                            FROM pg_range r WHERE r.rngtypid = t.oid)
           WHEN 'b' THEN concat_ws(' ', 'input', t.typinput, 'output', t.typoutput,
               'receive', t.typreceive, 'send', t.typsend, 'typmod in', t.typmodin,
               'typmod out', t.typmodout, 'analyze', t.typanalyze, 'subscript', t.typsubscript,
               'length', t.typlen, CASE WHEN t.typbyval THEN 'by value' END,
               'align', t.typalign, 'storage', t.typstorage, 'category', t.typcategory,
               CASE WHEN t.typispreferred THEN 'preferred' END,
               'default ' || quote_literal(t.typdefault), 'delimiter', quote_literal(t.typdelim::text),
               CASE WHEN t.typcollation <> 0 THEN 'collatable' END,
               CASE WHEN t.typelem <> 0 THEN 'of ' || format_type(t.typelem, NULL) END)
           ELSE '' END,
       'schema ' || quote_ident(n.nspname), pg_get_userbyid(t.typowner),
       to_json(t.typacl::text[]), to_json(acldefault('T', t.typowner)::text[]),
       coalesce(obj_description(t.oid, 'pg_type'), obj_description(t.typrelid, 'pg_class'))
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
 WHERE t.typtype IN ('b', 'c', 'd', 'e', 'r', 'p')
   AND (t.typtype <> 'c' OR EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid
                                                             AND c.relkind = 'c'))
   AND (t.typtype <> 'b' OR NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid))
   AND t.oid NOT IN (SELECT objid FROM pg_depend
                      WHERE classid = 'pg_type'::regclass AND deptype = 'e'
                        AND refclassid = 'pg_extension'::regclass)

-- name: snapshot_domain_constraints
-- Constraints of domains.
SELECT 'constraint ' || quote_ident(k.conname) || ' on domain ' || format_type(k.contypid, NULL),
       pg_get_constraintdef(k.oid), 'domain ' || format_type(k.contypid, NULL), NULL, NULL, NULL,
       obj_description(k.oid, 'pg_constraint')
  FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid
  JOIN pg_namespace n ON n.oid = t.typnamespace
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
 WHERE t.oid NOT IN (SELECT objid FROM pg_depend
                      WHERE classid = 'pg_type'::regclass AND deptype = 'e'
                        AND refclassid = 'pg_extension'::regclass)

-- name: snapshot_operators
-- Operators.
SELECT CASE WHEN o.oprcode = 0 THEN 'shell operator ' ELSE 'operator ' END || o.oid::regoperator,
       concat_ws(' ', 'returns', format_type(o.oprresult, NULL), 'by', o.oprcode::regprocedure,
           'commutator', o.oprcom::regoperator, 'negator', o.oprnegate::regoperator,
           'restrict', o.oprrest, 'join', o.oprjoin,
           CASE WHEN o.oprcanmerge THEN 'merges' END, CASE WHEN o.oprcanhash THEN 'hashes' END),
       'schema ' || quote_ident(n.nspname), pg_get_userbyid(o.oprowner), NULL, NULL,
       obj_description(o.oid, 'pg_operator')
  FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
 WHERE o.oid NOT IN (SELECT objid FROM pg_depend
                      WHERE classid = 'pg_operator'::regclass AND deptype = 'e'
                        AND refclassid = 'pg_extension'::regclass)

-- name: snapshot_operator_families
-- Operator families with their operators and functions; of the server's own, what was added.
SELECT 'operator family ' || (pg_identify_object('pg_opfamily'::regclass, f.oid, 0)).identity,
       concat_ws(E'\n',
           (SELECT string_agg(concat_ws(' ', 'operator', m.amopstrategy, m.amopopr::regoperator,
                       'for order by ' || (pg_identify_object('pg_opfamily'::regclass,
                                               nullif(m.amopsortfamily, 0), 0)).identity),
                       E'\n' ORDER BY m.amopstrategy, m.amopopr::regoperator::text COLLATE "C")
              FROM pg_amop m WHERE m.amopfamily = f.oid AND m.oid >= 16384),
           (SELECT string_agg(concat_ws(' ', 'function', m.amprocnum,
                       format_type(m.amproclefttype, NULL), format_type(m.amprocrighttype, NULL),
                       m.amproc::regprocedure), E'\n'
                       ORDER BY m.amprocnum, m.amproc::regprocedure::text COLLATE "C")
              FROM pg_amproc m WHERE m.amprocfamily = f.oid AND m.oid >= 16384)),
       'schema ' || quote_ident(n.nspname),
       CASE WHEN f.oid >= 16384 THEN pg_get_userbyid(f.opfowner) END, NULL, NULL,
       CASE WHEN f.oid >= 16384 THEN obj_description(f.oid, 'pg_opfamily') END
  FROM pg_opfamily f JOIN pg_namespace n ON n.oid = f.opfnamespace
 WHERE (f.oid >= 16384
        OR EXISTS (SELECT FROM pg_amop m WHERE m.amopfamily = f.oid AND m.oid >= 16384)
        OR EXISTS (SELECT FROM pg_amproc m WHERE m.amprocfamily = f.oid AND m.oid >= 16384))
   AND f.oid NOT IN (SELECT objid FROM pg_depend
                      WHERE classid = 'pg_opfamily'::regclass AND deptype = 'e'
                        AND refclassid = 'pg_extension'::regclass)
   -- What an extension's class adds to a family of the server's depends on that class.
   AND (f.oid >= 16384 OR EXISTS (
           SELECT FROM pg_depend d
            WHERE d.refclassid = 'pg_opfamily'::regclass AND d.refobjid = f.oid
              AND d.classid IN ('pg_amop'::regclass, 'pg_amproc'::regclass)
              AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.classid
                                 AND e.objid = d.objid AND e.deptype = 'e')))

-- name: snapshot_operator_classes
-- Operator classes.
SELECT 'operator class ' || (pg_identify_object('pg_opclass'::regclass, o.oid, 0)).identity,
       concat_ws(' ', 'for', format_type(o.opcintype, NULL),
           'in', (pg_identify_object('pg_opfamily'::regclass, o.opcfamily, 0)).identity,
           CASE WHEN o.opcdefault THEN 'default' END,
           CASE WHEN o.opckeytype <> 0 THEN 'keeps ' || format_type(o.opckeytype, NULL) END),
       'operator family ' || (pg_identify_object('pg_opfamily'::regclass, o.opcfamily, 0)).identity,
       pg_get_userbyid(o.opcowner), NULL, NULL, obj_description(o.oid, 'pg_opclass')
  FROM pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
 WHERE o.oid NOT IN (SELECT objid FROM pg_depend
                      WHERE classid = 'pg_opclass'::regclass AND deptype = 'e'
                        AND refclassid = 'pg_extension'::regclass)

-- name: snapshot_conversions
-- Conversions.
SELECT 'conversion ' || (pg_identify_object('pg_conversion'::regclass, c.oid, 0)).identity,
       concat_ws(' ', 'from', pg_encoding_to_char(c.conforencoding), 'to',
           pg_encoding_to_char(c.contoencoding), 'by', c.conproc,
           CASE WHEN c.condefault THEN 'default' END),
       'schema ' || quote_ident(n.nspname), pg_get_userbyid(c.conowner), NULL, NULL,
       obj_description(c.oid, 'pg_conversion')
  FROM pg_conversion c JOIN pg_namespace n ON n.oid = c.connamespace
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
 WHERE c.oid NOT IN (SELECT objid FROM pg_depend
                      WHERE classid = 'pg_conversion'::regclass AND deptype = 'e'
                        AND refclassid = 'pg_extension'::regclass)

-- name: snapshot_collations
-- Collations; the columns of their locale differ from release to release.
SELECT 'collation ' || (pg_identify_object('pg_collation'::regclass, c.oid, 0)).identity,
       concat_ws(' ', 'provider', c.collprovider, 'encoding ' || nullif(c.collencoding, -1),
           'collate ' || c.collcollate, 'ctype ' || c.collctype,
           'locale ' || coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale'),
           'rules ' || (to_jsonb(c) ->> 'collicurules'),
           CASE WHEN NOT c.collisdeterministic THEN 'not deterministic' END),
       'schema ' || quote_ident(n.nspname), pg_get_userbyid(c.collowner), NULL, NULL,
       obj_description(c.oid, 'pg_collation')
  FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
 WHERE c.oid NOT IN (SELECT objid FROM pg_depend
                      WHERE classid = 'pg_collation'::regclass AND deptype = 'e'
                        AND refclassid = 'pg_extension'::regclass)

-- name: snapshot_text_search
-- Configurations, dictionaries, parsers and templates of text search.
SELECT s.kind || ' ' || (pg_identify_object(s.catalog, s.oid, 0)).identity, s.definition,
       'schema ' || quote_ident(n.nspname), pg_get_userbyid(s.owner), NULL, NULL, d.description
  FROM (SELECT 'text search configuration' AS kind, 'pg_ts_config'::regclass AS catalog, oid,
               cfgnamespace AS namespace, cfgowner AS owner,
               concat_ws(E'\n', 'parser '
                   || (pg_identify_object('pg_ts_parser'::regclass, cfgparser, 0)).identity,
                   (SELECT string_agg(m.maptokentype || ' ' || m.mapdict::regdictionary, E'\n'
                               ORDER BY m.maptokentype, m.mapseqno)
                      FROM pg_ts_config_map m WHERE m.mapcfg = c.oid)) AS definition
          FROM pg_ts_config c
        UNION ALL
        SELECT 'text search dictionary', 'pg_ts_dict', oid, dictnamespace, dictowner,
               concat_ws(' ',
                   (pg_identify_object('pg_ts_template'::regclass, dicttemplate, 0)).identity,
                   dictinitoption)
          FROM pg_ts_dict
        UNION ALL
        SELECT 'text search parser', 'pg_ts_parser', oid, prsnamespace, NULL,
               concat_ws(' ', 'start', prsstart, 'token', prstoken, 'end', prsend,
                   'headline', prsheadline, 'types', prslextype)
          FROM pg_ts_parser
        UNION ALL
        SELECT 'text search template', 'pg_ts_template', oid, tmplnamespace, NULL,
               concat_ws(' ', 'init', tmplinit, 'lexize', tmpllexize)
          FROM pg_ts_template) AS s
  JOIN pg_namespace n ON n.oid = s.namespace
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  LEFT JOIN pg_description d ON d.classoid = s.catalog AND d.objoid = s.oid
 WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = s.catalog AND e.objid = s.oid
                                             AND e.deptype = 'e')

-- name: snapshot_casts
-- Casts, without those of range types.
SELECT 'cast ' || format_type(k.castsource, NULL) || ' as ' || format_type(k.casttarget, NULL),
       concat_ws(' ', 'by', k.castmethod,
           CASE WHEN k.castfunc <> 0 THEN k.castfunc::regprocedure END, 'context', k.castcontext),
       NULL, NULL, NULL, NULL, obj_description(k.oid, 'pg_cast')
  FROM pg_cast k
 WHERE k.oid >= 16384
   AND k.oid NOT IN (SELECT objid FROM pg_depend
                      WHERE classid = 'pg_cast'::regclass AND deptype IN ('e', 'i'))

-- name: snapshot_transforms
-- Transforms.
SELECT 'transform for ' || format_type(x.trftype, NULL) || ' language ' || quote_ident(l.lanname),
       concat_ws(' ', 'from SQL', x.trffromsql::oid::regprocedure,
           'to SQL', x.trftosql::oid::regprocedure),
       NULL, NULL, NULL, NULL, obj_description(x.oid, 'pg_transform')
  FROM pg_transform x JOIN pg_language l ON l.oid = x.trflang
 WHERE x.oid NOT IN (SELECT objid FROM pg_depend
                      WHERE classid = 'pg_transform'::regclass AND deptype = 'e'
                        AND refclassid = 'pg_extension'::regclass)

-- name: snapshot_access_methods
-- Access methods.
SELECT 'access method ' || quote_ident(m.amname), concat_ws(' ', m.amtype, 'by', m.amhandler),
       NULL, NULL, NULL, NULL, obj_description(m.oid, 'pg_am')
  FROM pg_am m
 WHERE m.oid >= 16384
   AND m.oid NOT IN (SELECT objid FROM pg_depend
                      WHERE classid = 'pg_am'::regclass AND deptype = 'e'
                        AND refclassid = 'pg_extension'::regclass)

-- name: snapshot_extensions
-- Extensions, with the tables of theirs that the user's rows belong to.
SELECT 'extension ' || quote_ident(e.extname),
       concat_ws(' ', 'version', e.extversion, 'in', quote_ident(n.nspname),
           CASE WHEN e.extconfig IS NOT NULL THEN
               (SELECT 'configuration ' || string_agg(concat_ws(' ', t.id::regclass,
                           nullif(t.condition, '')), ', ' ORDER BY t.id::regclass::text COLLATE "C")
                  FROM unnest(e.extconfig, e.extcondition) AS t (id, condition)) END),
       NULL, NULL, NULL, NULL,
       CASE WHEN e.oid >= 16384 THEN d.description END
  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
  LEFT JOIN pg_description d ON d.classoid = 'pg_extension'::regclass AND d.objoid = e.oid

-- name: snapshot_languages
-- Procedural languages.
SELECT 'language ' || quote_ident(l.lanname),
       concat_ws(' ', 'by', l.lanplcallfoid::regproc, 'inline', l.laninline::regproc,
           'validator', l.lanvalidator::regproc, CASE WHEN l.lanpltrusted THEN 'trusted' END),
       NULL, pg_get_userbyid(l.lanowner), to_json(l.lanacl::text[]),
       to_json(acldefault('l', l.lanowner)::text[]), obj_description(l.oid, 'pg_language')
  FROM pg_language l
 WHERE l.lanispl
   AND l.oid NOT IN (SELECT objid FROM pg_depend
                      WHERE classid = 'pg_language'::regclass AND deptype = 'e'
                        AND refclassid = 'pg_extension'::regclass)

-- name: snapshot_event_triggers
-- Event triggers.
SELECT 'event trigger ' || quote_ident(g.evtname),
       concat_ws(' ', 'on', g.evtevent, 'runs', g.evtfoid::regprocedure,
           CASE WHEN g.evtenabled <> 'O' THEN 'enabled ' || g.evtenabled::text END,
           'where ' || array_to_string(g.evttags, ', ')),
       NULL, pg_get_userbyid(g.evtowner), NULL, NULL, obj_description(g.oid, 'pg_event_trigger')
  FROM pg_event_trigger g
 WHERE g.oid NOT IN (SELECT objid FROM pg_depend
                      WHERE classid = 'pg_event_trigger'::regclass AND deptype = 'e'
                        AND refclassid = 'pg_extension'::regclass)

-- name: snapshot_publications
-- Publications; a table without a list of columns publishes also those that are added later.
SELECT 'publication ' || quote_ident(p.pubname),
       concat_ws(E'\n', (to_jsonb(p) - 'oid' - 'pubname' - 'pubowner')::text,
           (SELECT string_agg('schema ' || quote_ident(n.nspname), E'\n' ORDER BY n.nspname)
              FROM pg_publication_namespace s JOIN pg_namespace n ON n.oid = s.pnnspid
             WHERE s.pnpubid = p.oid),
           (SELECT string_agg(concat_ws(' ', 'table', r.prrelid::regclass,
                       (SELECT 'columns ' || string_agg(quote_ident(a.attname), ', '
                                   ORDER BY a.attnum)
                          FROM pg_attribute a
                         WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs::int2[])),
                       'where ' || pg_get_expr(r.prqual, r.prrelid)), E'\n'
                       ORDER BY r.prrelid::regclass::text COLLATE "C")
              FROM pg_publication_rel r WHERE r.prpubid = p.oid)),
       NULL, pg_get_userbyid(p.pubowner), NULL, NULL, obj_description(p.oid, 'pg_publication')
  FROM pg_publication p

-- name: snapshot_publications_14
-- Publications of PostgreSQL 14, which publish whole tables.
SELECT 'publication ' || quote_ident(p.pubname),
       concat_ws(E'\n', (to_jsonb(p) - 'oid' - 'pubname' - 'pubowner')::text,
           (SELECT string_agg('table ' || r.prrelid::regclass, E'\n'
                       ORDER BY r.prrelid::regclass::text COLLATE "C")
              FROM pg_publication_rel r WHERE r.prpubid = p.oid)),
       NULL, pg_get_userbyid(p.pubowner), NULL, NULL, obj_description(p.oid, 'pg_publication')
  FROM pg_publication p

-- name: snapshot_subscriptions
-- Subscriptions of this database, without their connection string, which only superusers may read.
SELECT 'subscription ' || quote_ident(s.subname),
       jsonb_build_object({columns})::text, NULL, pg_get_userbyid(s.subowner), NULL, NULL,
       obj_description(s.oid, 'pg_subscription')
  FROM pg_subscription s
 WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())

-- name: snapshot_foreign
-- Foreign data wrappers, servers and user mappings. Values of options that look secret are not read.
SELECT 'foreign data wrapper ' || quote_ident(f.fdwname),
       concat_ws(' ', 'handler', nullif(f.fdwhandler, 0)::regproc,
           'validator', nullif(f.fdwvalidator, 0)::regproc,
           (SELECT 'options ' || string_agg({option}, ', ' ORDER BY o COLLATE "C")
              FROM unnest(f.fdwoptions) o)),
       NULL, pg_get_userbyid(f.fdwowner), to_json(f.fdwacl::text[]),
       to_json(acldefault('F', f.fdwowner)::text[]),
       obj_description(f.oid, 'pg_foreign_data_wrapper')
  FROM pg_foreign_data_wrapper f
 WHERE f.oid NOT IN (SELECT objid FROM pg_depend
                      WHERE classid = 'pg_foreign_data_wrapper'::regclass AND deptype = 'e'
                        AND refclassid = 'pg_extension'::regclass)
UNION ALL
SELECT 'server ' || quote_ident(s.srvname),
       concat_ws(' ', 'of', quote_ident(f.fdwname), 'type ' || s.srvtype,
           'version ' || s.srvversion,
           (SELECT 'options ' || string_agg({option}, ', ' ORDER BY o COLLATE "C")
              FROM unnest(s.srvoptions) o)),
       'foreign data wrapper ' || quote_ident(f.fdwname), pg_get_userbyid(s.srvowner),
       to_json(s.srvacl::text[]), to_json(acldefault('S', s.srvowner)::text[]),
       obj_description(s.oid, 'pg_foreign_server')
  FROM pg_foreign_server s JOIN pg_foreign_data_wrapper f ON f.oid = s.srvfdw
 WHERE s.oid NOT IN (SELECT objid FROM pg_depend
                      WHERE classid = 'pg_foreign_server'::regclass AND deptype = 'e'
                        AND refclassid = 'pg_extension'::regclass)
UNION ALL
SELECT 'user mapping of ' || coalesce(quote_ident(m.usename), 'public') || ' on '
           || quote_ident(m.srvname),
       coalesce((SELECT 'options ' || string_agg(
                            CASE WHEN o ~* '^(user|username|password_required)='
                                 THEN o ELSE split_part(o, '=', 1) END, ', ' ORDER BY o COLLATE "C")
                   FROM unnest(m.umoptions) o), ''),
       'server ' || quote_ident(m.srvname), NULL, NULL, NULL, NULL
  FROM pg_user_mappings m

-- name: snapshot_option
-- An option of a foreign object; what looks secret is shown by its name alone.
CASE WHEN o ~* '^[^=]*(pass|secret|key|token|credential|private)' THEN split_part(o, '=', 1)
     ELSE regexp_replace(o, '://[^/@[:space:]]*@', '://***@') END

-- name: snapshot_default_privileges
-- Default privileges.
SELECT concat_ws(' ', 'default privileges of', quote_ident(pg_get_userbyid(d.defaclrole)),
           'in schema ' || quote_ident(n.nspname), 'on', d.defaclobjtype),
       '', 'schema ' || quote_ident(n.nspname), pg_get_userbyid(d.defaclrole),
       to_json(d.defaclacl::text[]), '[]'::json, NULL
  FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace

-- name: snapshot_column_privileges
-- Privileges on columns.
SELECT 'column ' || c.oid::regclass || '.' || quote_ident(a.attname), NULL, {relation},
       pg_get_userbyid(c.relowner), to_json(a.attacl::text[]), '[]'::json, NULL
  FROM {relations} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL
   AND a.attnum > 0 AND NOT a.attisdropped

-- name: snapshot_system_privileges
-- Privileges on the server's and extensions' objects where they are not what they were at first.
SELECT pg_describe_object(o.catalog, o.oid, o.part), NULL, NULL, pg_get_userbyid(o.owner),
       to_json(o.acl::text[]),
       to_json(coalesce(i.initprivs, acldefault(o.kind, o.owner))::text[]), NULL
  FROM (SELECT 'pg_class'::regclass AS catalog, oid, 0 AS part, relowner AS owner, relacl AS acl,
               CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char" AS kind, relnamespace AS place
          FROM pg_class WHERE relacl IS NOT NULL
        UNION ALL
        SELECT 'pg_class', a.attrelid, a.attnum, c.relowner, a.attacl, 'c', c.relnamespace
          FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE a.attacl IS NOT NULL
        UNION ALL
        SELECT 'pg_proc', oid, 0, proowner, proacl, 'f', pronamespace
          FROM pg_proc WHERE proacl IS NOT NULL
        UNION ALL
        SELECT 'pg_type', oid, 0, typowner, typacl, 'T', typnamespace
          FROM pg_type WHERE typacl IS NOT NULL
        UNION ALL
        SELECT 'pg_language', oid, 0, lanowner, lanacl, 'l', NULL
          FROM pg_language WHERE lanacl IS NOT NULL
        UNION ALL
        SELECT 'pg_namespace', oid, 0, nspowner, nspacl, 'n', oid
          FROM pg_namespace WHERE nspacl IS NOT NULL AND nspname !~ '^pg_t'
        UNION ALL
        SELECT 'pg_foreign_data_wrapper', oid, 0, fdwowner, fdwacl, 'F', NULL
          FROM pg_foreign_data_wrapper WHERE fdwacl IS NOT NULL
        UNION ALL
        SELECT 'pg_foreign_server', oid, 0, srvowner, srvacl, 'S', NULL
          FROM pg_foreign_server WHERE srvacl IS NOT NULL) AS o
  LEFT JOIN pg_init_privs i ON i.classoid = o.catalog AND i.objoid = o.oid AND i.objsubid = o.part
 WHERE o.acl IS DISTINCT FROM i.initprivs
   -- pg_dump writes none of information_schema's.
   AND (o.place = 'pg_catalog'::regnamespace
        OR o.place IS NULL AND o.oid < 16384
        OR EXISTS (SELECT FROM pg_depend e WHERE e.classid = o.catalog AND e.objid = o.oid
                                             AND e.deptype = 'e'))

-- name: snapshot_security_labels
-- Security labels of objects and of the database.
SELECT 'security label by ' || quote_ident(l.provider) || ' of '
           || pg_describe_object(l.classoid, l.objoid, l.objsubid), l.label,
       NULL, NULL, NULL, NULL, NULL
  FROM pg_seclabel l
UNION ALL
SELECT 'security label by ' || quote_ident(l.provider) || ' of the database', l.label,
       NULL, NULL, NULL, NULL, NULL
  FROM pg_shseclabel l JOIN pg_database b ON b.oid = l.objoid AND b.datname = current_database()
 WHERE l.classoid = 'pg_database'::regclass

-- name: snapshot_extension_dependencies
-- What is dropped with an extension although it is not part of it.
SELECT 'extension dependency of ' || pg_describe_object(d.classid, d.objid, 0),
       string_agg(quote_ident(e.extname), ', ' ORDER BY e.extname), NULL, NULL, NULL, NULL, NULL
  FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
 WHERE d.deptype = 'x' AND d.refclassid = 'pg_extension'::regclass
 GROUP BY d.classid, d.objid

-- name: snapshot_database
-- The database itself, without its name, encoding and locale, which no migration changes.
SELECT 'database', concat_ws(' ', 'connection limit ' || nullif(b.datconnlimit, -1),
           CASE WHEN b.datistemplate THEN 'template' END,
           CASE WHEN NOT b.datallowconn THEN 'no connections' END),
       NULL, pg_get_userbyid(b.datdba), to_json(b.datacl::text[]),
       to_json(acldefault('d', b.datdba)::text[]), shobj_description(b.oid, 'pg_database')
  FROM pg_database b WHERE b.datname = current_database()
UNION ALL
SELECT 'database settings' || coalesce(' of role ' || quote_ident(r.rolname), ''),
       (SELECT string_agg({option}, E'\n' ORDER BY o COLLATE "C") FROM unnest(s.setconfig) o),
       'database', NULL, NULL, NULL, NULL
  FROM pg_db_role_setting s JOIN pg_database b ON b.oid = s.setdatabase
   AND b.datname = current_database()
  LEFT JOIN pg_roles r ON r.oid = s.setrole

-- name: snapshot_catalogs
-- The catalogs that a stamp is made of, shared ones too. What statistics and large objects are in
-- changes without a change of the schema.
SELECT quote_ident(c.relname) FROM pg_class c
 WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r'
   AND c.relname NOT IN ('pg_statistic', 'pg_statistic_ext_data', 'pg_largeobject')
 ORDER BY c.relname

-- name: snapshot_stamp_of
-- One catalog's share of a stamp: each version of a row has its own place and transaction.
SELECT '{catalog}', count(*), bit_xor(hash_record_extended(row(t.ctid, t.xmin), 0))
  FROM pg_catalog.{catalog} t
