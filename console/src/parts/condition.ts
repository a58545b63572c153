// The conditions of an audience, in words.
import { plural, t } from "../language"
import type { AudienceCondition, Condition } from "../server"

/** conditionText says what a condition asks. A form that this page has no words for is shown as it is stored. */
export function conditionText(c: Condition): string {
  if (c.all) return t("condition.all")
  if (c.any) return t("condition.any")
  if (c.not) return t("condition.not")
  if (c.identifier) return t("condition.identifier", { namespace: c.identifier })
  if (c.audience) return t("condition.audience", { key: c.audience })
  if (c.signal) {
    const where = (c.signal.where ?? []).map((w) => w.map((part) => (typeof part === "string" ? part : JSON.stringify(part))).join(" ")).join(", ")
    const name = c.signal.event || c.signal.type || t("condition.anything")
    return t(c.last ? "condition.events.last" : "condition.events", { name: where ? `${name} (${where})` : name, last: c.last ?? "" })
  }
  const { id: _, ...stored } = c
  return JSON.stringify(stored)
}

/** inside lists the conditions that a condition is made of. */
export const inside = (c: Condition): Condition[] => c.all ?? c.any ?? (c.not ? [c.not] : [])

/** foundText says what was found of a condition. */
export function foundText(w: AudienceCondition): string {
  if (w.text !== undefined) return w.text
  if (w.number === undefined) return ""
  return plural(w.at_least ? "condition.found.least" : "condition.found", w.number)
}
