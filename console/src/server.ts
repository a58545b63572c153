// What the console asks of the server. The documents are those of /openapi.json, as far as the console reads them.
import { signal } from "@preact/signals"

export interface Name {
  namespace: string
  value: string
}
export interface Identifier extends Name {
  raw?: string
  first_seen: string | null
  last_seen: string | null
  generic?: boolean
}
export interface Profile {
  id: string
  identifiers: Identifier[]
  events: number
  counts: Record<string, number>
  first_seen: string | null
  last_seen: string | null
  traits: Record<string, unknown>
  computed?: Record<string, unknown>
  orders: number
  revenue: number
  discount: number
  currency: string | null
  by_currency?: Record<string, { orders: number; revenue: number; discount: number }>
  control?: boolean
  scores?: Scores
}
export interface Scores {
  as_of: string
  version: number
  currency: string | null
  clv: number
  expected_orders: number
  order_value: number
  p_alive: number
  churn_risk: number
  p_buy_30d: number
  order_days: number
  average_order_day: number
  days_between_orders: number
  discount_affinity: { score: number; band: "unknown" | "low" | "medium" | "high"; depth: number; trials: { kind: "offers" | "coupons" | "reductions"; won: number; of: number; population: number }[] }
  offer_probability: number
  rfm: { recency: number; frequency: number; money: number } | null
  interests: { category: string; share: number; lift: number; count: number }[]
  reasons: { lifetime: string }
}
export interface People {
  profiles: Profile[]
  next: string | null
  read: number
}
export interface Trait {
  value: unknown
  updated_at: string
  source: string
  message_id: string
}
export interface Event {
  message_id: string
  type: string
  name?: string
  timestamp: string
  received_at: string
  source: string
  identifiers: Name[]
  traits?: Record<string, unknown>
  properties?: unknown
  context?: unknown
  order?: unknown
}
export interface Order {
  id: string
  placed_at: string
  status: "unknown" | "placed" | "cancelled" | "refunded"
  currency: string
  revenue: number
  net: number
  refunded: number
  discount: number
  coupon?: string
  lines?: { product_id?: string; sku?: string; name?: string; price?: number; quantity: number }[]
}
export interface Mark {
  time: string
  message_id: string
  source?: string
}
export interface Assertion {
  id: string
  verb: "force" | "cannot" | "retract" | "forget"
  withdrawn: boolean
  a: Name
  b?: Name
  at: string
  by?: string
  note?: string
}
export interface Reason {
  a: Name
  b: Name
  strength: "observe" | "identify" | "alias" | "force"
  events?: number
  first?: Mark
  last?: Mark
  assertion?: Assertion
  refused?: { kind: string; namespace?: string; max?: number; within?: string; assertion?: Assertion; node?: Name }
}
export interface Why {
  same: boolean
  a: Name
  b: Name
  path: Reason[]
}
export interface AssertionRequest {
  verb: Assertion["verb"]
  a: string
  b?: string
  note?: string
  by?: string
  withdraw?: boolean
  dry_run?: boolean
}
export interface AssertionAnswer {
  before: Profile[]
  after: Profile[]
  warnings?: string[]
}
export interface Session {
  open: boolean
  signed_in: boolean
  name?: string
  scopes: string[]
  until: string | null
  version: string
}
/** Condition is a node of the tree that an audience is stored as; forms that no page has words for have other members. */
export interface Condition {
  id: string
  all?: Condition[]
  any?: Condition[]
  not?: Condition
  identifier?: string
  audience?: string
  signal?: { event?: string; type?: string; where?: unknown[][] }
  last?: string
}
export interface Audiences {
  version: number
  filled: number
  audiences: { key: string; text: string; where: Condition; serves: boolean; members: number | null }[]
}
export interface ComputedTraits {
  version: number
  filled: number
  traits: { key: string; text: string; serves: boolean }[]
}
export interface PreviewNumber {
  estimate: number
  low: number
  high: number
}
export interface PreviewCount {
  all: PreviewNumber
  known: PreviewNumber
}
export interface AudiencePreview {
  text: string
  exact: boolean
  looked_at: number
  people: PreviewCount
  members: PreviewCount
  conditions: { id: string; text: string; alone: PreviewNumber; kept: PreviewNumber }[]
  sample: string[]
  misses: { id: string; condition: string }[]
}
export interface AudienceCondition {
  id: string
  holds: boolean
  number?: number
  at_least?: boolean
  text?: string
  moments?: string[]
  inexact?: boolean
}
export interface PersonAudience {
  key: string
  in: boolean
  until?: string
  why?: AudienceCondition[]
}
export interface Membership {
  id: string
  type?: string
  events: number
  first_seen: string
  last_seen: string
}
export interface Stats {
  events: number
  duplicates: number
  quarantined: number
  identities: number
  merges: number
  splits: number
  generic_values: number
  under_way: number
}
export interface Ready {
  status: "ready" | "not_ready"
  checks: { name: string; ok: boolean; detail?: string }[]
}

/** Problem is an answer of 400 and above, or no answer: then code is "unreachable". */
export class Problem extends Error {
  constructor(
    readonly code: string,
    readonly status = 0,
    readonly detail = "",
  ) {
    super(code)
  }
}

/** session says who the browser is signed in as; undefined before the server was asked. */
export const session = signal<Session | undefined>(undefined)

export const may = (scope: string) => session.value?.scopes.includes(scope) ?? false

interface Ask {
  query?: Record<string, string | undefined>
  body?: unknown
  headers?: Record<string, string>
  signal?: AbortSignal
  accept?: number[] // statuses of 400 and above whose body is an answer
}

/** ask sends a request. It throws a Problem, and an AbortError if its signal ended it. */
export async function ask<T>(method: string, path: string, a: Ask = {}): Promise<T> {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(a.query ?? {})) if (value) query.set(name, value)
  const address = query.size ? `${path}?${query}` : path
  let answer: Response
  try {
    answer = await fetch(address, {
      method,
      signal: a.signal,
      headers: a.body === undefined ? a.headers : { "Content-Type": "application/json", ...a.headers },
      body: a.body === undefined ? undefined : JSON.stringify(a.body),
    })
  } catch (cause) {
    if (a.signal?.aborted) throw cause
    throw new Problem("unreachable")
  }
  if (!answer.ok && !a.accept?.includes(answer.status)) throw await problemOf(answer)
  return (await answer.json()) as T
}

async function problemOf(answer: Response): Promise<Problem> {
  const p = (await answer.json().catch(() => ({}))) as { code?: string; detail?: string }
  if (answer.status === 401 && session.value) session.value = { ...session.value, open: false, signed_in: false, scopes: [] }
  return new Problem(p.code ?? "unreadable", answer.status, p.detail)
}

export const get = <T>(path: string, query?: Ask["query"], signal?: AbortSignal) => ask<T>("GET", path, { query, signal })

export const profilePath = (id: string, part = "") => `/v1/profiles/${encodeURIComponent(id)}${part && "/" + part}`

/** nameText is an identifier as the API takes it. */
export const nameText = (n: Name) => `${n.namespace}:${n.value}`

export async function loadSession() {
  session.value = await get<Session>("/v1/session")
}

/** newKey returns a text that is new for each assertion. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("")
}
