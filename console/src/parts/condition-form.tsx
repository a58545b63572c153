// Adding a condition to an audience without writing the language.
import { useState } from "preact/hooks"
import { t } from "../language"

const quote = (text: string) => JSON.stringify(text)
const whole = (text: string, least: number) => Math.max(least, Math.floor(Number(text)) || least)

interface Kind {
  name: "did" | "didnot" | "bought" | "notbought" | "hastrait" | "identifier" | "inaudience" | "notaudience"
  what?: "form.event" | "form.trait" | "form.namespace" | "form.audience"
  value?: true
  times?: true
  days?: true
  write: (f: Fields) => string
}
interface Fields {
  what: string
  value: string
  times: string
  days: string
}

const window = (f: Fields) => (f.days ? `.last(${quote(`${whole(f.days, 1)}d`)})` : "")

const kinds: Kind[] = [
  { name: "did", what: "form.event", times: true, days: true, write: (f) => `events(${quote(f.what)})${window(f)}.count() >= ${whole(f.times, 1)}` },
  { name: "didnot", what: "form.event", days: true, write: (f) => `!events(${quote(f.what)})${window(f)}.any()` },
  { name: "bought", times: true, days: true, write: (f) => `orders()${window(f)}.count() >= ${whole(f.times, 1)}` },
  { name: "notbought", days: true, write: (f) => `!(orders()${window(f)}.count() >= 1)` },
  { name: "hastrait", what: "form.trait", value: true, write: (f) => `trait.${f.what} == ${quote(f.value)}` },
  { name: "identifier", what: "form.namespace", write: (f) => `has_identifier(${quote(f.what)})` },
  { name: "inaudience", what: "form.audience", write: (f) => `audience(${quote(f.what)})` },
  { name: "notaudience", what: "form.audience", write: (f) => `!audience(${quote(f.what)})` },
]

const empty: Fields = { what: "", value: "", times: "1", days: "" }

/** ConditionForm writes a condition of what the reader chooses. */
export function ConditionForm({ audiences, add }: { audiences: string[]; add: (text: string) => void }) {
  const [chosen, setChosen] = useState(0)
  const [fields, setFields] = useState(empty)
  const kind = kinds[chosen]!
  const set = (name: keyof Fields) => (e: { currentTarget: HTMLInputElement | HTMLSelectElement }) => setFields({ ...fields, [name]: e.currentTarget.value })
  const submit = (e: SubmitEvent) => {
    e.preventDefault()
    add(kind.write(fields))
    setFields(empty)
  }
  return (
    <form class="row" onSubmit={submit}>
      <label>
        {t("form.kind")}
        <select value={chosen} onChange={(e) => (setChosen(Number(e.currentTarget.value)), setFields(empty))}>
          {kinds.map((k, i) => <option value={i}>{t(`form.${k.name}` as const)}</option>)}
        </select>
      </label>
      {kind.what === "form.audience" && (
        <label>
          {t("form.audience")}
          <select required value={fields.what} onChange={set("what")}>
            <option value="" />
            {audiences.map((key) => <option>{key}</option>)}
          </select>
        </label>
      )}
      {kind.what && kind.what !== "form.audience" && (
        <label>
          {t(kind.what)}
          <input required maxLength={200} autocomplete="off" pattern={kind.what === "form.event" ? undefined : "[A-Za-z_][A-Za-z0-9_.]*"} value={fields.what} onInput={set("what")} />
        </label>
      )}
      {kind.value && (
        <label>
          {t("form.value")}
          <input required maxLength={200} autocomplete="off" value={fields.value} onInput={set("value")} />
        </label>
      )}
      {kind.times && (
        <label>
          {t("form.times")}
          <input type="number" min={1} max={1000} required value={fields.times} onInput={set("times")} />
        </label>
      )}
      {kind.days && (
        <label>
          {t("form.days")}
          <input type="number" min={1} max={3650} value={fields.days} onInput={set("days")} />
        </label>
      )}
      <button>{t("form.add")}</button>
    </form>
  )
}
