BEGIN;
UPDATE accounts SET balance = balance - 1;
DROP INDEX entries_account;
COMMIT;
BEGIN;
DROP TABLE entries;
COMMIT;
