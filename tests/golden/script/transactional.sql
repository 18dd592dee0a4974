-- Licence text.
/* A header /* with a comment inside; */ that ends here. */

CREATE TABLE users (
    id uuid PRIMARY KEY,
    name text NOT NULL DEFAULT 'it''s; fine'
);
COMMENT ON TABLE users IS E'a\'b;';

CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    NEW.name := $$;$$;
    RETURN NEW;
END;
$body$;;

CREATE FUNCTION one() RETURNS int
BEGIN ATOMIC
    SELECT CASE WHEN true THEN 1 END;
    SELECT 1 AS end;
END;

CREATE RULE r AS ON INSERT TO users DO ALSO (SELECT 1; SELECT 2);
SET LOCAL lock_timeout = '1s';
SELECT set_config('search_path', '', false)
