import { useState } from "preact/hooks"
import { t } from "../language"
import { IdentityGraph } from "../parts/graph"
import { Notice, ProblemNotice } from "../parts/notice"
import { assertionText, reasonText } from "../parts/sentence"
import { Table } from "../parts/table"
import { type Change, ChangeDialog } from "../parts/undo"
import { useResource } from "../resource"
import { type Assertion, get, may, nameText, type Profile, profilePath, type Reason, type Why } from "../server"
import { moment } from "../language"

/** Identity shows why the identifiers of a person are one person, and undoes it. */
export function Identity({ p, changed }: { p: Profile; changed: () => void }) {
  const how = useResource((signal) => get<{ steps: Reason[] }>(profilePath(p.id, "how"), {}, signal), [p])
  const decided = useResource((signal) => get<{ assertions: Assertion[] }>(profilePath(p.id, "assertions"), {}, signal), [p])
  const [change, setChange] = useState<Change>()
  const [said, setSaid] = useState("")
  const done = () => {
    setSaid(t("change.done"))
    setChange(undefined)
    changed()
  }
  const allowed = may("graph:admin")
  const withdrawable = decided.value?.assertions ?? []
  return (
    <>
      {said && <Notice>{said}</Notice>}
      {how.problem && <ProblemNotice problem={how.problem} retry={how.reload} />}
      {how.value && (
        <>
          <IdentityGraph identifiers={p.identifiers} steps={how.value.steps} />
          <WhyTwo p={p} undo={allowed ? setChange : undefined} />
          <h2>{t("identity.evidence")}</h2>
          <Table
            name={t("identity.evidence")}
            rows={how.value.steps}
            columns={[
              { title: t("identity.link"), text: reasonText },
              ...(allowed ? [{ title: t("identity.undo"), text: () => "", cell: (r: Reason) => <UndoButtons r={r} undo={setChange} /> }] : []),
            ]}
          />
        </>
      )}
      <h2>{t("identity.decisions")}</h2>
      {decided.problem && <ProblemNotice problem={decided.problem} retry={decided.reload} />}
      <Table
        name={t("identity.decisions")}
        rows={withdrawable}
        loading={decided.loading}
        columns={[
          { title: t("identity.decision"), text: (a) => assertionText(a), cell: (a) => <>{assertionText(a)}{a.withdrawn && <span class="tag">{t("identity.withdrawn")}</span>}</> },
          { title: t("time"), text: (a) => a.at, cell: (a) => moment(a.at) },
          { title: t("identity.by"), text: (a) => a.by ?? "" },
          { title: t("identity.note"), text: (a) => a.note ?? "" },
          ...(allowed
            ? [{ title: t("identity.undo"), text: () => "", cell: (a: Assertion) => !a.withdrawn && <button type="button" onClick={() => setChange({ verb: a.verb, a: a.a, b: a.b, withdraw: true })}>{t("change.withdraw")}</button> }]
            : []),
        ]}
      />
      {change && <ChangeDialog change={change} close={() => setChange(undefined)} done={done} />}
    </>
  )
}

const UndoButtons = ({ r, undo }: { r: Reason; undo: (c: Change) => void }) => (
  <span class="row">
    <button type="button" onClick={() => undo({ verb: "cannot", a: r.a, b: r.b })}>{t("change.cannot")}</button>
    <button type="button" class="plain" onClick={() => undo({ verb: "retract", a: r.a, b: r.b })}>{t("change.retract")}</button>
  </span>
)

/** WhyTwo answers why two identifiers of the person are one person. */
function WhyTwo({ p, undo }: { p: Profile; undo?: (c: Change) => void }) {
  const [a, setA] = useState(0)
  const [b, setB] = useState(1)
  const one = p.identifiers[a]
  const two = p.identifiers[b]
  const why = useResource(async (signal) => (one && two && a !== b ? await get<Why>(profilePath(nameText(one), "why"), { with: nameText(two) }, signal) : undefined), [p, a, b])
  if (p.identifiers.length < 2) return <p>{t("identity.single")}</p>
  const choice = (label: string, value: number, set: (n: number) => void) => (
    <label>
      {label}
      <select value={value} onChange={(e) => set(Number(e.currentTarget.value))}>{p.identifiers.map((i, n) => <option value={n}>{nameText(i)}</option>)}</select>
    </label>
  )
  return (
    <section>
      <h2>{t("identity.why")}</h2>
      <form class="row" onSubmit={(e) => e.preventDefault()}>
        {choice(t("identity.one"), a, setA)}
        {choice(t("identity.two"), b, setB)}
        {undo && <button type="button" disabled={a === b} onClick={() => undo({ verb: "cannot", a: one, b: two })}>{t("change.cannot")}</button>}
      </form>
      {why.problem && <ProblemNotice problem={why.problem} retry={why.reload} />}
      <div role="status">
        {why.value && <p><strong>{t(why.value.same ? "identity.same" : "identity.different")}</strong></p>}
        {why.value && <ol>{why.value.path.map((r) => <li class={r.refused ? "refused" : undefined}>{reasonText(r)}</li>)}</ol>}
      </div>
    </section>
  )
}
