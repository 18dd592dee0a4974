-- name: add_conversation
-- Begin a conversation; the client may have named it.
INSERT INTO conversations (id, user_id, title, response_format, response_schema)
VALUES (
    coalesce(%(id)s, gen_random_uuid()),
    %(user_id)s, %(title)s, %(response_format)s, %(response_schema)s
)
RETURNING
    id, user_id, title, response_format, response_schema, active_summary_id,
    created_at, updated_at

-- name: conversation
-- One conversation of somebody's.
SELECT
    id, user_id, title, response_format, response_schema, active_summary_id,
    created_at, updated_at
FROM conversations
WHERE id = %(id)s AND user_id = %(user_id)s

-- name: lock_conversation
-- The same, and nobody else changes it or says something in it meanwhile.
SELECT
    id, user_id, title, response_format, response_schema, active_summary_id,
    created_at, updated_at
FROM conversations
WHERE id = %(id)s AND user_id = %(user_id)s
FOR NO KEY UPDATE

-- name: first_conversations
-- The newest conversations of somebody's.
SELECT
    id, user_id, title, response_format, response_schema, active_summary_id,
    created_at, updated_at
FROM conversations
WHERE user_id = %(user_id)s
ORDER BY updated_at DESC, id DESC
LIMIT %(limit)s

-- name: next_conversations
-- Those that come after one in that order.
SELECT
    id, user_id, title, response_format, response_schema, active_summary_id,
    created_at, updated_at
FROM conversations
WHERE user_id = %(user_id)s AND (updated_at, id) < (%(at)s, %(id)s)
ORDER BY updated_at DESC, id DESC
LIMIT %(limit)s

-- name: change_conversation
-- Rename it, or ask for other answers. It does not become newer by that.
UPDATE conversations
SET title = %(title)s,
    response_format = %(response_format)s,
    response_schema = %(response_schema)s
WHERE id = %(id)s
RETURNING
    id, user_id, title, response_format, response_schema, active_summary_id,
    created_at, updated_at

-- name: set_active_summary
-- Let a summary of its own, or none, stand for its beginning.
UPDATE conversations SET active_summary_id = %(summary_id)s WHERE id = %(id)s
RETURNING
    id, user_id, title, response_format, response_schema, active_summary_id,
    created_at, updated_at

-- name: delete_conversation
-- A conversation goes, its messages and summaries with it.
DELETE FROM conversations WHERE id = %(id)s AND user_id = %(user_id)s
