import { useEffect, useState } from "preact/hooks"
import { clock, number, t } from "../language"
import { ConditionForm } from "../parts/condition-form"
import { Notice, ProblemNotice } from "../parts/notice"
import { Table } from "../parts/table"
import { asProblem, useResource } from "../resource"
import { go, href } from "../router"
import { ask, type AudiencePreview, type Audiences, get, may, type PreviewCount, type PreviewNumber, type Problem } from "../server"

const pause = 200 // ms without a key before the server is asked

/** AudiencePage makes or changes an audience: as chips and as text, with its count while it changes. */
export function AudiencePage({ name }: { name?: string }) {
  const defined = useResource((signal) => get<Audiences>("/v1/audiences", {}, signal), [])
  const [text, setText] = useState<string>()
  const stored = defined.value?.audiences.find((a) => a.key === name)?.text
  if (defined.problem) return <ProblemNotice problem={defined.problem} retry={defined.reload} />
  if (!defined.value) return <p class="quiet">{t("loading")}</p>
  if (name && stored === undefined) return <h1>{t("page.unknown")}</h1>
  return <Builder name={name} version={defined.value.version} text={text ?? stored ?? ""} setText={setText} others={defined.value.audiences.map((a) => a.key).filter((key) => key !== name)} />
}

function Builder({ name, version, text, setText, others }: { name?: string; version: number; text: string; setText: (text: string) => void; others: string[] }) {
  const [asked, setAsked] = useState({ text, exact: false })
  useEffect(() => {
    const timer = setTimeout(() => setAsked((a) => (a.text === text ? a : { text, exact: false })), pause)
    return () => clearTimeout(timer)
  }, [text])
  const preview = useResource(
    async (signal) => (asked.text.trim() ? ask<AudiencePreview>("POST", "/v1/audiences:preview", { body: asked, signal }) : undefined),
    [asked.text, asked.exact],
  )
  const d = asked.text.trim() ? preview.value : undefined
  const add = (condition: string) => setText(d ? `${operand(d.text)} && ${condition}` : condition)
  const without = (gone: string) => setText(d!.conditions.filter((c) => c.id !== gone).map((c) => operand(c.text)).join(" && "))
  return (
    <>
      <h1>{name ?? t("builder.title")}</h1>
      <ConditionForm audiences={others} add={add} />
      <label>
        {t("builder.text")}
        <textarea rows={3} spellcheck={false} maxLength={20_000} value={text} onInput={(e) => setText(e.currentTarget.value)} />
      </label>
      {preview.problem && <ProblemNotice problem={preview.problem} />}
      {!asked.text.trim() && <p class="quiet">{t("builder.empty")}</p>}
      {d && <Figures d={d} at={preview.at} loading={preview.loading} count={() => setAsked({ text: asked.text, exact: true })} />}
      {d && (
        <>
          <h2>{t("builder.waterfall")}</h2>
          <Table
            name={t("builder.waterfall")}
            rows={d.conditions}
            columns={[
              { title: t("audience.conditions"), text: (c) => c.text, cell: (c) => <code>{c.text}</code> },
              { title: t("builder.alone"), text: (c) => String(c.alone.estimate), cell: (c) => <Share n={c.alone} of={d.people.all} />, numeric: true },
              { title: t("builder.kept"), text: (c) => String(c.kept.estimate), cell: (c) => <Share n={c.kept} of={d.people.all} />, numeric: true },
              { title: t("builder.remove"), text: () => "", cell: (c) => <button type="button" class="plain" aria-label={`${t("builder.remove")}: ${c.text}`} onClick={() => without(c.id)}>×</button> },
            ]}
          />
          <Some d={d} />
        </>
      )}
      <Save name={name} version={version} text={text} ready={d !== undefined && !preview.problem && asked.text === text} />
    </>
  )
}

/** operand is a condition as it stands beside "&&". */
const operand = (text: string) => (text.includes("||") ? `(${text})` : text)

