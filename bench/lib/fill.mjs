import { USERS } from './events.mjs'

/** Messages of one batch, as the outbox forms them. */
const BATCH = 250

/** SQL: rows `i` of the i-th message, with its portal. `$1` portal ids, `$2` source ids, `$3` count, `$4` body. */
const rows = `
  SELECT i, gen_random_uuid() AS id, p.source_id, p.portal_id,
         $4::jsonb || jsonb_build_object(
           'userId', 'user-' || floor(random() * ${USERS}),
           'properties', $4::jsonb -> 'properties' || jsonb_build_object('attemptId', gen_random_uuid())
         ) AS body
  FROM generate_series(0, $3::int - 1) AS i
  JOIN unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS p(portal_id, source_id, n)
    ON p.n = i % cardinality($1::text[]) + 1`

function parameters(portals, count, body) {
  const ids = [portals.map(({ portalId }) => portalId), portals.map(({ sourceId }) => sourceId)]
  return [...ids, count, JSON.stringify(body)]
}

export async function fillPending(dataSource, portals, count, body) {
  await dataSource.query(
    `INSERT INTO outbox_message (message_id, source_id, portal_id, type, event, user_id, body, wire_bytes, occurred_at)
     SELECT id, source_id, portal_id, 'track', 'Submitted Test', body ->> 'userId', body,
            octet_length(body::text) + 250, now()
     FROM (${rows}) r ORDER BY i`,
    parameters(portals, count, body),
  )
}

/** SQL: when the i-th of the delivered was recorded. One came each millisecond, and the last as long ago as `$5` says. */
const moment = (i) => `now() - $5::interval - ($3::int - ${i}) * interval '1 ms'`

export async function fillDelivered(dataSource, portals, count, body, age) {
  await dataSource.query(
    `WITH message AS (
       INSERT INTO outbox_message (message_id, source_id, portal_id, type, event, user_id, body, wire_bytes, occurred_at,
                                   recorded_at, settled_at, status, batch_id)
       SELECT id, source_id, portal_id, 'track', 'Submitted Test', body ->> 'userId', body,
              octet_length(body::text) + 250, at, at, sent, 'delivered', i / ${BATCH} + 1
       FROM (SELECT *, ${moment('i')} AS at, ${moment(`(i / ${BATCH} + 1) * ${BATCH}`)} AS sent FROM (${rows}) r) r
       ORDER BY i
       RETURNING message_id, source_id, seq, batch_id, wire_bytes, settled_at
     )
     INSERT INTO outbox_batch (source_id, lease_token, message_ids, first_seq, last_seq, wire_bytes, created_at,
                               outcome, settled_at, attempt_count)
     SELECT min(source_id::text)::uuid, 1, array_agg(message_id ORDER BY seq), min(seq), max(seq), sum(wire_bytes),
            min(settled_at), 'delivered', min(settled_at), 1
     FROM message GROUP BY batch_id ORDER BY batch_id`,
    [...parameters(portals, count, body), age],
  )
}
