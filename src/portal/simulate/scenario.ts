import type { Region } from 'synap-outbox'
import type { LocalSegment } from 'synap-outbox/testing'
import type { DataSource } from 'typeorm'
import type { PortalOutbox } from '../context'
import { type SeededPortal, seedPortal } from '../seed'
import { ApiClient, ApiError, expectRefusal } from './api-client'
import { createStudent, type Student } from './student'

/** A portal of the scenario. Without a region it is not connected to Segment. */
interface PortalPlan {
  readonly slug: string
  readonly name: string
  readonly region?: Region
  readonly detailedEvents?: boolean
}

const PORTALS: readonly PortalPlan[] = [
  { slug: 'meridian', name: 'Meridian Medical College', region: 'us', detailedEvents: true },
  { slug: 'northfield', name: 'Northfield Academy', region: 'eu' },
  { slug: 'quayside', name: 'Quayside Training', region: 'us' },
  { slug: 'oldtown', name: 'Old Town School' },
]

export interface Scenery {
  readonly dataSource: DataSource
  readonly outbox: PortalOutbox
  readonly portalUrl: string
  /** The students' clock: moved on over breaks, since nobody waits half an hour for a simulation. */
  readonly time: { offsetMs: number }
  readonly students: number
  /** Told of each student who is done. */
  readonly progress: (done: number, of: number) => void
}

export interface Played {
  readonly portals: readonly SeededPortal[]
  /** Messages of transactions that were rolled back: none of them may ever arrive. */
  readonly rolledBack: readonly string[]
}

/**
 * Seeds the portals and connects them, each to a workspace of its own, or all to the one a real write key names.
 *
 * @param run is appended to the portals' names: the report of a run counts portals that no other run has touched
 */
export async function preparePortals(
  { dataSource, outbox, students }: Pick<Scenery, 'dataSource' | 'outbox' | 'students'>,
  segment: LocalSegment | undefined,
  { writeKey, warehouseUrl, run }: { writeKey?: string; warehouseUrl?: string; run: string },
): Promise<SeededPortal[]> {
  const portals: SeededPortal[] = []
  for (const { slug: name, ...rest } of PORTALS) {
    const plan = { ...rest, slug: `${name}${run}` }
    // A few seats too few: the enrolment of the whole class is rolled back.
    const examCapacity = Math.max(1, students - 2)
    portals.push(await seedPortal(dataSource, { ...plan, students: 1, passwordCost: 11, examCapacity }))
    if (plan.region === undefined) continue
    const { portalId } = portals.at(-1) as SeededPortal
    const localKey = `local-write-key-of-${plan.slug}`
    segment?.addWriteKey(localKey, { region: plan.region, workspace: plan.slug, source: plan.slug })
    const { region, detailedEvents } = plan
    const source =
      (await outbox.sources.ofPortal(portalId)) ??
      (await outbox.sources.connect({
        portalId,
        writeKey: writeKey ?? localKey,
        region,
        detailedEvents,
        insist: true,
      }))
    if (segment === undefined || warehouseUrl === undefined) continue
    // Each time: the embedded PostgreSQL may have another port than in the last run.
    const warehouse = {
      url: warehouseUrl,
      schema: segment.schemaOf(localKey),
      lagHours: 0.1,
      canaryMinutes: 5,
    }
    await outbox.warehouses.connect({ sourceId: source.sourceId, ...warehouse })
  }
  return portals
}

/** A class in each portal, from registration to the marked test, with everything that goes wrong on a normal day. */
export async function playScenario(scenery: Scenery, portals: readonly SeededPortal[]): Promise<Played> {
  let done = 0
  const total = portals.length * scenery.students
  const tick = () => scenery.progress(++done, total)
  const classes = new Map<SeededPortal, Student[]>()
  const essays = new Map<SeededPortal, string[]>()

  for (const portal of portals) {
    const students = Array.from({ length: scenery.students }, (_, i) =>
      createStudent(scenery.portalUrl, portal, i + 1),
    )
    classes.set(portal, students)
    await inParallel(students, (student) => student.arrive())
  }
  scenery.time.offsetMs += 45 * 60_000 // lunch: every session goes idle, and is restored by its next request
  for (const [portal, students] of classes) {
    await inParallel(students, async (student) => {
      await student.sitTest()
      essays.set(portal, [...(essays.get(portal) ?? []), await student.sitEssays()])
      tick()
    })
  }
  const rolledBack: string[] = []
  for (const [portal, students] of classes) {
    await teach(scenery, portal, students, essays.get(portal) ?? [])
    rolledBack.push(...(await abandon(scenery, portal)))
  }
  return { portals, rolledBack }
}

/** A teacher marks every essay, and enrols the class for an exam that has too few seats for it. */
async function teach(
  scenery: Scenery,
  portal: SeededPortal,
  students: Student[],
  attempts: string[],
): Promise<void> {
  const teacher = new ApiClient(scenery.portalUrl, portal.slug)
  await teacher.logIn(portal.teacher.email, portal.password)
  const essays = portal.essayTest.questions.filter((question) => question.type === 'essay')
  for (const attemptId of attempts) {
    const marks = essays.map((question) => ({ questionId: question.id, score: 7 }))
    await teacher.post(`/attempts/${attemptId}/marks`, { marks })
  }
  const enrol = (userIds: string[]) => teacher.post(`/exams/${portal.exam.id}/registrations`, { userIds })
  const everyone = students.map((student) => student.userId)
  if (everyone.length > 2) {
    await expectRefusal('exam-full', () => enrol(everyone))
    await enrol(everyone.slice(2)).catch(ignoreFullExam)
    await expectRefusal('exam-full', () => enrol(everyone.slice(0, 2)))
  }
}

/** In a database that is kept, an earlier class has taken the seats. */
function ignoreFullExam(error: unknown): void {
  if (!(error instanceof ApiError && error.code === 'exam-full')) throw error
}

/** Transactions that record and then fail: the connection breaks, the process is told to stop, a rule says no. */
async function abandon({ dataSource, outbox }: Scenery, portal: SeededPortal): Promise<string[]> {
  const ids: string[] = []
  for (let i = 0; i < 10; i++) {
    const abandoned = dataSource.transaction(async (tx) => {
      const attemptId = crypto.randomUUID()
      const { messageId } = await outbox.track(tx, 'Began Test', {
        portalId: portal.portalId,
        userId: portal.admin.id,
        properties: { testId: portal.essayTest.id, attemptId, attemptNumber: 1 },
      })
      if (messageId) ids.push(messageId)
      await tx.query('SELECT 1 / 0')
    })
    await abandoned.then(
      () => Promise.reject(new Error('PostgreSQL divided by zero')),
      () => undefined,
    )
  }
  return ids
}

/** As many at once as a class that is told to begin. */
async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items]
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: 8 }, worker))
}
