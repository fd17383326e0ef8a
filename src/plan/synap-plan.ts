import { z } from 'zod'
import { dateTime, definePlan } from './define-plan'

/** A Synap id. UUIDs today; the bound leaves room for ids that came with imported data. */
const id = (what: string) => z.string().min(1).max(100).describe(what)
const count = (what: string) => z.int().nonnegative().describe(what)
/** Starts at 1: the first attempt, the first revision. */
const ordinal = (what: string) => z.int().positive().describe(what)
const seconds = (what: string) => z.int().nonnegative().describe(`${what}, in whole seconds`)
const score = (what: string) => z.number().nonnegative().describe(what)
const shortText = (max: number, what: string) => z.string().min(1).max(max).describe(what)
const loginMethod = z.enum(['password', 'single-sign-on']).describe('How the user proved who they are')

/** What the three events of one attempt at a test have in common. */
const attempt = {
  testId: id('The test'),
  attemptId: id('The attempt'),
  attemptNumber: ordinal('The user’s first, second, … attempt at this test'),
  assignmentId: id('The assignment that set the test, if one did').optional(),
  questionCount: count('Questions in the test').optional(),
}

const beganTest = z
  .strictObject({
    ...attempt,
    maxScore: score('Marks to be had').optional(),
    timeLimitSeconds: seconds('The time allowed').optional(),
  })
  .describe('A user starts a test.')

const submittedTest = z
  .strictObject({
    ...attempt,
    answeredCount: count('Questions that have an answer').optional(),
    durationSeconds: seconds('From start to submission'),
    requiresMarking: z.boolean().describe('A person has to mark answers before the test is completed'),
    autoMarkedScore: score('Marks gained so far, without the answers that a person marks').optional(),
    maxScore: score('Marks to be had').optional(),
  })
  .describe('A user submits a test. It may still need marking.')

const completedTest = z
  .strictObject({
    ...attempt,
    score: score('Marks gained'),
    maxScore: score('Marks to be had'),
    percentage: z.number().min(0).max(100).describe('score of maxScore, at most two decimals'),
    passed: z.boolean().describe('Whether the percentage reaches the test’s pass mark'),
    durationSeconds: seconds('From start to submission; marking is not counted'),
    requiresMarking: z.boolean().describe('A person marked some of the answers'),
    submittedAt: dateTime().describe('When it was submitted; marking can come days later').optional(),
  })
  .describe('A test is completed, marking included. At once with its submission where nothing needs marking.')

const questionAnswered = z
  .strictObject({
    testId: attempt.testId,
    attemptId: attempt.attemptId,
    questionId: id('The question'),
    questionNumber: ordinal('Its place in the test').optional(),
    questionType: z.enum(['multiple-choice', 'essay']).describe('Essays are marked by a person'),
    revision: ordinal('1 for the first answer, one more for each change of it'),
    correct: z.boolean().describe('Multiple choice only').optional(),
  })
  .describe('A user answers a question, or changes the answer. Detailed Event Tracking only.')

const collectionItemViewed = z
  .strictObject({
    viewId: id('This view; a page that is opened again is another view'),
    collectionId: id('The collection'),
    itemId: id('The item'),
    itemType: z.enum(['article', 'video', 'audio', 'document', 'link', 'test']),
  })
  .describe('A user views a collection item.')

const userRegistered = z
  .strictObject({
    // Not `userId`: the warehouse reserves that column, and fills it from the call itself.
    accountId: id('The account, which is the Synap user ID'),
    method: loginMethod,
    role: z
      .enum(['student', 'teacher', 'admin'])
      .describe('The role that the account starts with')
      .optional(),
    emailVerified: z.boolean().optional(),
  })
  .describe('A user registers an account.')

const assignmentStarted = z
  .strictObject({
    startId: id('This user’s start of this assignment'),
    assignmentId: id('The assignment'),
    testId: id('The test that it sets').optional(),
    userGroupId: id('The user group that it is set for').optional(),
    dueAt: dateTime().describe('When it closes').optional(),
  })
  .describe('A user starts an assignment. Recorded once for each user and assignment.')

