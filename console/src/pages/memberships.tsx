import { moment, t } from "../language"
import { conditionText, foundText, inside } from "../parts/condition"
import { AsOf, ProblemNotice } from "../parts/notice"
import { Table } from "../parts/table"
import { useResource } from "../resource"
import { type AudienceCondition, type Audiences, type Condition, get, type PersonAudience, profilePath } from "../server"

/** Memberships shows which audiences a person is in, why, and until when. */
export function Memberships({ id }: { id: string }) {
  const memberships = useResource(
    async (signal) => {
      const [defined, person] = await Promise.all([
        get<Audiences>("/v1/audiences", {}, signal),
        get<{ audiences: PersonAudience[] }>(profilePath(id, "audiences"), { why: "true" }, signal),
      ])
      const where = new Map(defined.audiences.map((a) => [a.key, a.where]))
      return person.audiences.map((a) => ({ ...a, where: where.get(a.key) }))
    },
    [id],
  )
  return (
    <>
      {memberships.problem && <ProblemNotice problem={memberships.problem} retry={memberships.reload} />}
      {memberships.value && (
        <Table
          name={t("person.audiences")}
          rows={memberships.value}
          columns={[
            { title: t("audience"), text: (a) => a.key },
            { title: t("audience.in"), text: (a) => t(a.in ? "yes" : "no") },
            { title: t("audience.until"), text: (a) => a.until ?? "", cell: (a) => moment(a.until) },
            {
              title: t("audience.why"),
              text: (a) => JSON.stringify(a.why ?? []),
              cell: (a) => a.where && a.why && <ul class="tight"><Why c={a.where} found={new Map(a.why.map((w) => [w.id, w]))} /></ul>,
            },
          ]}
        />
      )}
      <AsOf at={memberships.at} />
    </>
  )
}

function Why({ c, found }: { c: Condition; found: Map<string, AudienceCondition> }) {
  const w = found.get(c.id)
  const parts = inside(c)
  return (
    <li>
      <strong>{t(w?.holds ? "yes" : "no")}</strong>: {conditionText(c)}
      {w && <span class="quiet"> {[foundText(w), ...(w.moments ?? []).map(moment)].filter(Boolean).join(" · ")}</span>}
      {w?.inexact && <span class="tag">{t("condition.inexact")}</span>}
      {parts.length > 0 && <ul class="tight">{parts.map((part) => <Why c={part} found={found} />)}</ul>}
    </li>
  )
}
