-- A conversation can ask the model for JSON or XML instead of prose, with the
-- schema that the answer has to follow.
--
-- The schema is text, not jsonb: it may be an XML Schema, and it goes to the
-- provider as it was written, order of keys included.
--
-- The default is a constant, so the server notes it once in its catalog and
-- writes no row. The check is NOT VALID, so it reads none either: no old row
-- can violate it, since all of them have the default, and every new or changed
-- one is checked. To have it marked as valid, at leisure and without blocking
-- anybody's reads or writes:
--
--     ALTER TABLE conversations VALIDATE CONSTRAINT conversations_response_format_check;

ALTER TABLE conversations
    ADD COLUMN response_format text NOT NULL DEFAULT 'text',
    ADD COLUMN response_schema text,
    ADD CONSTRAINT conversations_response_format_check
        CHECK (response_format IN ('text', 'json', 'xml')) NOT VALID;
