BEGIN;
DELETE FROM entries WHERE account = 21;
DELETE FROM accounts WHERE id = 21;
COMMIT;
