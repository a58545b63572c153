import { number, t } from "../language"
import { AsOf, Notice, ProblemNotice } from "../parts/notice"
import { Table } from "../parts/table"
import { useResource } from "../resource"
import { href } from "../router"
import { type Audiences, get } from "../server"

/** AudiencesPage lists the audiences that are defined. */
export function AudiencesPage() {
  const audiences = useResource((signal) => get<Audiences>("/v1/audiences", {}, signal), [])
  const a = audiences.value
  return (
    <>
      <h1>{t("audiences.title")}</h1>
      <p><a class="button" href={href("audiences", "new")}>{t("builder.title")}</a></p>
      {audiences.problem && <ProblemNotice problem={audiences.problem} retry={audiences.reload} />}
      {a && a.filled < a.version && <Notice>{t("audiences.filling")}</Notice>}
      {a && (
        <Table
          name={t("audiences.title")}
          rows={a.audiences}
          columns={[
            { title: t("audience"), text: (row) => row.key, cell: (row) => <a href={href("audiences", row.key)}>{row.key}</a> },
            { title: t("builder.members"), text: (row) => String(row.members ?? ""), cell: (row) => (row.members === null ? "" : number(row.members)), numeric: true },
            { title: t("audience.conditions"), text: (row) => row.text, cell: (row) => <code>{row.text}</code> },
            { title: t("audience.state"), text: (row) => t(row.serves ? "audience.serves" : "audience.filling") },
          ]}
        />
      )}
      <AsOf at={audiences.at} />
    </>
  )
}
