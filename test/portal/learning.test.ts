import { randomUUID } from 'node:crypto'
import { at, createPortalWorld, type PortalWorld } from './portal-world'

let world: PortalWorld
let token: string

beforeAll(async () => {
  world = await createPortalWorld()
})
afterAll(() => world.end())
beforeEach(async () => {
  await world.scene.rows('DELETE FROM portal_assignment_start')
  await world.scene.rows('DELETE FROM portal_user_group_member')
  token = await world.logIn(at(world.alpha.students, 0).email)
  await world.forget()
})

describe('view a collection item', () => {
  const view = (body?: unknown, as = token) =>
    world.call('POST', `/collections/items/${world.alpha.collection.itemIds[1]}/view`, { token: as, body })

  it('records each view', async () => {
    const [first, second] = [await view(), await view()]
    expect([first.status, second.status]).toEqual([201, 201])
    expect((await world.recorded()).map((message) => message.properties)).toEqual(
      [first, second].map(({ body }) => ({
        viewId: body.view.id,
        collectionId: world.alpha.collection.id,
        itemId: world.alpha.collection.itemIds[1],
        itemType: 'video',
      })),
    )
  })

  it('records a view that is reported again once', async () => {
    const viewId = randomUUID()
    const sql = `INSERT INTO portal_collection_item_view (id, portal_id, item_id, user_id, viewed_at)
                 VALUES ($1, $2, $3, $4, now())`
    const { portalId, collection, admin } = world.alpha
    const again = () => view({ viewId })
    const hold = { sql, parameters: [viewId, portalId, collection.itemIds[0], admin.id] }
    const answers = await world.race(hold, [again, again, again])
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 200, 201])
    expect(await world.recorded('Collection Item Viewed')).toHaveLength(1)
  })

  it('refuses the view id of somebody else', async () => {
    const viewId = randomUUID()
    await view({ viewId })
    const other = await world.logIn(at(world.alpha.students, 1).email)
    expect((await view({ viewId }, other)).body.error.code).toBe('view-id-taken')
    expect(await world.recorded('Collection Item Viewed')).toHaveLength(1)
  })
})

describe('start an assignment', () => {
  const start = (id: string | undefined = world.alpha.assignmentId) =>
    world.call('POST', `/assignments/${id}/start`, { token })
  const assign = async (title: string, columns: { group_id?: string; due_at?: Date }) => {
    const [row] = await world.scene.rows<{ id: string }>(
      `INSERT INTO portal_assignment (portal_id, title, test_id, group_id, due_at)
       VALUES ($1, $2, $3, $4, $5) RETURNING id`,
      [world.alpha.portalId, title, world.alpha.essayTest.id, columns.group_id, columns.due_at],
    )
    return row?.id
  }

  it('records it once, however often and however concurrently it is started', async () => {
    const sql = `INSERT INTO portal_assignment_start (portal_id, assignment_id, user_id, started_at)
                 VALUES ($1, $2, $3, now())`
    const { portalId, assignmentId, students } = world.alpha
    const click = () => start()
    const hold = { sql, parameters: [portalId, assignmentId, at(students, 0).id] }
    const answers = [...(await world.race(hold, [click, click, click])), await start()]
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 200, 200, 201])
    const [message, ...more] = await world.recorded()
    expect(more).toEqual([])
    expect(message?.properties).toEqual({
      startId: answers[0]?.body.start.id,
      assignmentId: world.alpha.assignmentId,
      testId: world.alpha.autoMarkedTest.id,
      dueAt: answers[0]?.body.start.dueAt,
    })
  })

  it('is closed after the due date, but stays started', async () => {
    const due = await assign('Due', { due_at: world.now() })
    expect((await start(due)).status).toBe(201)
    world.pass({ seconds: 1 })
    expect((await start(due)).status).toBe(200)
    const closed = await assign('Closed', { due_at: new Date(world.now().getTime() - 1) })
    const { status, body } = await start(closed)
    expect([status, body.error.code]).toEqual([409, 'assignment-closed'])
    expect(await world.recorded('Assignment Started')).toHaveLength(1)
  })

  it('is for the members of its group', async () => {
    const ofGroup = await assign('Of a group', { group_id: world.alpha.openGroupId })
    expect((await start(ofGroup)).body.error.code).toBe('not-assigned')
    expect(await world.recorded('Assignment Started')).toEqual([])
    await world.call('POST', `/groups/${world.alpha.openGroupId}/join`, { token })
    expect((await start(ofGroup)).status).toBe(201)
    const [message] = await world.recorded('Assignment Started')
    expect(message?.properties?.userGroupId).toBe(world.alpha.openGroupId)
    expect(message?.properties).not.toHaveProperty('dueAt')
  })
})

describe('join a user group', () => {
  const join = (id: string) => world.call('POST', `/groups/${id}/join`, { token })

  it('records the group, once', async () => {
    const { openGroupId, portalId, students } = world.alpha
    const sql = 'INSERT INTO portal_user_group_member (portal_id, group_id, user_id) VALUES ($1, $2, $3)'
    const click = () => join(openGroupId)
    const hold = { sql, parameters: [portalId, openGroupId, at(students, 0).id] }
    const answers = await world.race(hold, [click, click])
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 201])
    const [message, ...more] = await world.recorded()
    expect(more).toEqual([])
    expect(message).toMatchObject({ type: 'group', userId: world.alpha.students[0]?.id, status: 'pending' })
    expect(message).toMatchObject({
      groupId: openGroupId,
      traits: { kind: 'user group', name: 'Study group', createdAt: expect.any(String) },
    })
  })

  it('is refused where staff decides', async () => {
    const { status, body } = await join(world.alpha.closedGroupId)
    expect([status, body.error.code]).toEqual([403, 'group-closed'])
    expect(await world.recorded()).toEqual([])
  })
})
