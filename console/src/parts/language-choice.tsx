import { language, type Language, languages, setLanguage, t } from "../language"

/** LanguageChoice changes the language of all pages, and keeps the choice. */
export const LanguageChoice = () => (
  <select class="plain" aria-label={t("language.label")} value={language.value} onChange={(e) => setLanguage(e.currentTarget.value as Language)}>
    {Object.entries(languages).map(([code, name]) => <option value={code} lang={code}>{name}</option>)}
  </select>
)
