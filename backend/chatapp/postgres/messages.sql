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

-- name: add_question
-- Keep what somebody asks, at once; no row where the id is taken.
WITH asked AS (
    INSERT INTO messages (id, conversation_id, role, content)
    VALUES (%(id)s, %(conversation_id)s, 'user', %(content)s)
    ON CONFLICT (id) DO NOTHING
    RETURNING
        id, conversation_id, role, content, created_at, model, provider, temperature,
        prompt_tokens, completion_tokens, total_tokens, cost_usd,
        latency_ms, generation_time_ms, generation_id
), touched AS (
    UPDATE conversations SET updated_at = asked.created_at
    FROM asked
    WHERE conversations.id = asked.conversation_id
)
SELECT
    id, conversation_id, role, content, created_at, model, provider, temperature,
    prompt_tokens, completion_tokens, total_tokens, cost_usd,
    latency_ms, generation_time_ms, generation_id
FROM asked

-- name: add_answer
-- Keep an answer; no row where its question is gone, or has an answer. It is counted for the
-- summary that it was sent with.
WITH answered AS (
    INSERT INTO messages (
        id, conversation_id, role, content, model, provider, temperature,
        prompt_tokens, completion_tokens, total_tokens, cost_usd,
        latency_ms, generation_time_ms, generation_id
    )
    SELECT
        %(id)s, q.conversation_id, 'assistant', %(content)s, %(model)s, %(provider)s,
        %(temperature)s::numeric,
        %(prompt_tokens)s::integer, %(completion_tokens)s::integer, %(total_tokens)s::integer,
        %(cost_usd)s::numeric,
        %(latency_ms)s::integer, %(generation_time_ms)s::integer, %(generation_id)s
    FROM messages AS q
    WHERE q.id = %(question_id)s AND q.conversation_id = %(conversation_id)s
    ON CONFLICT (id) DO NOTHING
    RETURNING
        id, conversation_id, role, content, created_at, model, provider, temperature,
        prompt_tokens, completion_tokens, total_tokens, cost_usd,
        latency_ms, generation_time_ms, generation_id
), touched AS (
    UPDATE conversations SET updated_at = answered.created_at
    FROM answered
    WHERE conversations.id = answered.conversation_id
), used AS (
    UPDATE conversation_summaries SET usage_count = usage_count + 1
    FROM answered
    WHERE conversation_summaries.conversation_id = answered.conversation_id
        AND conversation_summaries.id = %(summary_id)s
)
SELECT
    id, conversation_id, role, content, created_at, model, provider, temperature,
    prompt_tokens, completion_tokens, total_tokens, cost_usd,
    latency_ms, generation_time_ms, generation_id
FROM answered

-- name: bill_replaced
-- What an answer came to stays when it is replaced, without what it said.
INSERT INTO messages (
    conversation_id, role, content, created_at, model, provider, temperature,
    prompt_tokens, completion_tokens, total_tokens, cost_usd,
    latency_ms, generation_time_ms, generation_id
)
SELECT
    m.conversation_id, m.role, '', m.created_at, m.model, m.provider, m.temperature,
    m.prompt_tokens, m.completion_tokens, m.total_tokens, m.cost_usd,
    m.latency_ms, m.generation_time_ms, m.generation_id
FROM messages AS m
WHERE m.id = %(id)s AND m.conversation_id = %(conversation_id)s AND m.model IS NOT NULL

-- name: messages_after
-- What was said after one of its messages, and the instructions from before it.
-- It stops after the first that makes too many bytes, and one more.
SELECT
    id, conversation_id, role, content, created_at, model, provider, temperature,
    prompt_tokens, completion_tokens, total_tokens, cost_usd,
    latency_ms, generation_time_ms, generation_id
