import { useState } from "preact/hooks"
import { has, moment, t } from "../language"
import { ProblemNotice } from "../parts/notice"
import { Table } from "../parts/table"
import { usePages } from "../resource"
import { type Event, get, nameText, profilePath } from "../server"

const types = ["identify", "track", "page", "screen", "group", "alias"]

/** Timeline lists the events of a person, the newest first. */
export function Timeline({ id }: { id: string }) {
  const [type, setType] = useState("")
  const [name, setName] = useState("")
  const [since, setSince] = useState("")
  const [until, setUntil] = useState("")
  const events = usePages(
    async (cursor, signal) => {
      const page = await get<{ events: Event[]; next: string | null }>(profilePath(id, "events"), { type, name: name.trim(), since: day(since), until: day(until, 1), cursor }, signal)
      return { rows: page.events, next: page.next }
    },
    [id, type, name, since, until],
  )
  return (
    <>
      <form class="row" onSubmit={(e) => e.preventDefault()}>
        <label>
          {t("event.type")}
          <select value={type} onChange={(e) => setType(e.currentTarget.value)}>
            <option value="">{t("all")}</option>
            {types.map((value) => <option value={value}>{t(`type.${value}` as never)}</option>)}
          </select>
        </label>
        <label>{t("event.name")}<input value={name} onChange={(e) => setName(e.currentTarget.value)} /></label>
        <label>{t("since")}<input type="date" value={since} onChange={(e) => setSince(e.currentTarget.value)} /></label>
        <label>{t("until")}<input type="date" value={until} onChange={(e) => setUntil(e.currentTarget.value)} /></label>
      </form>
      {events.problem && <ProblemNotice problem={events.problem} retry={events.reload} />}
      {events.value && (
        <Table
          name={t("person.timeline")}
          rows={events.value}
          more={events.more}
          loading={events.loading}
          columns={[
            { title: t("time"), text: (e) => e.timestamp, cell: (e) => moment(e.timestamp) },
            { title: t("event.type"), text: (e) => e.type, cell: (e) => (has(`type.${e.type}`) ? t(`type.${e.type}` as never) : e.type) },
            { title: t("event.name"), text: (e) => e.name ?? "" },
            { title: t("source"), text: (e) => e.source },
            { title: t("event.by"), text: (e) => e.identifiers.map(nameText).join(" "), cell: (e) => e.identifiers.map((i) => <span class="identifier">{nameText(i)}</span>) },
            { title: t("event.content"), text: content, cell: (e) => <Content e={e} /> },
          ]}
        />
      )}
    </>
  )
}

const content = (e: Event) => JSON.stringify({ traits: e.traits, properties: e.properties, order: e.order, context: e.context })

function Content({ e }: { e: Event }) {
  const text = JSON.stringify({ traits: e.traits, properties: e.properties, order: e.order, context: e.context }, null, 2)
  if (text === "{}") return null
  return (
    <details>
      <summary>{t("event.show")}</summary>
      <pre>{text}</pre>
    </details>
  )
}

/** day is the beginning of a day of the reader's time zone, some days later, as the API takes it. */
function day(date: string, later = 0): string | undefined {
  if (!date) return undefined
  const [year, month, of] = date.split("-").map(Number)
  return new Date(year, month - 1, of + later).toISOString()
}
