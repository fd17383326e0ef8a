import { Assignment, AssignmentStart } from './assignment.entity'
import { Collection } from './collection.entity'
import { CollectionItem, CollectionItemView } from './collection-item.entity'
import { Exam, ExamRegistration } from './exam.entity'
import { Portal } from './portal.entity'
import { PortalSession } from './portal-session.entity'
import { PortalUser } from './portal-user.entity'
import { QuestionAnswer } from './question-answer.entity'
import { SessionRestore } from './session-restore.entity'
import { Test } from './test.entity'
import { TestAttempt } from './test-attempt.entity'
import { TestQuestion } from './test-question.entity'
import { UserGroup, UserGroupMember } from './user-group.entity'

export * from './assignment.entity'
export * from './collection.entity'
export * from './collection-item.entity'
export * from './exam.entity'
export * from './portal.entity'
export * from './portal-session.entity'
export * from './portal-user.entity'
export * from './question-answer.entity'
export * from './session-restore.entity'
export * from './test.entity'
export * from './test-attempt.entity'
export * from './test-question.entity'
export * from './user-group.entity'

/** Every entity of the reference portal, for a DataSource. */
export const portalEntities = [
  Portal,
  PortalUser,
  PortalSession,
  SessionRestore,
  UserGroup,
  UserGroupMember,
  Test,
  TestQuestion,
  TestAttempt,
  QuestionAnswer,
  Collection,
  CollectionItem,
  CollectionItemView,
  Assignment,
  AssignmentStart,
  Exam,
  ExamRegistration,
]