FROM (
    SELECT
        *,
        sum(octet_length(content)) OVER (
            ORDER BY created_at, id ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING
        ) AS bytes_before
    FROM (
        SELECT
            id, conversation_id, role, content, created_at, model, provider, temperature,
            prompt_tokens, completion_tokens, total_tokens, cost_usd,
            latency_ms, generation_time_ms, generation_id
        FROM messages
        WHERE conversation_id = %(conversation_id)s AND content <> ''
            AND (
                role = 'system'
                OR (created_at, id) > (SELECT m.created_at, m.id FROM messages AS m WHERE m.id = %(id)s)
            )
        ORDER BY created_at, id
        LIMIT %(limit)s
    ) AS said
) AS counted
WHERE coalesce(bytes_before, 0) <= %(most_bytes)s
ORDER BY created_at, id

-- name: next_messages
-- A conversation's messages, oldest first, that come after a place in that order.
-- It stops after the first that makes too many bytes, and one more.
SELECT
    id, conversation_id, role, content, created_at, model, provider, temperature,
    prompt_tokens, completion_tokens, total_tokens, cost_usd,
    latency_ms, generation_time_ms, generation_id
FROM (
    SELECT
        *,
        sum(octet_length(content)) OVER (
            ORDER BY created_at, id ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING
        ) AS bytes_before
    FROM (
        SELECT
            id, conversation_id, role, content, created_at, model, provider, temperature,
            prompt_tokens, completion_tokens, total_tokens, cost_usd,
            latency_ms, generation_time_ms, generation_id
        FROM messages
        WHERE conversation_id = %(conversation_id)s AND content <> ''
            AND (created_at, id) > (%(at)s, %(id)s)
        ORDER BY created_at, id
        LIMIT %(limit)s
    ) AS said
) AS counted
WHERE coalesce(bytes_before, 0) <= %(most_bytes)s
ORDER BY created_at, id

-- name: message_and_answer
-- A message; what has the id of its answer; and what was said next.
SELECT
    id, conversation_id, role, content, created_at, model, provider, temperature,
    prompt_tokens, completion_tokens, total_tokens, cost_usd,
    latency_ms, generation_time_ms, generation_id
FROM messages
WHERE conversation_id = %(conversation_id)s AND id IN (%(id)s, %(answer_id)s) AND content <> ''
UNION ALL
(
    SELECT
        id, conversation_id, role, content, created_at, model, provider, temperature,
        prompt_tokens, completion_tokens, total_tokens, cost_usd,
        latency_ms, generation_time_ms, generation_id
    FROM messages
    WHERE conversation_id = %(conversation_id)s AND content <> ''
        AND (created_at, id) > (
            SELECT m.created_at, m.id FROM messages AS m
            WHERE m.id = %(id)s AND m.conversation_id = %(conversation_id)s
        )
    ORDER BY created_at, id
    LIMIT 1
)

-- name: messages_there
-- Which of some ids are of messages in a conversation.
SELECT id FROM messages WHERE conversation_id = %(conversation_id)s AND id = ANY(%(ids)s)

-- name: newest_question
-- What was asked last in a conversation.
SELECT
    id, conversation_id, role, content, created_at, model, provider, temperature,
    prompt_tokens, completion_tokens, total_tokens, cost_usd,
    latency_ms, generation_time_ms, generation_id
FROM messages
WHERE conversation_id = %(conversation_id)s AND role = 'user'
ORDER BY created_at DESC, id DESC
LIMIT 1

-- name: tell_to_stop
-- Tell every process of the service that an answer is not wanted any more.
SELECT pg_notify('chatapp_stop', %(question_id)s::text)

-- name: question_asked
-- Whether there is a question in the conversation: then its answers have a form.
SELECT EXISTS (
    SELECT FROM messages WHERE conversation_id = %(conversation_id)s AND role = 'user'
) AS holds

-- name: delete_message
-- A message goes; a summary that ends with it stays.
DELETE FROM messages WHERE id = %(id)s AND conversation_id = %(conversation_id)s

-- name: sum_usage
-- What somebody's answers came to, per day (UTC), model and provider; bills included.
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
