// Undoing a merge, with a preview: nothing changes before the operator has seen what would.
import { useEffect, useRef, useState } from "preact/hooks"
import { number, plural, t } from "../language"
import { asProblem } from "../resource"
import { ask, type Assertion, type AssertionAnswer, type AssertionRequest, nameText, newKey, type Problem, type Profile, session } from "../server"
import { ProblemNotice } from "./notice"
import { fullName } from "./person"
import { assertionText } from "./sentence"

export interface Change {
  verb: Assertion["verb"]
  a: Assertion["a"]
  b?: Assertion["b"]
  withdraw?: boolean
}

/** ChangeDialog shows what an assertion would do, and makes it when the operator says so. */
export function ChangeDialog({ change, close, done }: { change: Change; close: () => void; done: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const key = useRef(newKey()) // of this decision: sent again it changes nothing more
  const [preview, setPreview] = useState<AssertionAnswer>()
  const [problem, setProblem] = useState<Problem>()
  const [note, setNote] = useState("")
  const [busy, setBusy] = useState(false)

  const request = (dry: boolean): AssertionRequest => ({
    verb: change.verb,
    a: nameText(change.a),
    b: change.b && nameText(change.b),
    withdraw: change.withdraw,
    dry_run: dry,
    note: dry ? undefined : note,
    by: dry ? undefined : session.value?.name,
  })
  const load = () => {
    setProblem(undefined)
    ask<AssertionAnswer>("POST", "/v1/assertions", { body: request(true) }).then(setPreview, (cause) => setProblem(asProblem(cause)))
  }
  useEffect(() => {
    dialog.current?.showModal()
    load()
  }, [])
  const confirm = async (e: SubmitEvent) => {
    e.preventDefault()
    setBusy(true)
    try {
      await ask("POST", "/v1/assertions", { body: request(false), headers: { "Idempotency-Key": key.current } })
      dialog.current?.close()
      done()
    } catch (cause) {
      setProblem(asProblem(cause))
      setBusy(false)
    }
  }
  return (
    <dialog ref={dialog} aria-labelledby="change-title" onClose={close}>
      <form onSubmit={confirm}>
        <h2 id="change-title">{change.withdraw ? t("change.withdraw") : t(`change.${change.verb}` as const)}</h2>
        <p>{assertionText({ ...change, id: "", withdrawn: false, at: "" })}</p>
        {problem && <ProblemNotice problem={problem} retry={preview ? undefined : load} />}
        {!preview && !problem && <p class="quiet">{t("change.computing")}</p>}
        {preview && (
          <div class="columns">
            <Side title={t("change.before")} people={preview.before} />
            <Side title={t("change.after")} people={preview.after} />
          </div>
        )}
        {preview && preview.before.length === preview.after.length && <p class="notice">{t("change.same")}</p>}
        <label>
          {t("change.note")}
          <input required maxLength={300} value={note} onInput={(e) => setNote(e.currentTarget.value)} />
        </label>
        <p class="row">
          <button class="strong" disabled={!preview || busy}>{t("change.confirm")}</button>
          <button type="button" onClick={() => dialog.current?.close()}>{t("cancel")}</button>
        </p>
      </form>
    </dialog>
  )
}

const Side = ({ title, people }: { title: string; people: Profile[] }) => (
  <section>
    <h3>{title}</h3>
    {people.map((p) => (
      <div class="card">
        <strong>{fullName(p)}</strong>
        <p class="quiet">
          {plural("count.events", p.events)} · {plural("count.orders", p.orders)} · {number(p.identifiers.length)} {t("person.identifiers").toLowerCase()}
        </p>
        <ul class="tight">{p.identifiers.slice(0, 8).map((i) => <li>{nameText(i)}</li>)}</ul>
      </div>
    ))}
  </section>
)
