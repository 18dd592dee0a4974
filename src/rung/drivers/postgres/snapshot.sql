-- The schema as pairs of identity and text. Each statement is to be run with search_path =
-- pg_catalog, pg_temp: names of others come qualified then, and no name of ours is another's.

-- name: snapshot_scope
-- What every part begins with: what is not told (our own tables, what an extension owns, what a
-- range type brings with it), and the schemas and relations that are.
WITH ours AS (
    SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE (n.nspname, c.relname) IN (({ledger_schema}, {ledger}), ({history_schema}, {history}),
                                      ({ledger_schema}, {lease}))
),
theirs AS (
    SELECT classid, objid FROM pg_depend
     WHERE deptype = 'e'
        OR deptype = 'i' AND classid IN ('pg_proc'::regclass, 'pg_cast'::regclass)
),
space AS (
    SELECT n.oid, n.nspname FROM pg_namespace n
     WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
),
rel AS (
    SELECT c.* FROM pg_class c
     WHERE c.relnamespace IN (SELECT oid FROM space)
       AND c.oid NOT IN (SELECT oid FROM ours)
       AND NOT EXISTS (SELECT FROM theirs t
                        WHERE t.classid = 'pg_class'::regclass AND t.objid = c.oid)
       AND NOT EXISTS (SELECT FROM pg_depend d JOIN ours ON ours.oid = d.refobjid
                        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                          AND d.deptype IN ('a', 'i') AND d.refclassid = 'pg_class'::regclass)
)

-- name: snapshot_tables
-- Schemas, tables and their kind, columns, constraints, indexes, sequences.
{scope}
SELECT 'schema ' || quote_ident(n.nspname), ''
  FROM pg_namespace n JOIN space USING (oid)
 WHERE NOT EXISTS (SELECT FROM theirs t
                    WHERE t.classid = 'pg_namespace'::regclass AND t.objid = n.oid)
UNION ALL
SELECT CASE c.relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view '
                      WHEN 'f' THEN 'foreign table ' ELSE 'table ' END || c.oid::regclass,
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
           (SELECT 'options ' || string_agg(o, ', ' ORDER BY o COLLATE "C")
              FROM (SELECT unnest(c.reloptions) UNION ALL
                    SELECT 'toast.' || unnest(t.reloptions)
                      FROM pg_class t WHERE t.oid = c.reltoastrelid) options (o)),
           (SELECT 'access method ' || m.amname FROM pg_am m
             WHERE m.oid = c.relam AND m.amname <> 'heap'),
           (SELECT 'tablespace ' || quote_ident(s.spcname) FROM pg_tablespace s
             WHERE s.oid = c.reltablespace),
           CASE WHEN c.relrowsecurity THEN 'row security' END,
           CASE WHEN c.relforcerowsecurity THEN 'row security for the owner too' END,
           CASE WHEN c.relreplident <> 'd' AND c.relkind IN ('r', 'p')
                THEN 'replica identity ' || c.relreplident::text END,
           CASE WHEN c.relkind = 'm' AND NOT c.relispopulated THEN 'not populated' END,
           (SELECT 'server ' || quote_ident(s.srvname) || coalesce(
                       ' options ' || array_to_string(f.ftoptions, ', '), '')
              FROM pg_foreign_table f JOIN pg_foreign_server s ON s.oid = f.ftserver
             WHERE f.ftrelid = c.oid),
           CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END)
  FROM rel c WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
UNION ALL
SELECT 'column ' || c.oid::regclass || '.' || quote_ident(a.attname),
       concat_ws(' ',
           format_type(a.atttypid, a.atttypmod),
           CASE WHEN a.attcollation <> t.typcollation
                THEN 'collate ' || a.attcollation::regcollation END,
           CASE WHEN a.attnotnull THEN 'not null' END,
           CASE a.attidentity WHEN 'a' THEN 'identity always' WHEN 'd' THEN 'identity' END,
           CASE a.attgenerated WHEN 's' THEN 'generated stored' WHEN 'v' THEN 'generated virtual'
                ELSE CASE WHEN d.oid IS NOT NULL THEN 'default' END END,
           pg_get_expr(d.adbin, d.adrelid),
           CASE WHEN a.attstorage <> t.typstorage AND c.relkind IN ('r', 'p', 'm', 'f')
                THEN 'storage ' || a.attstorage::text END,
           CASE WHEN a.attcompression <> '' THEN 'compression ' || a.attcompression::text END,
           CASE WHEN a.attstattarget >= 0 THEN 'statistics ' || a.attstattarget END,
           (SELECT 'options ' || string_agg(o, ', ' ORDER BY o COLLATE "C")
              FROM unnest(a.attoptions || a.attfdwoptions) o),
           CASE WHEN a.attinhcount > 0 AND NOT c.relispartition THEN 'inherited' END,
           CASE WHEN a.attinhcount > 0 AND a.attislocal THEN 'and its own' END)
  FROM pg_attribute a JOIN rel c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'constraint ' || quote_ident(k.conname) || ' on ' || c.oid::regclass,
       concat_ws(' ', pg_get_constraintdef(k.oid),
           CASE WHEN k.coninhcount > 0 THEN 'inherited' END,
           CASE WHEN k.coninhcount > 0 AND k.conislocal THEN 'and its own' END)
  FROM pg_constraint k JOIN rel c ON c.oid = k.conrelid
 WHERE k.contype NOT IN ('n', 't')
