-- name: add_summary
-- Keep a summary of a conversation's beginning.
INSERT INTO conversation_summaries (conversation_id, summary, last_message_id)
VALUES (%(conversation_id)s, %(summary)s, %(last_message_id)s)
RETURNING id, conversation_id, summary, last_message_id, usage_count, created_at

-- name: summary
-- One summary of a conversation.
SELECT id, conversation_id, summary, last_message_id, usage_count, created_at
FROM conversation_summaries
WHERE conversation_id = %(conversation_id)s AND id = %(id)s

-- name: list_summaries
-- The summaries of a conversation, newest first.
SELECT id, conversation_id, summary, last_message_id, usage_count, created_at
FROM conversation_summaries
WHERE conversation_id = %(conversation_id)s
ORDER BY created_at DESC, id DESC
LIMIT %(limit)s

-- name: delete_summary
-- A summary goes; refused while it is the active one.
DELETE FROM conversation_summaries
WHERE conversation_id = %(conversation_id)s AND id = %(id)s
