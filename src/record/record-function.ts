import { messageIdSql } from '../plan/message-id'
import type { DatabaseFunction } from '../planned'
import type { Tables } from '../tables'

/**
 * What records: any number of calls, each addressed to its portal's active source, its messageId finished, and written.
 * Rows are inserted in the order of the calls, so `seq` follows it.
 *
 * Answers with a text for each address (its source; empty without one; `off` where a detailed event is not wanted), and
 * then with the messageId of each row that it wrote, in the order of the calls; a comma between each two.
 *
 * A function of the database, since that keeps its plan for the session, also behind a PgBouncer in transaction mode,
 * where named prepared statements cannot be relied on. Measured on PostgreSQL 18 in an open transaction, round trip
 * included: one call 0.58 ms, where a bare insert takes 0.52. Lost, side by side: a row for each answer and PERFORM for the
 * transaction's id, 0.66. Lost before, beside 0.44 ms for that form and 5.4 for 100 calls, three quarters of which are the
 * table's rows and index entries: sources looked up call by call and all answers joined back, 0.52 and 7.1 ms; an insert
 * for each call, 15 ms for 100, since each statement makes the table's checks ready anew.
 *
 * It runs with the rights and, where no schema is configured, on the search path of its caller, like every statement of
 * the engine. What the migration created is compared with this text at each start: a change here needs a migration
 * that creates the function again.
 */
export const recordFunction = (t: Tables): DatabaseFunction => ({
  why: 'A business transaction that records an event calls it, and would fail.',
  signature: `${t.record}(text[], boolean[], jsonb)`,
  create: `
CREATE FUNCTION ${t.record}(portals text[], detailed boolean[], calls jsonb) RETURNS text
LANGUAGE plpgsql AS $record$${body(t)}$record$`,
  body: body(t),
})

/**
 * Sources are looked up before the insert and apart from it: what is answered is what was written by, though one be
 * disabled at that moment, and the planner, who takes any `jsonb_to_recordset` for 100 rows, cannot come to read all
 * sources for one call. Who, what and when come from the body, so the columns cannot say otherwise.
 */
const body = (t: Tables) => `
DECLARE
  -- The transaction has its id before it draws a seq: the dispatcher's low-water mark relies on that.
  transaction_id CONSTANT xid8 := pg_current_xact_id();
  found_id uuid;
  wanted boolean;
  sources uuid[]; -- of each address; NULL where nothing is to be written
  answer text;
  message_ids text;
BEGIN
  FOR i IN 1 .. cardinality(portals) LOOP
    SELECT s.source_id, s.detailed_events OR NOT detailed[i] INTO found_id, wanted
    FROM ${t.source} s WHERE s.portal_id = portals[i] AND s.status <> 'disabled';
    answer := concat_ws(',', answer, CASE WHEN wanted THEN found_id::text WHEN found_id IS NULL THEN '' ELSE 'off' END);
    sources := sources || CASE WHEN wanted THEN found_id END;
  END LOOP;
  WITH written AS (
    INSERT INTO ${t.message} AS m (message_id, source_id, portal_id, type, event, user_id, anonymous_id, body,
                                   wire_bytes, occurred_at, schema_hash, trace_parent, status, reason, settled_at)
    SELECT coalesce(c.message_id, ${messageIdSql('sources[c.address]', 'c.fact')}),
           sources[c.address], portals[c.address], c.body->>'type', c.body->>'event', c.body->>'userId',
           c.body->>'anonymousId', c.body, c.wire_bytes, (c.body->>'timestamp')::timestamptz, c.schema_hash,
           c.trace_parent, CASE WHEN c.reason IS NULL THEN 'pending' ELSE 'dead' END, c.reason,
           CASE WHEN c.reason IS NOT NULL THEN clock_timestamp() END
    FROM ROWS FROM (jsonb_to_recordset(calls) AS (
      address int, body jsonb, wire_bytes int, schema_hash text, trace_parent text, fact text, message_id uuid,
      reason text
    )) WITH ORDINALITY AS c(address, body, wire_bytes, schema_hash, trace_parent, fact, message_id, reason, i)
    WHERE sources[c.address] IS NOT NULL
    ORDER BY c.i
    ON CONFLICT (message_id) DO NOTHING
    RETURNING m.message_id
  )
  SELECT string_agg(message_id::text, ',') INTO message_ids FROM written;
  RETURN concat_ws(',', answer, message_ids);
END`
