import { Schedule } from '../../src/dispatch/schedule'
import { Events } from '../../src/events'
import { beganTest, createScene, type Scene } from '../support/scene'

describe('the schedule', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await createScene()
  })
  afterAll(() => scene.end())

  it('sends what no wake-up told of: another process recorded it and died', async () => {
    const recorder = scene.outbox() // never started
    const dispatcher = scene.outbox({
      dataSource: await scene.database.connect(),
      dispatcher: { cron: '* * * * * *' },
    })
    const { portalId } = await scene.connect(recorder)
    await dispatcher.start()
    await scene.dataSource.transaction((tx) =>
      recorder.track(tx, 'Began Test', { portalId, userId: 'u', properties: beganTest() }),
    )
    await scene.segment.waitFor({ accepted: 1 })
    await dispatcher.stop()
  })

  it('leaves a tick out while the last is at work, and reports what its task throws', async () => {
    const events = new Events()
    const errors: unknown[] = []
    events.on('error', (event) => errors.push(event))
    let runs = 0
    let finish: () => void = () => undefined
    const schedule = new Schedule(
      '0 0 1 1 *',
      () => {
        runs++
        return new Promise<void>((_, reject) => {
          finish = () => reject(new Error('no database'))
        })
      },
      events,
    )
    const first = schedule.tick()
    const second = schedule.tick()
    finish()
    await Promise.all([first, second])
    expect(runs).toBe(1)
    expect(errors).toEqual([{ error: new Error('no database'), during: 'schedule' }])
    void schedule.tick()
    expect(runs).toBe(2)
    finish()
    await schedule.stop()
  })
})
