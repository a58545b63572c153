// Tables for people. Each can be saved as CSV, with the rows that are shown.
import type { ComponentChildren } from "preact"
import { plural, t } from "../language"

export interface Column<T> {
  title: string
  text: (row: T) => string // as it stands in the file
  cell?: (row: T) => ComponentChildren // as it is shown, where that differs
  numeric?: boolean
}

export function Table<T>({ name, rows, columns, more, loading }: { name: string; rows: T[]; columns: Column<T>[]; more?: () => void; loading?: boolean }) {
  if (rows.length === 0 && !more) return <p class="quiet">{loading ? t("loading") : t("table.empty")}</p>
  return (
    <>
      {/* A region that scrolls has to be reached by the keyboard. */}
      <div class="scroll" tabIndex={0} role="region" aria-label={name}>
        <table>
          <caption class="hidden">{name}</caption>
          <thead>
            <tr>{columns.map((c) => <th scope="col" class={c.numeric ? "number" : undefined}>{c.title}</th>)}</tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr>{columns.map((c) => <td class={c.numeric ? "number" : undefined}>{c.cell ? c.cell(row) : c.text(row)}</td>)}</tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="row">
        <span class="quiet" role="status">{plural("table.rows", rows.length)}</span>
        {more && <button type="button" disabled={loading} onClick={more}>{t("table.more")}</button>}
        <button type="button" class="plain" onClick={() => save(name, rows, columns)}>{t("table.csv")}</button>
      </p>
    </>
  )
}

function save<T>(name: string, rows: T[], columns: Column<T>[]) {
  const lines = [columns.map((c) => c.title), ...rows.map((row) => columns.map((c) => c.text(row)))]
  const file = new Blob(["\ufeff", lines.map((line) => line.map(field).join(",")).join("\r\n"), "\r\n"], { type: "text/csv" })
  const link = document.createElement("a")
  link.href = URL.createObjectURL(file)
  link.download = `${name.toLowerCase().replace(/[^a-z0-9]+/g, "-")}.csv`
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

// A spreadsheet would compute what begins like a formula: an apostrophe keeps it a text.
const field = (text: string) => `"${(/^[=+\-@\t\r]/.test(text) && !/^[-+]?[\d.,]+$/.test(text) ? "'" + text : text).replaceAll('"', '""')}"`
