-- name: add_user
-- Register somebody.
INSERT INTO users (username, email, password_hash)
VALUES (%(username)s, %(email)s, %(password_hash)s)
RETURNING id, username, email, password_hash, created_at

-- name: user_by_id
-- Who a token speaks of.
SELECT id, username, email, password_hash, created_at
FROM users
WHERE id = %(id)s

-- name: user_by_name
-- Who logs in; no user name has an @ in it, so the two cannot be confused.
SELECT id, username, email, password_hash, created_at
FROM users
WHERE username = %(name)s OR email = %(name)s

-- name: set_password_hash
-- Keep another hash, of the same password or of a new one, where it has not changed meanwhile.
UPDATE users SET password_hash = %(password_hash)s
WHERE id = %(id)s AND password_hash = %(was)s
RETURNING id, username, email, password_hash, created_at

-- name: delete_user
-- Somebody goes, and all that is theirs with them.
DELETE FROM users WHERE id = %(id)s
