import { t } from "../language"
import { AsOf, Notice, ProblemNotice } from "../parts/notice"
import { Table } from "../parts/table"
import { useResource } from "../resource"
import { get, type ComputedTraits } from "../server"

/** VariablesPage lists the computed traits that are defined. */
export function VariablesPage() {
  const traits = useResource((signal) => get<ComputedTraits>("/v1/traits", {}, signal), [])
  const v = traits.value
  return (
    <>
      <h1>{t("variables.title")}</h1>
      {traits.problem && <ProblemNotice problem={traits.problem} retry={traits.reload} />}
      {v && v.filled < v.version && <Notice>{t("audiences.filling")}</Notice>}
      {v && !v.traits.length && <p>{t("variables.none")}</p>}
      {v && !!v.traits.length && (
        <Table
          name={t("variables.title")}
          rows={v.traits}
          columns={[
            { title: t("variable"), text: (row) => row.key },
            { title: t("variable.measures"), text: (row) => row.text, cell: (row) => <code>{row.text}</code> },
            { title: t("audience.state"), text: (row) => t(row.serves ? "audience.serves" : "audience.filling") },
          ]}
        />
      )}
      <AsOf at={traits.at} />
    </>
  )
}