function Figures({ d, at, loading, count }: { d: AudiencePreview; at?: Date; loading: boolean; count: () => void }) {
  const card = (title: string, c: PreviewCount) => (
    <div class="card">
      <dt>{title}</dt>
      <dd>{number(c.all.estimate)}</dd>
      <dd class="quiet">{bounds(c.all)}</dd>
      <dd class="quiet">{t("builder.known", { n: number(c.known.estimate) })}</dd>
    </div>
  )
  return (
    <>
      <dl class="figures" aria-live="polite">
        {card(t("builder.members"), d.members)}
        {card(t("builder.people"), d.people)}
      </dl>
      <p class="row">
        <span class="quiet">{at && (d.exact ? t("asof.exact", { time: clock(at) }) : t("asof.estimate", { time: clock(at), n: number(d.looked_at) }))}</span>
        {!d.exact && <button type="button" disabled={loading} onClick={count}>{t("builder.exact")}</button>}
        {loading && <span class="quiet" role="status">{t("loading")}</span>}
      </p>
    </>
  )
}

const bounds = (n: PreviewNumber) => (n.low === n.high ? "" : t("builder.bounds", { low: number(n.low), high: number(n.high) }))

const Share = ({ n, of }: { n: PreviewNumber; of: PreviewNumber }) => (
  <>
    {number(n.estimate)}
    <meter aria-hidden="true" min={0} max={Math.max(1, of.estimate)} value={n.estimate} />
  </>
)

function Some({ d }: { d: AudiencePreview }) {
  const texts = Object.fromEntries(d.conditions.map((c) => [c.id, c.text]))
  return (
    <div class="columns">
      <section>
        <h2>{t("builder.sample")}</h2>
        <ul class="tight">{d.sample.map((id) => <li><a href={href("people", id, "audiences")}>{id}</a></li>)}</ul>
        {d.sample.length === 0 && <p class="quiet">{t("table.empty")}</p>}
      </section>
      <section>
        <h2>{t("builder.misses")}</h2>
        <ul class="tight">
          {d.misses.map((m) => <li><a href={href("people", m.id)}>{m.id}</a> <span class="quiet"><code>{texts[m.condition]}</code></span></li>)}
        </ul>
        {d.misses.length === 0 && <p class="quiet">{t("table.empty")}</p>}
      </section>
    </div>
  )
}

/** Save defines the audience, unless definitions have changed since this version was read: that change would be undone unseen. */
function Save({ name, version, text, ready }: { name?: string; version: number; text: string; ready: boolean }) {
  const [of, setOf] = useState(version)
  const [key, setKey] = useState(name ?? "")
  const [problem, setProblem] = useState<Problem>()
  const [busy, setBusy] = useState(false)
  const [saved, setSaved] = useState(false)
  if (!may("audiences:write") && !may("ops")) return <p class="quiet">{t("builder.mayNot")}</p>
  const save = async (e: SubmitEvent) => {
    e.preventDefault()
    setBusy(true)
    setProblem(undefined)
    try {
      const defined = await ask<Audiences>("POST", "/v1/audiences:apply", { headers: { "If-Match": `"${of}"` }, body: { audiences: { [key]: text } } })
      setOf(defined.version)
      setSaved(true)
      if (!name) go(href("audiences"))
    } catch (cause) {
      setProblem(asProblem(cause))
    }
    setBusy(false)
  }
  return (
    <form class="row" onSubmit={save}>
      {!name && (
        <label>
          {t("builder.key")}
          <input required pattern="[a-z_][a-z0-9_]*" maxLength={64} autocomplete="off" value={key} onInput={(e) => setKey(e.currentTarget.value)} />
        </label>
      )}
      <button class="strong" disabled={!ready || busy}>{t("builder.save")}</button>
      {problem && <ProblemNotice problem={problem} />}
      {saved && <Notice>{t("builder.saved")}</Notice>}
    </form>
  )
}
