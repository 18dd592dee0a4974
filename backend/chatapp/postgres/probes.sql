-- name: read_only
-- Whether this server takes no writes.
SELECT current_setting('transaction_read_only') = 'on' AS holds
