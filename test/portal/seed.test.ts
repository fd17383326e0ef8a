import { seedPortal } from '../../src/portal/seed'
import { createScene, type Scene } from '../support/scene'

let scene: Scene
beforeAll(async () => {
  scene = await createScene()
})
afterAll(() => scene.end())

const seed = (slug: string, students: number) =>
  seedPortal(scene.dataSource, { slug, name: slug, students, passwordCost: 4 })

it('creates a portal with everything the scenario needs', async () => {
  const portal = await seed('whole', 4)
  expect(portal.students.map((student) => student.email)).toEqual(
    [1, 2, 3, 4].map((n) => `student-${n}@whole.example`),
  )
  expect(new Set([portal.admin, portal.teacher, ...portal.students].map((user) => user.id)).size).toBe(6)
  expect([portal.autoMarkedTest.hasEssays, portal.essayTest.hasEssays]).toEqual([false, true])
  expect(portal.collection.itemIds).toHaveLength(4)
  expect(portal.exam.capacity).toBe(4)
})

it('does nothing that is done already', async () => {
  const first = await seed('again', 2)
  expect(await seed('again', 2)).toEqual(first)
})

it('does it once for several processes that start together', async () => {
  const [first, ...rest] = await Promise.all([seed('together', 3), seed('together', 3), seed('together', 3)])
  for (const other of rest) expect(other).toEqual(first)
})

it('adds students that are missing', async () => {
  const few = await seed('growing', 2)
  const many = await seed('growing', 1500)
  expect(many.students).toHaveLength(1500)
  expect(many.students.slice(0, 2)).toEqual(few.students)
})

it('records nothing: it is an import, nobody registered', async () => {
  const [row] = await scene.rows('SELECT count(*)::int AS messages FROM outbox_message')
  expect(row?.messages).toBe(0)
})
