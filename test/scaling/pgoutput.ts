/** A row as the plug-in `pgoutput` sends it: column names to PostgreSQL's text, null for NULL. */
export type DecodedRow = Record<string, string | null>

/** What a committed transaction inserted. */
export interface DecodedTransaction {
  readonly xid: number
  readonly inserts: DecodedRow[]
}

/**
 * Reads the messages of `pgoutput`, protocol version 1, as far as inserts need it: Begin, Relation, Insert, Commit.
 * Layout: PostgreSQL documentation, "Logical Replication Message Formats".
 */
export function decode(messages: readonly Buffer[]): DecodedTransaction[] {
  const columnsOf = new Map<number, string[]>()
  const transactions: DecodedTransaction[] = []
  for (const message of messages) {
    const read = new Reader(message)
    switch (read.character()) {
      case 'B': // final LSN, time, then the id
        read.skip(16)
        transactions.push({ xid: read.int32(), inserts: [] })
        break
      case 'R':
        columnsOf.set(...readRelation(read))
        break
      case 'I':
        transactions.at(-1)?.inserts.push(readInsert(read, columnsOf))
        break
    }
  }
  return transactions
}

function readRelation(read: Reader): [number, string[]] {
  const id = read.int32()
  read.text() // schema
  read.text() // table
  read.skip(1) // replica identity
  const columns = Array.from({ length: read.int16() }, () => {
    read.skip(1) // part of the key
    const name = read.text()
    read.skip(8) // type and its modifier
    return name
  })
  return [id, columns]
}

function readInsert(read: Reader, columnsOf: ReadonlyMap<number, string[]>): DecodedRow {
  const columns = columnsOf.get(read.int32()) ?? []
  read.skip(1) // "N", a new row
  const values = Array.from({ length: read.int16() }, () => (read.character() === 't' ? read.value() : null))
  return Object.fromEntries(columns.map((column, i) => [column, values[i] ?? null]))
}

class Reader {
  #at = 0

  constructor(private readonly bytes: Buffer) {}

  character(): string {
    return String.fromCharCode(this.bytes.readUInt8(this.#at++))
  }

  int16(): number {
    this.#at += 2
    return this.bytes.readInt16BE(this.#at - 2)
  }

  int32(): number {
    this.#at += 4
    return this.bytes.readInt32BE(this.#at - 4)
  }

  /** Up to the next zero byte. */
  text(): string {
    const from = this.#at
    this.#at = this.bytes.indexOf(0, from) + 1
    return this.bytes.toString('utf8', from, this.#at - 1)
  }

  /** With its length before it. */
  value(): string {
    const length = this.int32()
    this.#at += length
    return this.bytes.toString('utf8', this.#at - length, this.#at)
  }

  skip(bytes: number): void {
    this.#at += bytes
  }
}
