-- rung: no-transaction
CREATE TABLE t (a int);
CALL fill_in_batches();
BEGIN; SELECT 1; END;
