-- SQLite's own recipe to rebuild a table.
PRAGMA foreign_keys=OFF;
BEGIN IMMEDIATE;
CREATE TABLE [new;users] (id INTEGER PRIMARY KEY, `name` TEXT NOT NULL DEFAULT 'it''s; so');
INSERT INTO [new;users] SELECT id, "name" FROM users /* open ; */ WHERE x <> x'3b';
DROP TABLE users;
ALTER TABLE [new;users] RENAME TO users;
CREATE TEMP TRIGGER noted AFTER INSERT ON users WHEN new.id > 1_000 BEGIN
    SELECT CASE new.id WHEN 1 THEN ';' ELSE raise(ABORT, 'no') END;
    INSERT INTO log VALUES (new.id->>'$.a'); -- END;
END;
SAVEPOINT a;
ROLLBACK TRANSACTION TO SAVEPOINT a;
COMMIT TRANSACTION;
PRAGMA foreign_keys(ON)
-- rung: allow-out-of-order
