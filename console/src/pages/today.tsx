import { useEffect, useRef } from "preact/hooks"
import { has, number, plural, t } from "../language"
import { AsOf, Notice, ProblemNotice } from "../parts/notice"
import { useResource } from "../resource"
import { ask, get, may, type Ready, type Stats } from "../server"

const every = 5000 // ms between two looks; a hidden page does not look

/** TodayPage shows what the deployment holds, and what needs attention. */
export function TodayPage() {
  const stats = useResource(async (signal) => (may("ops") ? await get<Stats>("/v1/stats", {}, signal) : undefined), [])
  const ready = useResource((signal) => ask<Ready>("GET", "/readyz", { signal, accept: [503] }), [])
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.hidden) return
      stats.reload()
      ready.reload()
    }, every)
    return () => clearInterval(timer)
  }, [stats.reload, ready.reload])
  const rate = useRate(stats.value?.events, stats.at)
  const failed = ready.value?.checks.filter((c) => !c.ok) ?? []
  return (
    <>
      <h1>{t("today.title")}</h1>
      {stats.problem && <ProblemNotice problem={stats.problem} retry={stats.reload} />}
      {ready.problem && <ProblemNotice problem={ready.problem} retry={ready.reload} />}
      {!may("ops") && <Notice>{t("today.noops")}</Notice>}
      {stats.value && (
        <>
          <dl class="figures">
            <Figure name={t("today.people")} value={number(stats.value.identities)} />
            <Figure name={t("today.events")} value={number(stats.value.events)} note={rate === undefined ? undefined : plural("today.rate", Math.round(rate))} />
            <Figure name={t("today.merges")} value={number(stats.value.merges)} note={plural("today.splits", stats.value.splits)} />
            <Figure name={t("today.duplicates")} value={number(stats.value.duplicates)} note={t("today.duplicates.note")} />
          </dl>
          <AsOf at={stats.at} />
        </>
      )}
      <h2>{t("today.attention")}</h2>
      <ul class="attention">
        {failed.map((c) => (
          <li class="bad">{has(`check.${c.name}`) ? t(`check.${c.name}` as never) : t("check.other", { name: c.name })}{c.detail && <span class="quiet" lang="en"> {c.detail}</span>}</li>
        ))}
        {!!stats.value?.quarantined && <li class="bad">{plural("today.quarantined", stats.value.quarantined)}</li>}
        {!!stats.value?.generic_values && <li>{plural("today.generic", stats.value.generic_values)}</li>}
        {ready.value && failed.length === 0 && !stats.value?.quarantined && <li class="good">{t("today.fine")}</li>}
      </ul>
    </>
  )
}

const Figure = ({ name, value, note }: { name: string; value: string; note?: string }) => (
  <div class="card">
    <dt>{name}</dt>
    <dd>{value}</dd>
    {note && <dd class="quiet">{note}</dd>}
  </div>
)

/** useRate returns how fast a count grew between the last two looks, a second. */
function useRate(count: number | undefined, at: Date | undefined): number | undefined {
  const last = useRef<{ count: number; at: number; rate?: number } | undefined>(undefined)
  if (count === undefined || !at) return undefined
  const before = last.current
  if (!before) last.current = { count, at: at.getTime() }
  else if (at.getTime() > before.at) last.current = { count, at: at.getTime(), rate: (1000 * (count - before.count)) / (at.getTime() - before.at) }
  return last.current?.rate
}
