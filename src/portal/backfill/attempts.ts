import type { ReadFacts, synapPlan } from 'synap-outbox'
import { durationSeconds } from '../services/attempts'
import { type FactRow, factOf, readRows } from './read-rows'

type Read<E extends keyof typeof synapPlan.events> = ReadFacts<typeof synapPlan, E>

interface AttemptRow extends FactRow {
  testId: string
  attemptNumber: number
  assignmentId: string | null
  questionCount: number
  maxScore: number
}

/** Questions are counted as they are now: the portal keeps no earlier versions of a test. */
const test = [
  'f.test_id AS "testId"',
  'f.attempt_number AS "attemptNumber"',
  'f.assignment_id AS "assignmentId"',
  '(SELECT count(*)::int FROM portal_test_question q WHERE q.test_id = f.test_id) AS "questionCount"',
  '(SELECT coalesce(sum(q.max_score), 0)::int FROM portal_test_question q WHERE q.test_id = f.test_id) AS "maxScore"',
]

function attempt({ id, testId, attemptNumber, assignmentId, questionCount }: AttemptRow) {
  return { testId, attemptId: id, attemptNumber, assignmentId: assignmentId ?? undefined, questionCount }
}

export const beganTest: Read<'Began Test'> = async (page) => {
  const rows = await readRows<AttemptRow & { timeLimitSeconds: number | null }>(page, {
    from: 'portal_test_attempt f JOIN portal_test t ON t.id = f.test_id',
    at: 'f.started_at',
    columns: [...test, 't.time_limit_seconds AS "timeLimitSeconds"'],
  })
  return rows.map((row) => {
    const { maxScore, timeLimitSeconds } = row
    return factOf(row, { ...attempt(row), maxScore, timeLimitSeconds: timeLimitSeconds ?? undefined })
  })
}

interface SubmittedRow extends AttemptRow {
  startedAt: Date
  requiresMarking: boolean
}

/** An answer in words is an essay, which a person marks. */
const submitted = [
  ...test,
  'f.started_at AS "startedAt"',
  `EXISTS (SELECT FROM portal_question_answer a WHERE a.attempt_id = f.id AND a.text IS NOT NULL) AS "requiresMarking"`,
]

export const submittedTest: Read<'Submitted Test'> = async (page) => {
  const answers = 'FROM portal_question_answer a WHERE a.attempt_id = f.id'
  const rows = await readRows<SubmittedRow & { answeredCount: number; autoMarkedScore: number }>(page, {
    from: 'portal_test_attempt f',
    at: 'f.submitted_at',
    columns: [
      ...submitted,
      `(SELECT count(*)::int ${answers}) AS "answeredCount"`,
      `(SELECT coalesce(sum(a.score), 0)::int ${answers} AND a.option IS NOT NULL) AS "autoMarkedScore"`,
    ],
  })
  return rows.map((row) => {
    const { answeredCount, requiresMarking, autoMarkedScore, maxScore } = row
    const seconds = durationSeconds(row, row.at)
    const marks = { requiresMarking, autoMarkedScore, maxScore }
    return factOf(row, { ...attempt(row), answeredCount, durationSeconds: seconds, ...marks })
  })
}

export const completedTest: Read<'Completed Test'> = async (page) => {
  const rows = await readRows<SubmittedRow & { submittedAt: Date; score: number; passPercentage: number }>(
    page,
    {
      from: 'portal_test_attempt f JOIN portal_test t ON t.id = f.test_id',
      at: 'f.completed_at',
      columns: [
        ...submitted,
        'f.submitted_at AS "submittedAt"',
        'f.score',
        't.pass_percentage AS "passPercentage"',
      ],
    },
  )
  return rows.map((row) => {
    const { score, maxScore, passPercentage, submittedAt, requiresMarking } = row
    return factOf(row, {
      ...attempt(row),
      score,
      maxScore,
      percentage: Math.round((score / maxScore) * 10_000) / 100,
      passed: score * 100 >= passPercentage * maxScore,
      durationSeconds: durationSeconds(row, submittedAt),
      requiresMarking,
      submittedAt,
    })
  })
}
