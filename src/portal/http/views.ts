import type { PortalSession, PortalUser, Test, TestAttempt, TestQuestion } from '../../../entities/portal'

/** What of a user goes out: named one by one, so that nothing secret can join them. */
export function userView(user: PortalUser) {
  return {
    id: user.id,
    email: user.email,
    emailVerified: user.emailVerified,
    firstName: user.firstName,
    lastName: user.lastName,
    role: user.role,
    marketingEmailsConsent: user.marketingEmailsConsent,
    profilePicture: user.profilePicture,
    attributes: user.attributes,
    createdAt: user.createdAt,
  }
}

export function sessionView({ id, createdAt, expiresAt }: PortalSession) {
  return { id, createdAt, expiresAt }
}

export function testView({ id, title, attemptLimit, timeLimitSeconds, passPercentage }: Test) {
  return { id, title, attemptLimit, timeLimitSeconds, passPercentage }
}

/** A question as a student sees it: never with the right answer. */
export function questionView({ id, position, type, prompt, options, maxScore }: TestQuestion) {
  return { id, position, type, prompt, options, maxScore }
}

export function attemptView(attempt: TestAttempt) {
  const { id, testId, assignmentId, attemptNumber, startedAt, submittedAt, completedAt, score } = attempt
  return { id, testId, assignmentId, attemptNumber, startedAt, submittedAt, completedAt, score }
}
