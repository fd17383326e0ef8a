import { escapeLiteral } from 'pg'
import type { DataSource, QueryRunner } from 'typeorm'
import { plannedStatements } from '../../src/functions'
import type { Planned } from '../../src/planned'
import { tableNames } from '../../src/tables'

interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Shared Hit Blocks': number
  'Shared Read Blocks': number
  'Actual Rows': number
  Plans?: PlanNode[]
}

/** What PostgreSQL did for one statement, by EXPLAIN (ANALYZE, BUFFERS). */
export interface Explained {
  readonly sql: string
  /** Pages of tables and indexes that it touched, those of its subplans and of what it wrote included. */
  readonly buffers: number
  /** Names of the indexes that it went through. */
  readonly indexes: readonly string[]
  /** Names of the tables that it read from end to end. */
  readonly sequential: readonly string[]
  /** For a failing test's message. */
  readonly tree: string
}

/**
 * Explains every statement that goes through the DataSource from now on, with its real parameters and at the moment at
 * which it runs, in a transaction that is rolled back, and then runs it. Of a call of a function that keeps its plan, what
 * is explained is the statement in it, by the plan that the function goes by.
 *
 * @returns the list that grows with each statement
 */
export function explainAll(dataSource: DataSource): Explained[] {
  const explained: Explained[] = []
  const functions = new Map(plannedStatements(tableNames(dataSource)).map((each) => [each.call, each]))
  const query = dataSource.query.bind(dataSource) as (sql: string, parameters?: unknown[]) => Promise<unknown>
  const explaining = async (sql: string, parameters: unknown[] = []) => {
    const runner = dataSource.createQueryRunner()
    try {
      await runner.startTransaction()
      const called = functions.get(sql)
      const [row] = called
        ? await explainGeneric(runner, called, parameters)
        : await runner.query(`${EXPLAIN} ${sql}`, parameters)
      explained.push(toExplained(called?.statement ?? sql, row['QUERY PLAN'][0].Plan))
    } finally {
      await runner.rollbackTransaction()
      await runner.release()
    }
    return query(sql, parameters)
  }
  dataSource.query = explaining as typeof dataSource.query
  return explained
}

const EXPLAIN = 'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)'

async function explainGeneric(runner: QueryRunner, called: Planned, parameters: readonly unknown[]) {
  await runner.query('SET LOCAL plan_cache_mode = force_generic_plan')
  await runner.query(`PREPARE explained (${called.parameters.join(', ')}) AS ${called.statement}`)
  try {
    return await runner.query(`${EXPLAIN} EXECUTE explained (${parameters.map(literal).join(', ')})`)
  } finally {
    await runner.query('DEALLOCATE explained')
  }
}

function literal(value: unknown): string {
  if (value === null) return 'NULL'
  return escapeLiteral(Array.isArray(value) ? `{${value.join()}}` : String(value))
}

function toExplained(sql: string, plan: PlanNode): Explained {
  const nodes = flatten(plan)
  return {
    sql,
    buffers: plan['Shared Hit Blocks'] + plan['Shared Read Blocks'],
    indexes: [...new Set(nodes.flatMap((node) => node['Index Name'] ?? []))].sort(),
    sequential: nodes
      .filter((node) => node['Node Type'] === 'Seq Scan')
      .map((node) => node['Relation Name'] ?? ''),
    tree: draw(plan).join('\n'),
  }
}

function flatten(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(flatten)]
}

function draw(node: PlanNode, depth = 0): string[] {
  const on = node['Index Name'] ?? node['Relation Name'] ?? ''
  const pages = node['Shared Hit Blocks'] + node['Shared Read Blocks']
  const line = `${'  '.repeat(depth)}${node['Node Type']} ${on} rows=${node['Actual Rows']} pages=${pages}`
  return [line, ...(node.Plans ?? []).flatMap((child) => draw(child, depth + 1))]
}
