import { useState } from "preact/hooks"
import { t } from "../language"
import { LanguageChoice } from "../parts/language-choice"
import { ProblemNotice } from "../parts/notice"
import { asProblem } from "../resource"
import { ask, type Problem, type Session, session } from "../server"

export function SignIn() {
  const [key, setKey] = useState("")
  const [problem, setProblem] = useState<Problem>()
  const [busy, setBusy] = useState(false)
  const signIn = async (e: SubmitEvent) => {
    e.preventDefault()
    setBusy(true)
    try {
      session.value = await ask<Session>("POST", "/v1/session", { body: { key: key.trim() } })
    } catch (cause) {
      setProblem(asProblem(cause))
      setBusy(false)
    }
  }
  return (
    <main id="main" class="sign-in">
      <h1>Kindred</h1>
      <form onSubmit={signIn}>
        <label>
          {t("signin.key")}
          <input type="password" required autocomplete="current-password" spellcheck={false} value={key} onInput={(e) => setKey(e.currentTarget.value)} />
        </label>
        <p class="quiet">{t("signin.hint")}</p>
        {problem && <ProblemNotice problem={problem} />}
        <p class="row">
          <button class="strong" disabled={busy}>{t("signin")}</button>
          <LanguageChoice />
        </p>
      </form>
    </main>
  )
}
