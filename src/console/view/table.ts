import { html } from 'hono/html'
import type { Html } from './html'

export interface Column<Row> {
  readonly label: string
  readonly cell: (row: Row) => Html | string
  /** Right-aligned, with figures of one width. */
  readonly figures?: boolean
}

/**
 * A table that turns into cards on a phone. The roles repeat what the elements say: a style that lays cells out as
 * blocks takes it away in some browsers.
 *
 * The first column names its row.
 */
export function table<Row>(caption: string, columns: readonly Column<Row>[], rows: readonly Row[]): Html {
  const figures = (column: Column<Row>) => (column.figures ? 'figures' : '')
  return html`<table role="table">
    <caption>${caption}</caption>
    <thead role="rowgroup"><tr role="row">${columns.map(
      (column) => html`<th role="columnheader" scope="col" class="${figures(column)}">${column.label}</th>`,
    )}</tr></thead>
    <tbody role="rowgroup">${rows.map(
      (row) =>
        html`<tr role="row">${columns.map((column, i) =>
          i === 0
            ? html`<th role="rowheader" scope="row">${column.cell(row)}</th>`
            : html`<td role="cell" class="${figures(column)}" data-label="${column.label}">${column.cell(row)}</td>`,
        )}</tr>`,
    )}</tbody>
  </table>`
}
