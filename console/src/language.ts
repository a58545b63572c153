// Texts, numbers and times in the language that the reader chose.
import { computed, signal } from "@preact/signals"
import en from "./locales/en.json"
import nl from "./locales/nl.json"

export type Key = keyof typeof en
export type Language = "en" | "nl"

// TestLanguages compares the keys of both.
const texts: Record<Language, Record<string, string>> = { en, nl }
export const languages: Record<Language, string> = { en: "English", nl: "Nederlands" }
const stored = "kindred.language"

function preferred(): Language {
  const kept = localStorage.getItem(stored)
  if (kept === "en" || kept === "nl") return kept
  return navigator.languages.some((l) => l.startsWith("nl")) ? "nl" : "en"
}

export const language = signal<Language>(preferred())

export function setLanguage(l: Language) {
  localStorage.setItem(stored, l)
  language.value = l
}

type Values = Record<string, string | number>

/** t returns a text; {name} in it stands for a value. */
export function t(key: Key, values: Values = {}): string {
  return fill(texts[language.value][key] ?? key, values)
}

/** has reports whether there is a text of this name. */
export function has(key: string): key is Key {
  return key in en
}

/** plural returns the text `key.one` or `key.other`, whichever the number n asks for; {n} stands for it. */
export function plural(key: string, n: number, values: Values = {}): string {
  const form = `${key}.${rules.value.select(n)}`
  return t((has(form) ? form : `${key}.other`) as Key, { n: number(n), ...values })
}

function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}

const rules = computed(() => new Intl.PluralRules(language.value))
const plain = computed(() => new Intl.NumberFormat(language.value, { maximumFractionDigits: 1 }))
const percents = computed(() => new Intl.NumberFormat(language.value, { style: "percent", maximumFractionDigits: 0 }))
const moments = computed(() => new Intl.DateTimeFormat(language.value, { dateStyle: "medium", timeStyle: "short" }))
const seconds = computed(() => new Intl.DateTimeFormat(language.value, { timeStyle: "medium" }))

export const number = (n: number) => plain.value.format(n)
export const percent = (share: number) => percents.value.format(share)
/** moment formats a time of the API, in the time zone of the browser; an empty text where there is none. */
export const moment = (time: string | null | undefined) => (time ? moments.value.format(new Date(time)) : "")
export const clock = (time: Date) => seconds.value.format(time)

/** money formats an amount in the unit of its currency. */
export function money(amount: number, currency: string | null | undefined): string {
  if (!currency) return number(amount)
  try {
    return new Intl.NumberFormat(language.value, { style: "currency", currency }).format(amount)
  } catch {
    return `${number(amount)} ${currency}` // a code that browsers do not know
  }
}
