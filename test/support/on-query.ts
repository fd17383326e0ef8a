import type { DataSource } from 'typeorm'

/** Does something after each statement of the DataSource that holds this text, before its answer is known. */
export function onQuery(dataSource: DataSource, text: string, act: () => unknown): void {
  const query = dataSource.query.bind(dataSource)
  Object.assign(dataSource, {
    query: async (sql: string, parameters?: unknown[]) => {
      const answer: unknown = await query(sql, parameters)
      if (sql.includes(text)) await act()
      return answer
    },
  })
}
