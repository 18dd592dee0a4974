-- Back to prose only. The check goes with its column; which conversations had
-- asked for JSON or XML, and their schemas, is lost.

ALTER TABLE conversations
    DROP COLUMN response_schema,
    DROP COLUMN response_format;
