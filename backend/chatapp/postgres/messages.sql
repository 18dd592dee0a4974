-- name: add_message
-- Keep what was said; the client may have named it.
INSERT INTO messages (
    id, conversation_id, role, content, model, provider, temperature,
    prompt_tokens, completion_tokens, total_tokens, cost_usd,
    latency_ms, generation_time_ms, generation_id
)
VALUES (
    coalesce(%(id)s, gen_random_uuid()),
    %(conversation_id)s, %(role)s, %(content)s, %(model)s, %(provider)s, %(temperature)s,
    %(prompt_tokens)s, %(completion_tokens)s, %(total_tokens)s, %(cost_usd)s,
    %(latency_ms)s, %(generation_time_ms)s, %(generation_id)s
)
RETURNING
    id, conversation_id, role, content, created_at, model, provider, temperature,
    prompt_tokens, completion_tokens, total_tokens, cost_usd,
    latency_ms, generation_time_ms, generation_id

-- name: all_messages
-- A conversation from its beginning.
SELECT
    id, conversation_id, role, content, created_at, model, provider, temperature,
    prompt_tokens, completion_tokens, total_tokens, cost_usd,
    latency_ms, generation_time_ms, generation_id
FROM messages
WHERE conversation_id = %(conversation_id)s
ORDER BY created_at, id
LIMIT %(limit)s

-- name: messages_behind
-- What was said after one of its messages, and the instructions from before it.
SELECT
    id, conversation_id, role, content, created_at, model, provider, temperature,
    prompt_tokens, completion_tokens, total_tokens, cost_usd,
    latency_ms, generation_time_ms, generation_id
FROM messages
WHERE conversation_id = %(conversation_id)s
    AND (
        role = 'system'
        OR (created_at, id) > (SELECT m.created_at, m.id FROM messages AS m WHERE m.id = %(id)s)
    )
ORDER BY created_at, id
LIMIT %(limit)s

-- name: first_messages
-- The oldest messages of a conversation.
SELECT
    id, conversation_id, role, content, created_at, model, provider, temperature,
    prompt_tokens, completion_tokens, total_tokens, cost_usd,
    latency_ms, generation_time_ms, generation_id
FROM messages
WHERE conversation_id = %(conversation_id)s
ORDER BY created_at, id
LIMIT %(limit)s

-- name: next_messages
-- Those that come after one in that order.
SELECT
    id, conversation_id, role, content, created_at, model, provider, temperature,
    prompt_tokens, completion_tokens, total_tokens, cost_usd,
    latency_ms, generation_time_ms, generation_id
FROM messages
WHERE conversation_id = %(conversation_id)s AND (created_at, id) > (%(at)s, %(id)s)
ORDER BY created_at, id
LIMIT %(limit)s

-- name: question_asked
-- Whether there is a question in the conversation: then its answers have a form.
SELECT EXISTS (
    SELECT FROM messages WHERE conversation_id = %(conversation_id)s AND role = 'user'
) AS holds

-- name: is_message
-- Whether there is a message of that id, in any conversation.
SELECT EXISTS (SELECT FROM messages WHERE id = %(id)s) AS holds

-- name: delete_message
-- A message goes; a summary that ends with it stays.
DELETE FROM messages WHERE id = %(id)s AND conversation_id = %(conversation_id)s

-- name: sum_usage
-- What somebody's answers came to, per day (UTC), model and provider.
SELECT
    (m.created_at AT TIME ZONE 'UTC')::date AS day,
    m.model,
    coalesce(m.provider, '') AS provider,
    count(*) AS answers,
    coalesce(sum(m.prompt_tokens), 0) AS prompt_tokens,
    coalesce(sum(m.completion_tokens), 0) AS completion_tokens,
    coalesce(sum(m.total_tokens), 0) AS total_tokens,
    coalesce(sum(m.cost_usd), 0) AS cost_usd,
    round(avg(m.latency_ms))::integer AS average_latency_ms,
    round(avg(m.generation_time_ms))::integer AS average_generation_time_ms
FROM messages AS m
JOIN conversations AS c ON c.id = m.conversation_id
WHERE c.user_id = %(user_id)s
    AND m.model IS NOT NULL
    AND m.created_at >= %(since)s::date::timestamp AT TIME ZONE 'UTC'
    AND m.created_at < (%(until)s::date + 1)::timestamp AT TIME ZONE 'UTC'
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
