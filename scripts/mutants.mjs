// Breaks the module on purpose, one guarantee at a time, and sees whether the tests notice. A mutant that survives
// means that a guarantee is only claimed. Each runs in a copy, so the working tree is never touched.
//
//   npm run mutants             all of them
//   npm run mutants -- fence    those whose name holds the word
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const mutants = [
  {
    name: 'settle without the fence',
    file: 'src/dispatch/lease.ts',
    from: 'WHERE d.source_id = $1 AND d.lease_token = $2::bigint AND s.source_id = d.source_id\n  RETURNING d.source_id, s.status',
    to: 'WHERE d.source_id = $1 AND $2::bigint IS NOT NULL AND s.source_id = d.source_id\n  RETURNING d.source_id, s.status',
    tests: ['test/dispatch/leases'],
  },
  {
    name: 'no write-ahead: the row does not know that a request is out',
    file: 'src/dispatch/batch.ts',
    from: '         now(), now()\n',
    to: '         NULL, NULL\n',
    tests: ['test/dispatch/batches'],
  },
  {
    name: 'retry past the dedup window',
    file: 'src/dispatch/batch.ts',
    from: "coalesce(b.first_ambiguous_at <= now() - $5::bigint * interval '1 millisecond', false) AS expired",
    to: '($5::bigint < 0) AS expired',
    tests: ['test/trouble/dedup-window'],
  },
  {
    name: 'written ahead although it came to another end meanwhile',
    file: 'src/dispatch/settle.ts',
    from: "m.source_id = $1 AND m.status = 'pending' AND m.seq > $8::bigint",
    to: 'm.source_id = $1 AND m.seq > $8::bigint',
    tests: ['test/dispatch/read-ahead'],
  },
  {
    name: 'the next batch goes out before the last is settled',
    file: 'src/dispatch/turn.ts',
    from: '      return page && { page, prepared: sender.prepare(this.credentials, page.messages) }\n',
    to: '      if (page) void sender.prepare(this.credentials, page.messages).send()\n      return page && { page, prepared: sender.prepare(this.credentials, page.messages) }\n',
    tests: ['test/dispatch/read-ahead'],
  },
  {
    name: 'a flooded source keeps its place while others wait',
    file: 'src/dispatch/turn.ts',
    from: 'othersMayWait() ? options.turnMs : ',
    to: '',
    tests: ['test/trouble/source-states'],
  },
  {
    name: 'what was read ahead overtakes what was committed since',
    file: 'src/dispatch/settle.ts',
    from: '  GROUP BY h.source_id HAVING bool_and(c.chosen)',
    to: '  AND c.chosen GROUP BY h.source_id',
    tests: ['test/dispatch/read-ahead'],
  },
  {
    name: 'what is out is read once more',
    file: 'src/dispatch/next-messages.ts',
    from: 'pageParameters(mark, limits, messages.at(-1)?.seq)',
    to: 'pageParameters(mark, limits)',
    tests: ['test/dispatch/read-ahead'],
  },
  {
    name: 'messages follow a specimen that foretells another layout',
    file: 'src/segment/abridge.ts',
    from: 'if ((texts.get(entry) ?? text) !== text) return undefined',
    to: 'if (text === undefined) return undefined',
    tests: ['test/segment/abridge'],
  },
  {
    name: 'a message that the client would refuse follows one that it takes',
    file: 'src/segment/abridge.ts',
    from: 'TEXTS.includes(name) ? !isText(value) :',
    to: 'TEXTS.includes(name) ? false :',
    tests: ['test/segment/sender-unsent'],
  },
  {
    name: 'a backlog gives way to nobody',
    file: 'src/dispatch/giving-way.ts',
    from: 'return this.factor > 0 &&',
    to: 'return this.factor < 0 &&',
    tests: ['test/dispatch/giving-way'],
  },
  {
    name: 'a flooded source gives way to itself',
    file: 'src/dispatch/giving-way.ts',
    from: 'this.#lastCommit.sourceId === sourceId ? this.#otherCommitAt : this.#lastCommit.at',
    to: 'this.#lastCommit.at',
    tests: ['test/dispatch/giving-way'],
  },
  {
    name: 'a backlog rests in its place, and keeps its lease',
    file: 'src/dispatch/turn.ts',
    from: 'ahead: follows?.page, release: rests }',
    to: 'ahead: follows?.page }',
    tests: ['test/dispatch/giving-way'],
  },
  {
    name: 'a backlog does not rest',
    file: 'src/dispatch/turn.ts',
    from: 'if (rests) this.settling.report.restMs',
    to: 'if (!rests) this.settling.report.restMs',
    tests: ['test/dispatch/giving-way'],
  },
  {
    name: 'each page that was read stays until a full collection',
    file: 'src/database.ts',
    from: 'return rows.splice(0)',
    to: 'return [...rows]',
    tests: ['test/dispatch/nothing-kept'],
  },
  {
    name: 'id not from the key',
    file: 'src/record/record-function.ts',
    from: "${messageIdSql('sources[c.address]', 'c.fact')}",
    to: 'gen_random_uuid()',
    tests: ['test/record/record'],
  },
  {
    name: 'wake before the commit',
    file: 'src/record/transactions.ts',
    from: 'if (isOutermost(event.queryRunner)) this.#ending.add(event.queryRunner)\n  }\n\n  beforeTransactionRollback',
    to: 'if (isOutermost(event.queryRunner)) this.#ending.add(event.queryRunner)\n    this.#committed(this.#recorded.get(event.queryRunner) ?? new Set())\n    this.#recorded.delete(event.queryRunner)\n  }\n\n  beforeTransactionRollback',
    tests: ['test/record/transactions'],
  },
  {
    name: 'wake for a released savepoint',
    file: 'src/record/transactions.ts',
    from: '    if (event.queryRunner.isTransactionActive) return\n    const sources',
    to: '    const sources',
    tests: ['test/record/transactions'],
  },
  {
    name: 'cursor instead of a low-water mark',
    file: 'src/dispatch/low-water-mark.ts',
    from: '    if (this.#candidate !== undefined && !passed) return undefined\n    const { throughSeq } = this.#candidate ?? {}',
    to: '    const throughSeq = passed ? last : last',
    tests: ['test/dispatch/order', 'test/dispatch/low-water-mark'],
  },
  {
    name: 'a seq drawn before the transaction has an id',
    file: 'src/record/record-function.ts',
    from: 'CONSTANT xid8 := pg_current_xact_id();',
    to: 'CONSTANT xid8 := NULL;',
    tests: ['test/record/record-function'],
  },
  {
    name: 'trust the status alone',
    file: 'src/segment/verdict.ts',
    from: 'if (seen.complete && saysSuccess(seen.body))',
    to: 'if (seen.complete || saysSuccess(seen.body))',
    tests: ['test/segment/verdict'],
  },
  {
    name: 'unfair pick',
    file: 'src/dispatch/lease.ts',
    from: 'ORDER BY d.last_turn_at, d.source_id',
    to: 'ORDER BY d.source_id',
    tests: ['test/dispatch/leases'],
  },
  {
    name: 'record while the transaction is ending',
    file: 'src/record/transactions.ts',
    from: '|| this.#ending.has(runner)',
    to: '',
    tests: ['test/record/record'],
  },
  {
    name: 'a refused batch dies as a whole',
    file: 'src/dispatch/turn.ts',
    from: 'if (batch.messages.length > 1) return',
    to: 'if (batch.messages.length > 250) return',
    tests: ['test/trouble/poison'],
  },
  {
    name: 'a bad payload takes the place of the corrected one',
    file: 'src/record/prepare.ts',
    from: '...(sendable && knownFact !== null\n',
    to: '...(knownFact !== null\n',
    tests: ['test/record/payloads'],
  },
  {
    name: 'redrive what is in doubt without being told',
    file: 'src/operate/redrive.ts',
    from: "const which = inDoubt === 'send-again' ?",
    to: 'const which = inDoubt !== null ?',
    tests: ['test/operate/redrive'],
  },
  {
    name: 'a redriven message keeps its place behind the low-water mark',
    file: 'src/operate/redrive.ts',
    from: "SET status = 'pending', seq = q.seq,",
    to: "SET status = 'pending', seq = m.seq,",
    tests: ['test/operate/redrive'],
  },
  {
    name: 'prune what is pending',
    file: 'src/operate/prune.ts',
    from: '  const messages = pruneMessagesSql(db.tables)\n',
    to: "  await db.query(`WITH gone AS (DELETE FROM ${db.tables.message} WHERE recorded_at < now() - interval '14 days' AND status = 'pending') SELECT 1`)\n  const messages = pruneMessagesSql(db.tables)\n",
    tests: ['test/operate/prune'],
  },
  {
    name: 'prune from the beginning with each chunk',
    file: 'src/operate/prune.ts',
    from: '      through = row?.through ?? through\n',
    to: '',
    tests: ['test/plans/engine', '-t', 'the chunks before it removed'],
  },
  {
    name: 'ask whether more is due in no order',
    file: 'src/dispatch/settle.ts',
    from: "(${firstPending(t, '$8::bigint', 'message_id <> ALL ($7::uuid[])')}) IS NOT NULL",
    to: "EXISTS (${firstPending(t, '$8::bigint', 'message_id <> ALL ($7::uuid[])')})",
    tests: ['test/plans/engine', '-t', 'a quiet one costs'],
  },
]