UNION ALL
SELECT 'index ' || i.indexrelid::regclass,
       concat_ws(E'\n', pg_get_indexdef(i.indexrelid),
           CASE WHEN NOT (i.indisvalid AND i.indislive) THEN 'invalid' END,
           CASE WHEN i.indisclustered THEN 'clustered' END,
           CASE WHEN i.indisreplident THEN 'replica identity' END,
           (SELECT 'of ' || p.inhparent::regclass FROM pg_inherits p
             WHERE p.inhrelid = i.indexrelid),
           (SELECT 'tablespace ' || quote_ident(s.spcname) FROM pg_tablespace s
             WHERE s.oid = x.reltablespace),
           (SELECT 'statistics ' || string_agg(a.attnum || '=' || a.attstattarget, ', '
                       ORDER BY a.attnum)
              FROM pg_attribute a WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0))
  FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN rel c ON c.oid = i.indrelid
UNION ALL
SELECT 'sequence ' || c.oid::regclass,
       concat_ws(' ', format_type(s.seqtypid, NULL), 'start', s.seqstart, 'by', s.seqincrement,
           'from', s.seqmin, 'to', s.seqmax, 'cache', s.seqcache,
           CASE WHEN s.seqcycle THEN 'cycle' END,
           CASE c.relpersistence WHEN 'u' THEN 'unlogged' END,
           (SELECT 'owned by ' || d.refobjid::regclass || '.' || quote_ident(a.attname)
              FROM pg_depend d
              JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
             WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
               AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')))
  FROM rel c JOIN pg_sequence s ON s.seqrelid = c.oid
UNION ALL
SELECT 'rule ' || quote_ident(r.rulename) || ' on ' || c.oid::regclass,
       concat_ws(E'\n', pg_get_ruledef(r.oid),
           CASE WHEN r.ev_enabled <> 'O' THEN 'enabled ' || r.ev_enabled::text END)
  FROM pg_rewrite r JOIN rel c ON c.oid = r.ev_class WHERE r.rulename <> '_RETURN'
UNION ALL
SELECT 'trigger ' || quote_ident(g.tgname) || ' on ' || c.oid::regclass,
       concat_ws(E'\n', pg_get_triggerdef(g.oid),
           CASE WHEN g.tgenabled <> 'O' THEN 'enabled ' || g.tgenabled::text END)
  FROM pg_trigger g JOIN rel c ON c.oid = g.tgrelid WHERE NOT g.tgisinternal
UNION ALL
SELECT 'policy ' || quote_ident(p.polname) || ' on ' || c.oid::regclass,
       concat_ws(E'\n', CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
           'for ' || p.polcmd::text,
           (SELECT 'to ' || string_agg(CASE WHEN o = 0 THEN 'public'
                       ELSE quote_ident(pg_get_userbyid(o)) END, ', ' ORDER BY pg_get_userbyid(o))
              FROM unnest(p.polroles) o),
           'using ' || pg_get_expr(p.polqual, p.polrelid),
           'check ' || pg_get_expr(p.polwithcheck, p.polrelid))
  FROM pg_policy p JOIN rel c ON c.oid = p.polrelid
UNION ALL
SELECT 'statistics ' || quote_ident(n.nspname) || '.' || quote_ident(s.stxname),
       concat_ws(E'\n', pg_get_statisticsobjdef(s.oid),
           CASE WHEN s.stxstattarget >= 0 THEN 'statistics ' || s.stxstattarget END)
  FROM pg_statistic_ext s JOIN space n ON n.oid = s.stxnamespace

-- name: snapshot_code
-- Functions, types, operators, casts, text search and what else schemas hold.
{scope}
SELECT CASE p.prokind WHEN 'p' THEN 'procedure ' WHEN 'a' THEN 'aggregate '
                      ELSE 'function ' END || p.oid::regprocedure,
       CASE WHEN p.prokind <> 'a' THEN rtrim(pg_get_functiondef(p.oid), E'\n')
            ELSE (SELECT concat_ws(' ', 'returns', pg_get_function_result(p.oid),
                      'by', g.aggtransfn::regprocedure, 'state', format_type(g.aggtranstype, NULL),
                      'final', g.aggfinalfn, 'combine', g.aggcombinefn,
                      'serial', g.aggserialfn, 'deserial', g.aggdeserialfn,
                      'moving', g.aggmtransfn, g.aggminvtransfn, g.aggmfinalfn,
                      'kind', g.aggkind, 'parallel', p.proparallel,
                      'begins ' || g.agginitval, 'moves from ' || g.aggminitval)
                    FROM pg_aggregate g WHERE g.aggfnoid = p.oid) END
  FROM pg_proc p JOIN space n ON n.oid = p.pronamespace
 WHERE NOT EXISTS (SELECT FROM theirs t
                    WHERE t.classid = 'pg_proc'::regclass AND t.objid = p.oid)
UNION ALL
SELECT CASE t.typtype WHEN 'e' THEN 'enum ' WHEN 'd' THEN 'domain ' WHEN 'r' THEN 'range '
                      WHEN 'c' THEN 'composite type ' ELSE 'type ' END || format_type(t.oid, NULL),
       concat_ws(E'\n',
           (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
              FROM pg_enum e WHERE e.enumtypid = t.oid),
           (SELECT string_agg(concat_ws(' ', quote_ident(a.attname),
                       format_type(a.atttypid, a.atttypmod),
                       CASE WHEN a.attcollation <> b.typcollation
                            THEN 'collate ' || a.attcollation::regcollation END),
                   ', ' ORDER BY a.attnum)
              FROM pg_attribute a JOIN pg_type b ON b.oid = a.atttypid
             WHERE t.typtype = 'c' AND a.attrelid = t.typrelid
               AND a.attnum > 0 AND NOT a.attisdropped),
           CASE WHEN t.typtype = 'd' THEN concat_ws(' ',
               format_type(t.typbasetype, t.typtypmod),
               (SELECT 'collate ' || t.typcollation::regcollation FROM pg_type b
                 WHERE b.oid = t.typbasetype AND b.typcollation <> t.typcollation),
               CASE WHEN t.typnotnull THEN 'not null' END, 'default ' || t.typdefault) END,
           (SELECT concat_ws(' ', 'of', format_type(r.rngsubtype, NULL), 'by', o.opcname,
                       CASE WHEN r.rngcollation <> 0
                            THEN 'collate ' || r.rngcollation::regcollation END,
                       'canonical', r.rngcanonical, 'difference', r.rngsubdiff)
              FROM pg_range r JOIN pg_opclass o ON o.oid = r.rngsubopc WHERE r.rngtypid = t.oid),
           CASE WHEN t.typtype = 'b' THEN concat_ws(' ', 'in', t.typinput, 'out', t.typoutput,
               'length', t.typlen, 'align', t.typalign, 'storage', t.typstorage,
               'category', t.typcategory) END)
  FROM pg_type t JOIN space n ON n.oid = t.typnamespace
 WHERE NOT EXISTS (SELECT FROM theirs x WHERE x.classid = 'pg_type'::regclass AND x.objid = t.oid)
   AND (t.typtype IN ('e', 'd', 'r')
        OR t.typtype = 'c' AND EXISTS (SELECT FROM rel c WHERE c.oid = t.typrelid
                                                          AND c.relkind = 'c')
        OR t.typtype = 'b' AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid))
UNION ALL
SELECT 'constraint ' || quote_ident(k.conname) || ' on domain ' || format_type(k.contypid, NULL),
       pg_get_constraintdef(k.oid)
  FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid JOIN space n ON n.oid = t.typnamespace
 WHERE k.contype = 'c' AND NOT EXISTS (
           SELECT FROM theirs x WHERE x.classid = 'pg_type'::regclass AND x.objid = t.oid)
UNION ALL
SELECT 'operator ' || o.oid::regoperator,
       concat_ws(' ', 'returns', format_type(o.oprresult, NULL), 'by', o.oprcode,
           'commutator', o.oprcom::regoperator, 'negator', o.oprnegate::regoperator,
           'restrict', o.oprrest, 'join', o.oprjoin,
           CASE WHEN o.oprcanmerge THEN 'merges' END, CASE WHEN o.oprcanhash THEN 'hashes' END)
  FROM pg_operator o JOIN space n ON n.oid = o.oprnamespace
 WHERE NOT EXISTS (SELECT FROM theirs t
                    WHERE t.classid = 'pg_operator'::regclass AND t.objid = o.oid)
UNION ALL
SELECT named.type || ' ' || named.identity, other.said
  FROM (SELECT oid, opfnamespace AS place, 'pg_opfamily'::regclass AS catalog,
               (SELECT concat_ws(E'\n',
                   (SELECT string_agg(m.amopstrategy || ' ' || m.amopopr::regoperator, E'\n'
                               ORDER BY m.amopstrategy, m.amopopr::regoperator::text COLLATE "C")
                      FROM pg_amop m WHERE m.amopfamily = f.oid),
                   (SELECT string_agg(m.amprocnum || ' ' || m.amproc::regprocedure, E'\n'
                               ORDER BY m.amprocnum, m.amproc::regprocedure::text COLLATE "C")
                      FROM pg_amproc m WHERE m.amprocfamily = f.oid))) AS said
          FROM pg_opfamily f
        UNION ALL
        SELECT oid, opcnamespace, 'pg_opclass',
               concat_ws(' ', 'for', format_type(opcintype, NULL),
                   CASE WHEN opcdefault THEN 'default' END,
                   CASE WHEN opckeytype <> 0 THEN 'keeps ' || format_type(opckeytype, NULL) END)
          FROM pg_opclass
        UNION ALL
        SELECT oid, connamespace, 'pg_conversion',
               concat_ws(' ', 'from', pg_encoding_to_char(conforencoding), 'to',
                   pg_encoding_to_char(contoencoding), 'by', conproc,
                   CASE WHEN condefault THEN 'default' END) FROM pg_conversion
        UNION ALL
        SELECT oid, collnamespace, 'pg_collation',
               concat_ws(' ', 'provider', collprovider, collcollate, collctype,
                   coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale'),
                   to_jsonb(c) ->> 'collicurules',
                   CASE WHEN NOT collisdeterministic THEN 'not deterministic' END)
          FROM pg_collation c
        UNION ALL
        SELECT oid, cfgnamespace, 'pg_ts_config',
               concat_ws(E'\n', 'parser ' || (SELECT prsname FROM pg_ts_parser p
                                               WHERE p.oid = cfgparser),
                   (SELECT string_agg(m.maptokentype || ' ' || m.mapdict::regdictionary, E'\n'
                               ORDER BY m.maptokentype, m.mapseqno)
                      FROM pg_ts_config_map m WHERE m.mapcfg = c.oid)) FROM pg_ts_config c
        UNION ALL
        SELECT oid, dictnamespace, 'pg_ts_dict',
               concat_ws(' ', (SELECT tmplname FROM pg_ts_template t WHERE t.oid = dicttemplate),
                   dictinitoption) FROM pg_ts_dict
        UNION ALL
        SELECT oid, prsnamespace, 'pg_ts_parser',
               concat_ws(' ', prsstart, prstoken, prsend, prsheadline, prslextype)
          FROM pg_ts_parser
        UNION ALL
        SELECT oid, tmplnamespace, 'pg_ts_template', concat_ws(' ', tmplinit, tmpllexize)
          FROM pg_ts_template) AS other
  JOIN space n ON n.oid = other.place,
       pg_identify_object(other.catalog, other.oid, 0) AS named
 WHERE NOT EXISTS (SELECT FROM theirs t
                    WHERE t.classid = other.catalog AND t.objid = other.oid)
UNION ALL
SELECT 'cast ' || format_type(k.castsource, NULL) || ' as ' || format_type(k.casttarget, NULL),
       concat_ws(' ', 'by', k.castmethod,
           CASE WHEN k.castfunc <> 0 THEN k.castfunc::regprocedure END, 'context', k.castcontext)
  FROM pg_cast k
 WHERE k.oid >= 16384 AND NOT EXISTS (
           SELECT FROM theirs t WHERE t.classid = 'pg_cast'::regclass AND t.objid = k.oid)

-- name: snapshot_about
-- What belongs to no schema, and what is said of objects: owners, rights, comments.
{scope},
owned AS (
    SELECT CASE c.relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view '
                          WHEN 'f' THEN 'foreign table ' WHEN 'S' THEN 'sequence '
                          WHEN 'c' THEN 'composite type ' ELSE 'table ' END
               || c.oid::regclass AS identity,
           c.relowner AS owner, c.relacl AS acl,
           CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char" AS kind
      FROM rel c WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'c')
    UNION ALL
    SELECT 'schema ' || quote_ident(n.nspname), n.nspowner, n.nspacl, 'n'
      FROM pg_namespace n JOIN space USING (oid)
     WHERE NOT EXISTS (SELECT FROM theirs t
                        WHERE t.classid = 'pg_namespace'::regclass AND t.objid = n.oid)
    UNION ALL
    SELECT CASE p.prokind WHEN 'p' THEN 'procedure ' WHEN 'a' THEN 'aggregate '
                          ELSE 'function ' END || p.oid::regprocedure, p.proowner, p.proacl, 'f'
      FROM pg_proc p JOIN space n ON n.oid = p.pronamespace
     WHERE NOT EXISTS (SELECT FROM theirs t
                        WHERE t.classid = 'pg_proc'::regclass AND t.objid = p.oid)
    UNION ALL
    SELECT CASE t.typtype WHEN 'e' THEN 'enum ' WHEN 'd' THEN 'domain ' WHEN 'r' THEN 'range '
                          ELSE 'type ' END || format_type(t.oid, NULL), t.typowner, t.typacl, 'T'
      FROM pg_type t JOIN space n ON n.oid = t.typnamespace
     WHERE t.typtype IN ('e', 'd', 'r') AND NOT EXISTS (
               SELECT FROM theirs x WHERE x.classid = 'pg_type'::regclass AND x.objid = t.oid)
    UNION ALL
    SELECT 'language ' || quote_ident(l.lanname), l.lanowner, l.lanacl, 'l'
      FROM pg_language l WHERE NOT EXISTS (
               SELECT FROM theirs t WHERE t.classid = 'pg_language'::regclass AND t.objid = l.oid)
    UNION ALL
    SELECT 'foreign data wrapper ' || quote_ident(f.fdwname), f.fdwowner, f.fdwacl, 'F'
      FROM pg_foreign_data_wrapper f
    UNION ALL
    SELECT 'server ' || quote_ident(s.srvname), s.srvowner, s.srvacl, 'S'
      FROM pg_foreign_server s
),
rights AS (
    SELECT 'privileges on ' || identity AS identity, owner, acl, acldefault(kind, owner) AS usual
      FROM owned WHERE acl IS NOT NULL
    UNION ALL
    SELECT 'privileges on column ' || c.oid::regclass || '.' || quote_ident(a.attname),
           c.relowner, a.attacl, NULL
      FROM pg_attribute a JOIN rel c ON c.oid = a.attrelid
     WHERE a.attacl IS NOT NULL AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT concat_ws(' ', 'default privileges of', quote_ident(pg_get_userbyid(d.defaclrole)),
               'in schema ' || (SELECT quote_ident(n.nspname) FROM pg_namespace n
                                 WHERE n.oid = d.defaclnamespace), 'on', d.defaclobjtype),
           d.defaclrole, d.defaclacl, NULL
      FROM pg_default_acl d
),
held AS (
    SELECT r.identity, of.which,
           concat_ws(' ', CASE WHEN a.grantee = r.owner THEN 'owner' WHEN a.grantee = 0 THEN 'public'
                               ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
               string_agg(a.privilege_type
                   || CASE WHEN a.is_grantable THEN ' with grant option' ELSE '' END,
                   ', ' ORDER BY a.privilege_type)) AS line
      FROM rights r, (VALUES ('acl'), ('usual')) AS of (which),
           aclexplode(CASE of.which WHEN 'acl' THEN r.acl ELSE r.usual END) a
     GROUP BY r.identity, r.owner, of.which, a.grantee
),
shown AS (
    SELECT identity, string_agg(CASE which WHEN 'acl' THEN line ELSE 'not ' || line END, E'\n'
                         ORDER BY which, line COLLATE "C") AS said
      FROM held h
     WHERE NOT EXISTS (SELECT FROM held o WHERE o.identity = h.identity AND o.line = h.line
                                            AND o.which <> h.which)
     GROUP BY identity
),
said AS (
    SELECT classoid, objoid, objsubid, 'comment on ' AS what, description AS words
      FROM pg_description
    UNION ALL
    SELECT classoid, objoid, objsubid, 'security label by ' || quote_ident(provider) || ' of ',
           label FROM pg_seclabel
)
SELECT 'owner of ' || identity, quote_ident(pg_get_userbyid(owner)) FROM owned
 WHERE identity NOT LIKE 'language %'
