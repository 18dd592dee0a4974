-- rung: no-transaction
UPDATE rooms SET members = 0;
DROP TABLE members;
DELETE FROM witnesses WHERE said IN ('first', 'last');
