import type { Backfills, synapPlan } from 'synap-outbox'
import { beganTest, completedTest, submittedTest } from './attempts'
import { assignmentStarted, collectionItemViewed, examUserRegistered } from './learning'
import { userLoggedIn, userRegistered, userSessionRestored } from './people'

/**
 * The history that the portal's tables hold, for a portal that connects to Segment today.
 *
 * `Question Answered` is not among it: a changed answer replaces the earlier one, whose fact is gone with it.
 */
export const portalBackfills = {
  'Began Test': beganTest,
  'Submitted Test': submittedTest,
  'Completed Test': completedTest,
  'Collection Item Viewed': collectionItemViewed,
  'User Registered': userRegistered,
  'Assignment Started': assignmentStarted,
  'Exam User Registered': examUserRegistered,
  'User Logged In': userLoggedIn,
  'User Session Restored': userSessionRestored,
} satisfies Backfills<typeof synapPlan>
