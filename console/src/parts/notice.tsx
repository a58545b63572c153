import type { ComponentChildren } from "preact"
import { clock, has, t } from "../language"
import type { Problem } from "../server"

/** ProblemNotice says what went wrong, and what to do. */
export function ProblemNotice({ problem, retry }: { problem: Problem; retry?: () => void }) {
  const key = `problem.${problem.code}`
  return (
    <div class="notice bad" role="alert">
      <p>{has(key) ? t(key) : t("problem.other", { code: problem.code })}</p>
      {problem.detail && <p class="quiet" lang="en">{problem.detail}</p>}
      {retry && <button type="button" onClick={retry}>{t("retry")}</button>}
    </div>
  )
}

export const Notice = ({ children, bad }: { children: ComponentChildren; bad?: boolean }) => (
  <div class={bad ? "notice bad" : "notice"} role="status">{children}</div>
)

/** AsOf says when the numbers beside it were true, and that they are exact. */
export const AsOf = ({ at }: { at?: Date }) => <p class="quiet">{at ? t("asof.exact", { time: clock(at) }) : t("loading")}</p>
