import type { DataSource, DeepPartial, EntityManager, EntityTarget, FindOptionsWhere } from 'typeorm'
import {
  Assignment,
  Collection,
  CollectionItem,
  Exam,
  Portal,
  type PortalRole,
  Test,
  TestQuestion,
  UserGroup,
} from '../../entities/portal'
import type { PortalRow } from '../../entities/portal/portal-row'
import { defaultSettings } from './context'
import { autoMarkedTestContent, collectionContent, essayTestContent, type TestContent } from './seed-content'
import { ensureUsers, type SeededUser } from './seed-users'
import { hashPassword } from './services/passwords'

export interface SeedOptions {
  /** Lower-case letters, digits and hyphens: the portal's name in addresses. */
  slug: string
  name: string
  /** How many students there are at least. Default 10. */
  students?: number
  /** Of every user that is added. Default `demonstration`. */
  password?: string
  /** See `PortalSettings.passwordCost`. Default 15. */
  passwordCost?: number
  /** Seats in the exam. Default: one for each student. */
  examCapacity?: number
  /** Creation time of what is added; the assignment and the exam are a year later. Default: now. */
  now?: Date
}

export interface SeededTest {
  id: string
  /** Whether it asks for essays, which a teacher marks. */
  hasEssays: boolean
  questions: Pick<TestQuestion, 'id' | 'type' | 'options' | 'correctOption' | 'maxScore'>[]
}

/** The ids of a seeded portal. */
export interface SeededPortal {
  portalId: string
  slug: string
  password: string
  admin: SeededUser
  teacher: SeededUser
  students: SeededUser[]
  /** Marked by the portal alone; allows three attempts. */
  autoMarkedTest: SeededTest
  /** With essays; allows one attempt. */
  essayTest: SeededTest
  collection: { id: string; itemIds: string[] }
  /** Sets the auto-marked test, for everyone. */
  assignmentId: string
  exam: { id: string; capacity: number }
  openGroupId: string
  closedGroupId: string
}

const YEAR_MS = 365 * 24 * 3_600_000

/**
 * A portal with an admin, a teacher, students, tests, a collection, an assignment, an exam and user groups.
 *
 * Does only what is not there yet, so it can run at every start and in several processes at once; more students may be
 * asked for later. It fills tables as an import would: no events are recorded.
 */
export async function seedPortal(dataSource: DataSource, options: SeedOptions): Promise<SeededPortal> {
  const { slug, name, students = 10, password = 'demonstration' } = options
  const {
    passwordCost = defaultSettings.passwordCost,
    examCapacity = Math.max(1, students),
    now = new Date(),
  } = options
  // One hash serves every user: theirs is a password for demonstrations, and each hash would cost 100 ms.
  const passwordHash = await hashPassword(password, passwordCost)
  return dataSource.transaction(async (tx) => {
    await tx
      .createQueryBuilder()
      .insert()
      .into(Portal)
      .values({ slug, name, createdAt: now })
      .orIgnore()
      .execute()
    // Whoever comes second waits here, and then finds everything.
    const portal = await tx.findOneOrFail(Portal, { where: { slug }, lock: { mode: 'for_no_key_update' } })
    const portalId = portal.id
    const users = (role: PortalRole, count: number) =>
      ensureUsers(tx, portal, role, count, { passwordHash, createdAt: now })
    const autoMarkedTest = await ensureTest(tx, portalId, autoMarkedTestContent, now)
    const essayTest = await ensureTest(tx, portalId, essayTestContent, now)
    const inAYear = new Date(now.getTime() + YEAR_MS)
    const assignment = await ensure(
      tx,
      Assignment,
      { portalId, title: 'Heart week' },
      { testId: autoMarkedTest.id, groupId: null, dueAt: inAYear, createdAt: now },
    )
    const exam = await ensure(
      tx,
      Exam,
      { portalId, title: 'Final exam' },
      { testId: essayTest.id, startsAt: inAYear, capacity: examCapacity, seatsTaken: 0, createdAt: now },
    )
    const open = await ensure(
      tx,
      UserGroup,
      { portalId, name: 'Study group' },
      { open: true, createdAt: now },
    )
    const closed = await ensure(tx, UserGroup, { portalId, name: 'Honours' }, { open: false, createdAt: now })
    return {
      portalId,
      slug,
      password,
      admin: first(await users('admin', 1)),
      teacher: first(await users('teacher', 1)),
      students: await users('student', students),
      autoMarkedTest,
      essayTest,
      collection: await ensureCollection(tx, portalId, now),
      assignmentId: assignment.id,
      exam: { id: exam.id, capacity: exam.capacity },
      openGroupId: open.id,
      closedGroupId: closed.id,
    }
  })
}

async function ensureTest(
  tx: EntityManager,
  portalId: string,
  { title, questions: contents, ...settings }: TestContent,
  now: Date,
): Promise<SeededTest> {
  const { id } = await ensure(
    tx,
    Test,
    { portalId, title },
    { ...settings, passPercentage: 50, createdAt: now },
  )
  const questions: TestQuestion[] = []
  for (const [i, content] of contents.entries()) {
    questions.push(await ensure(tx, TestQuestion, { portalId, testId: id, position: i + 1 }, content))
  }
  return { id, hasEssays: questions.some((question) => question.type === 'essay'), questions }
}

async function ensureCollection(
  tx: EntityManager,
  portalId: string,
  now: Date,
): Promise<SeededPortal['collection']> {
  const { id } = await ensure(tx, Collection, { portalId, title: 'Physiology' }, { createdAt: now })
  const itemIds: string[] = []
  for (const [i, content] of collectionContent.entries()) {
    itemIds.push(
      (await ensure(tx, CollectionItem, { portalId, collectionId: id, position: i + 1 }, content)).id,
    )
  }
  return { id, itemIds }
}

/** The row with this key, added if it is not there. The portal's row is locked, so nobody else adds it meanwhile. */
async function ensure<Row extends PortalRow>(
  tx: EntityManager,
  entity: EntityTarget<Row>,
  key: FindOptionsWhere<NoInfer<Row>>,
  values: DeepPartial<NoInfer<Row>>,
): Promise<Row> {
  return (await tx.findOneBy(entity, key)) ?? (await tx.save(entity, { ...key, ...values } as unknown as Row))
}

function first<T>([value]: readonly T[]): T {
  if (value === undefined) throw new Error('There is nothing to choose from.')
  return value
}
