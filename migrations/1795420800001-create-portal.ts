import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * The tables of the reference portal.
 *
 * Every table carries `portal_id`, and every foreign key between two of them includes it, so that the database itself
 * refuses a row that ties two portals together. Each parent therefore has a unique key (portal_id, id).
 */
export class CreatePortal1795420800001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const table of [people, groups, tests, collections, assignments, exams])
      await queryRunner.query(table)
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE portal_exam_registration, portal_exam, portal_assignment_start, portal_collection_item_view,
        portal_collection_item, portal_collection, portal_question_answer, portal_test_attempt, portal_assignment,
        portal_test_question, portal_test, portal_user_group_member, portal_user_group,
        portal_session_restore, portal_session, portal_user,
        portal`)
  }
}

const people = `
  CREATE TABLE portal (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    slug text NOT NULL CONSTRAINT portal_slug_unique UNIQUE
      CONSTRAINT portal_slug_form CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 63),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    created_at timestamptz NOT NULL DEFAULT now()
  );
  COMMENT ON TABLE portal IS 'A tenant: one customer''s portal.';

  CREATE TABLE portal_user (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    portal_id uuid NOT NULL REFERENCES portal ON DELETE CASCADE,
    email text NOT NULL CHECK (length(email) BETWEEN 3 AND 320),
    email_verified boolean NOT NULL DEFAULT false,
    password_hash text NOT NULL,
    first_name text NOT NULL,
    last_name text NOT NULL,
    role text NOT NULL CHECK (role IN ('student', 'teacher', 'admin')),
    marketing_emails_consent text NOT NULL DEFAULT 'pending'
      CHECK (marketing_emails_consent IN ('removed', 'pending', 'confirmed')),
    profile_picture text,
    attributes jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(attributes) = 'object'),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT portal_user_of_portal UNIQUE (portal_id, id)
  );
  CREATE UNIQUE INDEX portal_user_email_unique ON portal_user (portal_id, lower(email));
  COMMENT ON TABLE portal_user IS 'A user of one portal. The same person in two portals is two users.';
  COMMENT ON COLUMN portal_user.attributes IS 'The portal''s own attributes, named without the EI- that Segment sees.';

  CREATE TABLE portal_session (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    portal_id uuid NOT NULL,
    user_id uuid NOT NULL,
    token_hash bytea NOT NULL CONSTRAINT portal_session_token_unique UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    restore_count integer NOT NULL DEFAULT 0 CHECK (restore_count >= 0),
    ended_at timestamptz,
    CONSTRAINT portal_session_of_portal UNIQUE (portal_id, id),
    FOREIGN KEY (portal_id, user_id) REFERENCES portal_user (portal_id, id) ON DELETE CASCADE
  );
  CREATE INDEX portal_session_of_user ON portal_session (portal_id, user_id);
  COMMENT ON TABLE portal_session IS 'From an explicit log-in until the user logs out or it expires.';
  COMMENT ON COLUMN portal_session.token_hash IS 'SHA-256 of the bearer token.';

  CREATE TABLE portal_session_restore (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    portal_id uuid NOT NULL,
    session_id uuid NOT NULL,
    restore_number integer NOT NULL CHECK (restore_number > 0),
    inactive_seconds integer NOT NULL CHECK (inactive_seconds >= 0),
    restored_at timestamptz NOT NULL,
    CONSTRAINT portal_session_restore_number_unique UNIQUE (session_id, restore_number),
    FOREIGN KEY (portal_id, session_id) REFERENCES portal_session (portal_id, id) ON DELETE CASCADE
  );
  COMMENT ON TABLE portal_session_restore IS 'A return to a session after a period of inactivity.'`

const groups = `
  CREATE TABLE portal_user_group (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    portal_id uuid NOT NULL REFERENCES portal ON DELETE CASCADE,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    open boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT portal_user_group_of_portal UNIQUE (portal_id, id),
    CONSTRAINT portal_user_group_name_unique UNIQUE (portal_id, name)
  );
  COMMENT ON COLUMN portal_user_group.open IS 'Whether users may join by themselves.';

  CREATE TABLE portal_user_group_member (
    group_id uuid NOT NULL,
    user_id uuid NOT NULL,
    portal_id uuid NOT NULL,
    joined_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (group_id, user_id),
    FOREIGN KEY (portal_id, group_id) REFERENCES portal_user_group (portal_id, id) ON DELETE CASCADE,
    FOREIGN KEY (portal_id, user_id) REFERENCES portal_user (portal_id, id) ON DELETE CASCADE
  );
  CREATE INDEX portal_user_group_member_of_user ON portal_user_group_member (user_id)`

const tests = `
  CREATE TABLE portal_test (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    portal_id uuid NOT NULL REFERENCES portal ON DELETE CASCADE,
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    attempt_limit integer NOT NULL DEFAULT 1 CHECK (attempt_limit > 0),
    time_limit_seconds integer CHECK (time_limit_seconds > 0),
    pass_percentage integer NOT NULL DEFAULT 50 CHECK (pass_percentage BETWEEN 0 AND 100),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT portal_test_of_portal UNIQUE (portal_id, id),
    CONSTRAINT portal_test_title_unique UNIQUE (portal_id, title)
  );

  CREATE TABLE portal_test_question (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    portal_id uuid NOT NULL,
    test_id uuid NOT NULL,
    position integer NOT NULL CHECK (position > 0),
    type text NOT NULL CHECK (type IN ('multiple-choice', 'essay')),
    prompt text NOT NULL,
    options jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(options) = 'array'),
    correct_option integer,
    max_score integer NOT NULL CHECK (max_score > 0),
    CONSTRAINT portal_test_question_of_portal UNIQUE (portal_id, id),
    CONSTRAINT portal_test_question_position_unique UNIQUE (test_id, position),
    CONSTRAINT portal_test_question_marking CHECK (CASE type
      WHEN 'essay' THEN correct_option IS NULL
      ELSE correct_option IS NOT NULL AND correct_option BETWEEN 0 AND jsonb_array_length(options) - 1 END),
    FOREIGN KEY (portal_id, test_id) REFERENCES portal_test (portal_id, id) ON DELETE CASCADE
  );

  CREATE TABLE portal_assignment (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    portal_id uuid NOT NULL REFERENCES portal ON DELETE CASCADE,
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    test_id uuid NOT NULL,
    group_id uuid,
    due_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT portal_assignment_of_portal UNIQUE (portal_id, id),
    CONSTRAINT portal_assignment_title_unique UNIQUE (portal_id, title),
    FOREIGN KEY (portal_id, test_id) REFERENCES portal_test (portal_id, id) ON DELETE CASCADE,
    FOREIGN KEY (portal_id, group_id) REFERENCES portal_user_group (portal_id, id) ON DELETE CASCADE
  );
  COMMENT ON COLUMN portal_assignment.group_id IS 'NULL: set for everyone in the portal.';

  CREATE TABLE portal_test_attempt (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    portal_id uuid NOT NULL,
    test_id uuid NOT NULL,
    user_id uuid NOT NULL,
    assignment_id uuid,
    attempt_number integer NOT NULL CHECK (attempt_number > 0),
    started_at timestamptz NOT NULL,
    submitted_at timestamptz,
    completed_at timestamptz,
    score integer CHECK (score >= 0),
    CONSTRAINT portal_test_attempt_of_portal UNIQUE (portal_id, id),
    CONSTRAINT portal_test_attempt_number_unique UNIQUE (user_id, test_id, attempt_number),
    CONSTRAINT portal_test_attempt_states CHECK (
      (completed_at IS NULL OR submitted_at IS NOT NULL) AND (score IS NULL) = (completed_at IS NULL)),
    FOREIGN KEY (portal_id, test_id) REFERENCES portal_test (portal_id, id) ON DELETE CASCADE,
    FOREIGN KEY (portal_id, user_id) REFERENCES portal_user (portal_id, id) ON DELETE CASCADE,
    FOREIGN KEY (portal_id, assignment_id) REFERENCES portal_assignment (portal_id, id) ON DELETE CASCADE
  );
  CREATE UNIQUE INDEX portal_test_attempt_one_open ON portal_test_attempt (user_id, test_id)
    WHERE submitted_at IS NULL;
  COMMENT ON TABLE portal_test_attempt IS 'Open, then submitted, then completed (at once where nothing needs marking).';

  CREATE TABLE portal_question_answer (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    portal_id uuid NOT NULL,
    attempt_id uuid NOT NULL,
    question_id uuid NOT NULL,
    revision integer NOT NULL CHECK (revision > 0),
    option integer CHECK (option >= 0),
    text text,
    score integer CHECK (score >= 0),
    answered_at timestamptz NOT NULL,
    CONSTRAINT portal_question_answer_unique UNIQUE (attempt_id, question_id),
    CONSTRAINT portal_question_answer_kind CHECK ((option IS NULL) <> (text IS NULL)),
    FOREIGN KEY (portal_id, attempt_id) REFERENCES portal_test_attempt (portal_id, id) ON DELETE CASCADE,
    FOREIGN KEY (portal_id, question_id) REFERENCES portal_test_question (portal_id, id) ON DELETE CASCADE
  );
  COMMENT ON COLUMN portal_question_answer.revision IS '1 for the first answer, one more for each change.'`

const collections = `
  CREATE TABLE portal_collection (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    portal_id uuid NOT NULL REFERENCES portal ON DELETE CASCADE,
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT portal_collection_of_portal UNIQUE (portal_id, id),
    CONSTRAINT portal_collection_title_unique UNIQUE (portal_id, title)
  );

  CREATE TABLE portal_collection_item (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    portal_id uuid NOT NULL,
    collection_id uuid NOT NULL,
    position integer NOT NULL CHECK (position > 0),
    type text NOT NULL CHECK (type IN ('article', 'video', 'audio', 'document', 'link', 'test')),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    CONSTRAINT portal_collection_item_of_portal UNIQUE (portal_id, id),
    CONSTRAINT portal_collection_item_position_unique UNIQUE (collection_id, position),
    FOREIGN KEY (portal_id, collection_id) REFERENCES portal_collection (portal_id, id) ON DELETE CASCADE
  );

  CREATE TABLE portal_collection_item_view (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    portal_id uuid NOT NULL,
    item_id uuid NOT NULL,
    user_id uuid NOT NULL,
    viewed_at timestamptz NOT NULL,
    FOREIGN KEY (portal_id, item_id) REFERENCES portal_collection_item (portal_id, id) ON DELETE CASCADE,
    FOREIGN KEY (portal_id, user_id) REFERENCES portal_user (portal_id, id) ON DELETE CASCADE
  );
  CREATE INDEX portal_collection_item_view_of_item ON portal_collection_item_view (item_id, user_id);
  CREATE INDEX portal_collection_item_view_of_user ON portal_collection_item_view (user_id)`

const assignments = `
  CREATE TABLE portal_assignment_start (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    portal_id uuid NOT NULL,
    assignment_id uuid NOT NULL,
    user_id uuid NOT NULL,
    started_at timestamptz NOT NULL,
    CONSTRAINT portal_assignment_start_unique UNIQUE (assignment_id, user_id),
    FOREIGN KEY (portal_id, assignment_id) REFERENCES portal_assignment (portal_id, id) ON DELETE CASCADE,
    FOREIGN KEY (portal_id, user_id) REFERENCES portal_user (portal_id, id) ON DELETE CASCADE
  );
  CREATE INDEX portal_assignment_start_of_user ON portal_assignment_start (user_id)`

const exams = `
  CREATE TABLE portal_exam (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    portal_id uuid NOT NULL REFERENCES portal ON DELETE CASCADE,
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    test_id uuid NOT NULL,
    starts_at timestamptz NOT NULL,
    capacity integer NOT NULL CHECK (capacity > 0),
    seats_taken integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT portal_exam_of_portal UNIQUE (portal_id, id),
    CONSTRAINT portal_exam_title_unique UNIQUE (portal_id, title),
    CONSTRAINT portal_exam_seats CHECK (seats_taken BETWEEN 0 AND capacity),
    FOREIGN KEY (portal_id, test_id) REFERENCES portal_test (portal_id, id) ON DELETE CASCADE
  );

  CREATE TABLE portal_exam_registration (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    portal_id uuid NOT NULL,
    exam_id uuid NOT NULL,
    user_id uuid NOT NULL,
    enrolled_by_id uuid NOT NULL,
    registered_at timestamptz NOT NULL,
    CONSTRAINT portal_exam_registration_unique UNIQUE (exam_id, user_id),
    FOREIGN KEY (portal_id, exam_id) REFERENCES portal_exam (portal_id, id) ON DELETE CASCADE,
    FOREIGN KEY (portal_id, user_id) REFERENCES portal_user (portal_id, id) ON DELETE CASCADE,
    FOREIGN KEY (portal_id, enrolled_by_id) REFERENCES portal_user (portal_id, id)
  );
  CREATE INDEX portal_exam_registration_of_user ON portal_exam_registration (user_id)`
