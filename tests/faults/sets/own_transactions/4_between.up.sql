CREATE TABLE notes (text text);
BEGIN;
INSERT INTO notes VALUES ('in a transaction');
COMMIT;
INSERT INTO notes VALUES ('between two');
BEGIN;
ALTER TABLE notes ADD COLUMN written timestamptz NOT NULL DEFAULT now();
INSERT INTO notes VALUES ('in another');
COMMIT;
