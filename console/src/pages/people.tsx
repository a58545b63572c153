import { signal } from "@preact/signals"
import { useEffect, useState } from "preact/hooks"
import { moment, money, number, plural, t } from "../language"
import { AsOf, ProblemNotice } from "../parts/notice"
import { fullName } from "../parts/person"
import { Table } from "../parts/table"
import { usePages } from "../resource"
import { href } from "../router"
import { get, nameText, type People, Problem, type Profile, profilePath } from "../server"

// The search stays while the reader looks at somebody and comes back. It is not in the address: it is about people.
const search = signal("")
const pause = 250 // ms without a key before the server is asked

/** PeoplePage finds people by an identifier, or by the beginning of a name, an address or a number. */
export function PeoplePage() {
  const [asked, setAsked] = useState(search.value)
  useEffect(() => {
    const timer = setTimeout(() => setAsked(search.value), pause)
    return () => clearTimeout(timer)
  }, [search.value])
  const people = usePages((cursor, signal) => find(asked.trim(), cursor, signal), [asked])
  return (
    <>
      <h1>{t("people.title")}</h1>
      <form role="search" onSubmit={(e) => (e.preventDefault(), setAsked(search.value))}>
        <label>
          {t("people.search")}
          <input type="search" autocomplete="off" spellcheck={false} value={search.value} onInput={(e) => (search.value = e.currentTarget.value)} />
        </label>
        <p class="quiet">{t("people.hint")}</p>
      </form>
      {people.problem && <ProblemNotice problem={people.problem} retry={people.reload} />}
      {people.value && (
        <Table
          name={t("people.title")}
          rows={people.value}
          more={people.more}
          loading={people.loading}
          columns={[
            { title: t("person"), text: fullName, cell: (p) => <a href={href("people", p.id)}>{fullName(p)}</a> },
            { title: t("person.identifiers"), text: (p) => p.identifiers.map(nameText).join(" "), cell: some },
            { title: t("events"), text: (p) => String(p.events), cell: (p) => number(p.events), numeric: true },
            { title: t("orders"), text: (p) => String(p.orders), cell: (p) => number(p.orders), numeric: true },
            { title: t("revenue"), text: (p) => `${p.revenue} ${p.currency ?? ""}`.trim(), cell: (p) => (p.orders ? money(p.revenue, p.currency) : ""), numeric: true },
            { title: t("seen.last"), text: (p) => p.last_seen ?? "", cell: (p) => moment(p.last_seen) },
          ]}
        />
      )}
      <AsOf at={people.at} />
    </>
  )
}

function some(p: Profile) {
  const shown = p.identifiers.slice(0, 3)
  const rest = p.identifiers.length - shown.length
  return (
    <>
      {shown.map((i) => <span class="identifier">{nameText(i)}</span>)}
      {rest > 0 && <span class="quiet">{plural("people.more", rest)}</span>}
    </>
  )
}

/** find looks a text up as an identifier, and as the beginning of one. */
async function find(text: string, cursor: string | undefined, signal: AbortSignal) {
  const exact = text && !cursor ? await lookUp(text, signal) : undefined
  const page = await get<People>("/v1/profiles", { q: text, limit: "50", cursor }, signal)
  const rest = page.profiles.filter((p) => p.id !== exact?.id)
  return { rows: exact ? [exact, ...rest] : rest, next: page.next }
}

/** lookUp finds the person of an identifier; undefined where the text is none, or nobody is known by it. */
async function lookUp(text: string, signal: AbortSignal): Promise<Profile | undefined> {
  if (!/^[a-z0-9_]+:.|@|^\+\d|^[0-9a-z]{26}$/.test(text)) return undefined
  try {
    return await get<Profile>(profilePath(text), {}, signal)
  } catch (cause) {
    if (cause instanceof Problem && (cause.status === 404 || cause.status === 400)) return undefined
    throw cause
  }
}