UNION ALL
SELECT identity, said FROM shown
UNION ALL
SELECT s.what || pg_describe_object(s.classoid, s.objoid, s.objsubid), s.words
  FROM said s
 WHERE (s.objoid >= 16384 OR s.classoid = 'pg_namespace'::regclass
                             AND s.objoid IN (SELECT oid FROM space))
   AND s.words <> 'standard public schema'
   AND NOT EXISTS (SELECT FROM theirs t WHERE t.classid = s.classoid AND t.objid = s.objoid)
   AND NOT (s.classoid = 'pg_class'::regclass AND s.objoid IN (SELECT oid FROM ours))
UNION ALL
SELECT 'extension ' || quote_ident(e.extname),
       concat_ws(' ', 'version', e.extversion, 'in', quote_ident(n.nspname))
  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
UNION ALL
SELECT 'language ' || quote_ident(l.lanname),
       concat_ws(' ', 'by', l.lanplcallfoid::regproc, CASE WHEN l.lanpltrusted THEN 'trusted' END)
  FROM pg_language l
 WHERE l.lanispl AND NOT EXISTS (
           SELECT FROM theirs t WHERE t.classid = 'pg_language'::regclass AND t.objid = l.oid)
UNION ALL
SELECT 'event trigger ' || quote_ident(g.evtname),
       concat_ws(' ', 'on', g.evtevent, 'runs', g.evtfoid::regprocedure,
           CASE WHEN g.evtenabled <> 'O' THEN 'enabled ' || g.evtenabled::text END,
           'where ' || array_to_string(g.evttags, ', '))
  FROM pg_event_trigger g
 WHERE NOT EXISTS (SELECT FROM theirs t
                    WHERE t.classid = 'pg_event_trigger'::regclass AND t.objid = g.oid)
