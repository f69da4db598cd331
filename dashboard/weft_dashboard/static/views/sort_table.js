// A table whose columns sort. The order is a text: a column's key, with "-" before it for largest first.
import { place, select } from "../state.js";
import { html } from "../ui.js";

/**
 * @template T
 * @typedef {object} Column
 * @property {string} key
 * @property {string} label
 * @property {(row: T) => any} value Number, text, or null where there is none: those come last.
 * @property {(value: any) => string} [text]
 * @property {(row: T) => string} [tone]
 * @property {boolean} [head] Names the row, and selects it.
 */

/** @param {any} a @param {any} b */
const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a - b);

/** @template {{ id: string }} T @param {T[]} rows @param {Column<T>[]} columns @param {string} sort */
function sorted(rows, columns, sort) {
  const key = sort.replace(/^-/, "");
  const column = columns.find((one) => one.key === key) ?? columns[0];
  const sign = sort.startsWith("-") ? -1 : 1;
  const keyed = rows.map((row) => ({ row, value: column.value(row) }));
  keyed.sort((a, b) => {
    if (a.value === null || b.value === null) return Number(a.value === null) - Number(b.value === null);
    return sign * compare(a.value, b.value) || (a.row.id < b.row.id ? -1 : 1);
  });
  return keyed.map((one) => one.row);
}

/** Pressed again, the column turns around; figures begin with the largest. @param {Column<any>} column @param {string} sort */
const nextSort = (column, sort) => {
  if (sort === column.key) return `-${column.key}`;
  if (sort === `-${column.key}`) return column.key;
  return column.text ? `-${column.key}` : column.key;
};

/** @param {Column<any>} column @param {string} sort */
const direction = (column, sort) => {
  if (sort === column.key) return "ascending";
  return sort === `-${column.key}` ? "descending" : "none";
};

/** @param {{ column: Column<any>, sort: string, onSort: (sort: string) => void }} props */
const Head = ({ column, sort, onSort }) => html`
  <th scope="col" class=${column.text ? "number" : ""} aria-sort=${direction(column, sort)}>
    <button type="button" onClick=${() => onSort(nextSort(column, sort))}>${column.label}<span class="turn" aria-hidden="true"></span></button>
  </th>
`;

/** @param {{ row: any, column: Column<any> }} props */
function Cell({ row, column }) {
  const value = column.value(row);
  if (column.head) return html`<th scope="row"><button type="button" class="goto" onClick=${() => select(row.id)}>${value}</button></th>`;
  const text = column.text ? column.text(value) : value;
  return html`<td class="${column.text ? "number" : ""} ${column.tone ? column.tone(row) : ""}">${text}</td>`;
}

/** @param {{ caption: string, rows: any[], columns: Column<any>[], sort: string, onSort: (sort: string) => void }} props */
export const SortTable = ({ caption, rows, columns, sort, onSort }) => html`
  <table class="sort-table">
    <caption>${caption} <span class="number">${rows.length}</span></caption>
    <thead><tr>${columns.map((column) => html`<${Head} key=${column.key} column=${column} sort=${sort} onSort=${onSort} />`)}</tr></thead>
    <tbody>
      ${sorted(rows, columns, sort).map(
        (row) => html`
          <tr key=${row.id} class=${place.value.select === row.id ? "is-selected" : ""} onClick=${() => select(row.id)}>
            ${columns.map((column) => html`<${Cell} key=${column.key} row=${row} column=${column} />`)}
          </tr>
        `,
      )}
    </tbody>
  </table>
`;
