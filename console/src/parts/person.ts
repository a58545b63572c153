// How a person is named on a page.
import { t } from "../language"
import type { Identifier, Profile } from "../server"

/** fullName is the name that the traits give, or an address, or the first identifier. */
export function fullName(p: Profile): string {
  const text = (name: string) => (typeof p.traits?.[name] === "string" ? (p.traits[name] as string) : "")
  const name = `${text("firstName")} ${text("lastName")}`.trim() || text("name")
  return name || text("email") || p.identifiers.find((i) => i.namespace === "email")?.value || firstIdentifier(p.identifiers)
}

const firstIdentifier = (list: Identifier[]) => (list.length ? `${list[0].namespace}:${list[0].value}` : t("person.unnamed"))

/** traitText shows the value of a trait. */
export const traitText = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value))