UNION ALL
SELECT 'publication ' || quote_ident(p.pubname),
       concat_ws(E'\n', (to_jsonb(p) - 'oid' - 'pubname' - 'pubowner')::text,
           (SELECT string_agg(concat_ws(' ', format('%I.%I', t.schemaname, t.tablename),
                       'columns ' || (to_jsonb(t) ->> 'attnames'),
                       'where ' || (to_jsonb(t) ->> 'rowfilter')), E'\n'
                       ORDER BY t.schemaname, t.tablename)
              FROM pg_publication_tables t
             WHERE t.pubname = p.pubname AND NOT p.puballtables))
  FROM pg_publication p
UNION ALL
SELECT 'foreign data wrapper ' || quote_ident(f.fdwname),
       concat_ws(' ', 'handler', f.fdwhandler::regproc, 'validator', f.fdwvalidator::regproc,
           (SELECT 'options ' || string_agg(split_part(o, '=', 1), ', ' ORDER BY o COLLATE "C")
              FROM unnest(f.fdwoptions) o))
  FROM pg_foreign_data_wrapper f
 WHERE NOT EXISTS (SELECT FROM theirs t WHERE t.classid = 'pg_foreign_data_wrapper'::regclass
                                         AND t.objid = f.oid)
UNION ALL
SELECT 'server ' || quote_ident(s.srvname),
       concat_ws(' ', 'of', (SELECT quote_ident(f.fdwname) FROM pg_foreign_data_wrapper f
                              WHERE f.oid = s.srvfdw),
           'type ' || s.srvtype, 'version ' || s.srvversion,
           (SELECT 'options ' || string_agg(CASE WHEN o ~* '^[^=]*(pass|secret|key|token)'
                       THEN split_part(o, '=', 1) || '=***' ELSE o END, ', ' ORDER BY o COLLATE "C")
              FROM unnest(s.srvoptions) o))
  FROM pg_foreign_server s
UNION ALL
SELECT 'user mapping of ' || coalesce(quote_ident(m.usename), 'public') || ' on '
           || quote_ident(m.srvname),
       coalesce((SELECT 'options ' || string_agg(split_part(o, '=', 1), ', '
                            ORDER BY o COLLATE "C") FROM unnest(m.umoptions) o), '')
  FROM pg_user_mappings m
