// The evidence between two identifiers, in words.
import { has, type Key, moment, plural, t } from "../language"
import { type Assertion, nameText, type Reason } from "../server"

/** reasonText says why two identifiers are linked, and what kept the link from counting. */
export function reasonText(r: Reason): string {
  const pair = { a: nameText(r.a), b: nameText(r.b) }
  let text: string
  if (r.assertion) text = t("reason.force", { ...pair, by: circumstances(r.assertion) })
  else if (r.events === 1) text = t("reason.one", { ...pair, how: t(`reason.${r.strength}` as Key), id: r.first!.message_id, at: moment(r.first!.time) })
  else text = plural("reason.many", r.events ?? 0, { ...pair, how: t(`reason.${r.strength}` as Key), from: moment(r.first?.time), to: moment(r.last?.time) })
  return r.refused ? `${text} ${t("reason.refused", { why: refusedText(r.refused) })}` : text
}

function refusedText(c: NonNullable<Reason["refused"]>): string {
  const key = c.kind === "limit" && c.within ? "refused.limit.within" : `refused.${c.kind}`
  const a = c.assertion
  return t(has(key) ? key : "refused.elsewhere", {
    max: c.max ?? "",
    namespace: c.namespace ?? "",
    within: c.within ?? "",
    node: c.node ? nameText(c.node) : "",
    a: a ? nameText(a.a) : "",
    b: a?.b ? nameText(a.b) : "",
    by: a ? circumstances(a) : "",
  })
}

/** circumstances are when an operator decided, who, and why. */
function circumstances(a: Assertion): string {
  return `(${[moment(a.at), a.by, a.note].filter(Boolean).join(", ")})`
}

/** assertionText says what an operator decided. */
export function assertionText(a: Assertion): string {
  return t(`assertion.${a.verb}`, { a: nameText(a.a), b: a.b ? nameText(a.b) : "" })
}