const root = path.resolve(import.meta.dirname, '..')
const wanted = mutants.filter(({ name }) => name.includes(process.argv[2] ?? ''))
const survivors = []

// Two at once: each spends half of its time on one thing at a time, compiling and starting its PostgreSQL.
const queue = [...wanted]
await Promise.all([inTurn(), inTurn()])
console.log(`${wanted.length} mutants, ${survivors.length} survived`)
process.exitCode = survivors.length === 0 ? 0 : 1

async function inTurn() {
  for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
    const { name } = mutant
    await attempt(mutant).catch((error) => {
      survivors.push(name)
      console.error(error)
    })
  }
}

async function attempt({ name, file, from, to, tests }) {
  const folder = copyOfTheProject()
  try {
    const source = readFileSync(path.join(folder, file), 'utf8')
    if (source.split(from).length !== 2) throw new Error(`${name}: its text is not in ${file} once`)
    writeFileSync(
      path.join(folder, file),
      source.replace(from, () => to),
    )
    const { failed, output } = await jest(folder, tests)
    const ran = /Tests: .*\d+ total/.test(output)
    const caught = failed && ran
    if (!caught) survivors.push(name)
    console.log(`${caught ? '✓ caught      ' : '✗ SURVIVED    '} ${name}   (${tests.join(', ')})`)
    if (!ran) console.log(output)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @param tests files, as jest selects them; after `-t`, the name of one test */
async function jest(cwd, tests) {
  const child = spawn(process.execPath, ['node_modules/jest/bin/jest.js', ...tests], {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, CI: 'true' },
  })
  const chunks = []
  child.stderr.on('data', (chunk) => chunks.push(chunk))
  const [status] = await once(child, 'close')
  return { failed: status !== 0, output: Buffer.concat(chunks).toString() }
}

function copyOfTheProject() {
  const folder = mkdtempSync(path.join(tmpdir(), 'synap-outbox-mutant-'))
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  for (const name of files.split('\n').filter(Boolean)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    cpSync(path.join(root, name), path.join(folder, name))
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'))
  return folder
}