const examUserRegistered = z
  .strictObject({
    registrationId: id('The enrolment'),
    examId: id('The exam'),
    enrolledById: id('The Synap user ID of the teacher or admin who enrolled the user').optional(),
    examStartsAt: dateTime().describe('When the exam begins').optional(),
  })
  .describe('A user is enrolled for an exam.')

const userLoggedIn = z
  .strictObject({ sessionId: id('The session that begins'), method: loginMethod })
  .describe('A user explicitly logs in.')

const userSessionRestored = z
  .strictObject({
    sessionId: id('The session that goes on'),
    restoreNumber: ordinal('The first, second, … return to this session'),
    inactiveSeconds: seconds('How long nothing was heard from the user'),
  })
  .describe('A user opens Synap after a period of inactivity, still logged in.')

/** An attribute that a portal defines for its own users. One warehouse column each, hence scalars only. */
const attribute = z.union([z.string().max(512), z.number(), z.boolean(), z.null()])

/**
 * What Segment learns of a user. Every trait is optional, because Segment merges: a call may carry only what changed.
 * A portal's own attributes are prefixed `EI-`, so that none can take the place of a trait.
 */
const identifyTraits = z.intersection(
  z
    .strictObject({
      createdAt: dateTime().describe('When the account was registered').optional(),
      // Deliberately loose: an address that the portal accepted must not cost the whole call.
      email: z
        .string()
        .max(320)
        .regex(/^[^\s@]+@[^\s@]+$/)
        .optional(),
      emailVerified: z.boolean().optional(),
      firstName: z.string().max(200).optional(),
      lastName: z.string().max(200).optional(),
      name: z.string().max(401).describe('First and last name').optional(),
      marketingEmailsConsent: z.enum(['removed', 'pending', 'confirmed']).optional(),
      profilePicture: z.url().max(2048).nullable().describe('Address of the picture; null: none').optional(),
    })
    // An intersection of closed objects is right in zod and unsatisfiable in JSON Schema: there, this half has it all.
    .meta({ patternProperties: { '^EI-.': z.toJSONSchema(attribute) } }),
  z
    .record(z.templateLiteral(['EI-', z.string().min(1).max(100)]), attribute)
    .meta({ propertyNames: true, additionalProperties: true }),
)

/** The portal itself, and the user groups in it. */
const groupTraits = z.strictObject({
  kind: z.enum(['portal', 'user group']),
  name: shortText(200, 'Name of the portal or the user group'),
  slug: shortText(100, 'The portal’s name in addresses').optional(),
  createdAt: dateTime().optional(),
})

const pageProperties = z.strictObject({
  path: z.string().max(1024).startsWith('/').describe('Path of the page, without host and query'),
  title: shortText(300, 'Title of the page, as the browser shows it').optional(),
  search: z.string().max(1024).describe('Query of the page').optional(),
  referrer: z.string().max(2048).describe('Full address of the page before').optional(),
})

/**
 * Synap's tracking plan: the events of a portal, and the traits and properties of its other calls.
 *
 * Payloads carry ids and facts, never titles, answers or other free text. A natural key names the fact for good, so
 * that recording it again is harmless: an attempt begins once, but an answer that is changed is a new fact.
 */
export const synapPlan = definePlan(
  {
    'Began Test': { properties: beganTest, key: (p) => p.attemptId },
    'Submitted Test': { properties: submittedTest, key: (p) => p.attemptId },
    'Completed Test': { properties: completedTest, key: (p) => p.attemptId },
    'Question Answered': {
      properties: questionAnswered,
      key: (p) => [p.attemptId, p.questionId, p.revision],
      detailed: true,
    },
    'Collection Item Viewed': { properties: collectionItemViewed, key: (p) => p.viewId },
    'User Registered': { properties: userRegistered, key: (p) => p.accountId },
    'Assignment Started': { properties: assignmentStarted, key: (p) => p.startId },
    'Exam User Registered': { properties: examUserRegistered, key: (p) => p.registrationId },
    'User Logged In': { properties: userLoggedIn, key: (p) => p.sessionId },
    'User Session Restored': { properties: userSessionRestored, key: (p) => [p.sessionId, p.restoreNumber] },
  },
  { identify: identifyTraits, group: groupTraits, page: pageProperties },
)
