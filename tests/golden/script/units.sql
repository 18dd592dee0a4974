-- rung: note
SET lock_timeout = '1s';
CREATE INDEX CONCURRENTLY i
    ON users (name);
START TRANSACTION;
UPDATE users SET name = '';
COMMIT AND CHAIN;
DELETE FROM users;
ROLLBACK;
REINDEX (CONCURRENTLY off) TABLE users;
VACUUM users;
