// The identity graph as a picture: identifiers, and the evidence between them. The table beside it says the same in words.
import { forceCenter, forceLink, forceManyBody, forceSimulation, forceX, forceY } from "d3-force"
import { useMemo } from "preact/hooks"
import { plural, t } from "../language"
import { type Identifier, nameText, type Reason } from "../server"
import { reasonText } from "./sentence"

const width = 720
const heightOf = (nodes: number) => Math.min(200 + 16 * nodes, 560)
const most = 300 // nodes: beyond it a picture shows nothing, and the table has all

interface Node {
  id: string
  identifier: Identifier
  x: number
  y: number
}
interface Edge {
  source: Node
  target: Node
  reason: Reason
}

export function IdentityGraph({ identifiers, steps }: { identifiers: Identifier[]; steps: Reason[] }) {
  const { nodes, edges } = useMemo(() => layOut(identifiers, steps), [identifiers, steps])
  if (nodes.length < 2) return null
  if (nodes.length > most) return <p class="quiet">{plural("graph.large", nodes.length)}</p>
  const height = heightOf(nodes.length)
  const right = (n: Node) => n.x > width - 140
  return (
    <figure>
      <svg class="graph" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={t("graph.label", { identifiers: nodes.length, links: edges.length })}>
        {edges.map((e) => (
          <line class={e.reason.refused ? "edge refused" : "edge"} x1={e.source.x} y1={e.source.y} x2={e.target.x} y2={e.target.y}>
            <title>{reasonText(e.reason)}</title>
          </line>
        ))}
        {nodes.map((n) => (
          <g class={n.identifier.generic ? "node generic" : "node"}>
            <circle cx={n.x} cy={n.y} r="7" data-kind={kind(n.identifier.namespace)} />
            <text x={right(n) ? n.x - 11 : n.x + 11} y={n.y + 4} text-anchor={right(n) ? "end" : "start"}>{shorten(n.id)}</text>
            <title>{n.id}</title>
          </g>
        ))}
      </svg>
      <figcaption class="quiet">{t("graph.caption")}</figcaption>
    </figure>
  )
}

// kind groups namespaces by what they name: a person, a device or something else.
const people = ["user_id", "email", "phone", "customer_id", "loyalty_id"]
const kind = (namespace: string) => (people.includes(namespace) ? "person" : "device")

const shorten = (text: string) => (text.length > 28 ? `${text.slice(0, 27)}…` : text)

function layOut(identifiers: Identifier[], steps: Reason[]): { nodes: Node[]; edges: Edge[] } {
  const nodes = identifiers.map((identifier): Node => ({ id: nameText(identifier), identifier, x: NaN, y: NaN }))
  const byName = new Map(nodes.map((n) => [n.id, n]))
  const edges = steps.flatMap((reason): Edge[] => {
    const source = byName.get(nameText(reason.a))
    const target = byName.get(nameText(reason.b))
    return source && target ? [{ source, target, reason }] : []
  })
  if (nodes.length <= most) {
    const height = heightOf(nodes.length)
    forceSimulation(nodes) // starts from fixed places and takes its chances from a fixed seed: the same picture each time
      .force("link", forceLink(edges).distance(110))
      .force("apart", forceManyBody().strength(-420))
      .force("centre", forceCenter(width / 2, height / 2))
      .force("x", forceX(width / 2).strength(0.06))
      .force("y", forceY(height / 2).strength(0.12))
      .stop()
      .tick(300)
    for (const n of nodes) {
      n.x = Math.round(Math.min(Math.max(n.x, 12), width - 12))
      n.y = Math.round(Math.min(Math.max(n.y, 12), height - 12))
    }
  }
  return { nodes, edges }
}
