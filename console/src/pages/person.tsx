import { useEffect } from "preact/hooks"
import { has, moment, money, number, t } from "../language"
import { AsOf, ProblemNotice } from "../parts/notice"
import { fullName, traitText } from "../parts/person"
import { Table } from "../parts/table"
import { usePages, useResource } from "../resource"
import { go, href } from "../router"
import { get, type Membership, type Profile, profilePath, type Trait } from "../server"
import { Identity } from "./identity"
import { Memberships } from "./memberships"
import { Orders } from "./orders"
import { ScoresPart } from "./scores"
import { Timeline } from "./timeline"

const parts = ["overview", "timeline", "orders", "scores", "audiences", "identity"] as const

/** PersonPage shows one person, by public id. */
export function PersonPage({ id, part = "overview" }: { id: string; part?: string }) {
  const person = useResource((signal) => get<Profile>(profilePath(id), { computed: "true" }, signal), [id])
  useEffect(() => {
    const now = person.value?.id
    if (now && now !== id) go(href("people", now, ...(part === "overview" ? [] : [part])), true) // a public id leads to whoever holds its identifier
  }, [person.value?.id])
  const p = person.value
  return (
    <>
      <p><a href={href("people")}>← {t("people.title")}</a></p>
      {person.problem && <ProblemNotice problem={person.problem} retry={person.reload} />}
      {!p && !person.problem && <p class="quiet">{t("loading")}</p>}
      {p && (
        <>
          <h1>{fullName(p)}</h1>
          <nav class="tabs" aria-label={t("person.parts")}>
            {parts.map((name) => (
              <a href={name === "overview" ? href("people", id) : href("people", id, name)} aria-current={name === part ? "page" : undefined}>{t(`person.${name}`)}</a>
            ))}
          </nav>
          {part === "overview" && <Overview p={p} at={person.at} />}
          {part === "timeline" && <Timeline id={id} />}
          {part === "orders" && <Orders id={id} />}
          {part === "scores" && <ScoresPart id={id} />}
          {part === "audiences" && <Memberships id={id} />}
          {part === "identity" && <Identity p={p} changed={person.reload} />}
          {!(parts as readonly string[]).includes(part) && <p>{t("page.unknown")}</p>}
        </>
      )}
    </>
  )
}

function Overview({ p, at }: { p: Profile; at?: Date }) {
  const currencies = Object.entries(p.by_currency ?? {})
  const traits = usePages(
    async (cursor, signal) => {
      const page = await get<{ traits: Record<string, Trait>; next: string | null }>(profilePath(p.id, "traits"), { verbose: "true", cursor }, signal)
      return { rows: Object.entries(page.traits), next: page.next }
    },
    [p],
  )
  const groups = usePages(
    async (cursor, signal) => {
      const page = await get<{ groups: Membership[]; next: string | null }>(profilePath(p.id, "groups"), { cursor }, signal)
      return { rows: page.groups, next: page.next }
    },
    [p],
  )
  return (
    <>
      <dl class="figures">
        <div class="card"><dt>{t("events")}</dt><dd>{number(p.events)}</dd><dd class="quiet">{counts(p)}</dd></div>
        <div class="card"><dt>{t("orders")}</dt><dd>{number(p.orders)}</dd></div>
        <div class="card"><dt>{t("revenue")}</dt>{currencies.length ? currencies.map(([c, s]) => <dd>{money(s.revenue, c)}</dd>) : <dd>–</dd>}</div>
        <div class="card"><dt>{t("seen.first")}</dt><dd class="text">{moment(p.first_seen) || "–"}</dd></div>
        <div class="card"><dt>{t("seen.last")}</dt><dd class="text">{moment(p.last_seen) || "–"}</dd></div>
      </dl>
      {p.control && <p class="notice">{t("person.control")}</p>}
      <p class="quiet">{t("person.id")} <code>{p.id}</code></p>
      <h2>{t("person.identifiers")}</h2>
      <Table
        name={t("person.identifiers")}
        rows={p.identifiers}
        columns={[
          { title: t("identifier.namespace"), text: (i) => i.namespace },
          { title: t("identifier.value"), text: (i) => i.value, cell: (i) => <>{i.value}{i.generic && <span class="tag">{t("identifier.generic")}</span>}</> },
          { title: t("seen.first"), text: (i) => i.first_seen ?? "", cell: (i) => moment(i.first_seen) },
          { title: t("seen.last"), text: (i) => i.last_seen ?? "", cell: (i) => moment(i.last_seen) },
        ]}
      />
      <h2>{t("person.traits")}</h2>
      {traits.problem && <ProblemNotice problem={traits.problem} retry={traits.reload} />}
      {traits.value && (
        <Table
          name={t("person.traits")}
          rows={traits.value}
          more={traits.more}
          loading={traits.loading}
          columns={[
            { title: t("trait.name"), text: ([name]) => name },
            { title: t("trait.value"), text: ([, trait]) => traitText(trait.value) },
            { title: t("trait.set"), text: ([, trait]) => trait.updated_at, cell: ([, trait]) => moment(trait.updated_at) },
            { title: t("source"), text: ([, trait]) => trait.source },
          ]}
        />
      )}
      {p.computed && (
        <>
          <h2>{t("person.computed")}</h2>
          <Table
            name={t("person.computed")}
            rows={Object.entries(p.computed)}
            columns={[
              { title: t("variable"), text: ([name]) => name },
              { title: t("trait.value"), text: ([, value]) => traitText(value) },
            ]}
          />
        </>
      )}
      {!!groups.value?.length && (
        <>
          <h2>{t("person.groups")}</h2>
          <Table
            name={t("person.groups")}
            rows={groups.value}
            more={groups.more}
            loading={groups.loading}
            columns={[
              { title: t("group.id"), text: (g) => g.id },
              { title: t("group.type"), text: (g) => g.type ?? "" },
              { title: t("seen.first"), text: (g) => g.first_seen, cell: (g) => moment(g.first_seen) },
              { title: t("seen.last"), text: (g) => g.last_seen, cell: (g) => moment(g.last_seen) },
            ]}
          />
        </>
      )}
      <AsOf at={at} />
    </>
  )
}

const counts = (p: Profile) =>
  Object.entries(p.counts)
    .map(([type, n]) => `${has(`type.${type}`) ? t(`type.${type}` as never) : type} ${number(n)}`)
    .join(" · ")
