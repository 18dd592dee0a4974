BEGIN;
DELETE FROM notes WHERE text = 'kept';
COMMIT;
