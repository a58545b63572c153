// The console: it starts here.
import { render } from "preact"
import { useEffect } from "preact/hooks"
import { language, t } from "./language"
import { AudiencePage } from "./pages/audience"
import { AudiencesPage } from "./pages/audiences"
import { PeoplePage } from "./pages/people"
import { PersonPage } from "./pages/person"
import { SignIn } from "./pages/sign-in"
import { TodayPage } from "./pages/today"
import { VariablesPage } from "./pages/variables"
import { LanguageChoice } from "./parts/language-choice"
import { ProblemNotice } from "./parts/notice"
import { asProblem, useResource } from "./resource"
import { href, place, startRouter } from "./router"
import { ask, loadSession, session } from "./server"

const pages = [
  { name: "today", page: TodayPage },
  { name: "people", page: PeoplePage },
  { name: "audiences", page: AudiencesPage },
  { name: "variables", page: VariablesPage },
] as const

function Console() {
  const first = useResource(loadSession, [])
  const [name = "today", id, part] = place.value
  useEffect(() => {
    document.documentElement.lang = language.value
    document.title = `${t(`${pages.find((p) => p.name === name)?.name ?? "today"}.title`)} · Kindred` // a title has no identifiers: it ends up in histories
  }, [name, language.value])
  if (!session.value) return <main id="main">{first.problem ? <ProblemNotice problem={asProblem(first.problem)} retry={first.reload} /> : <p class="quiet">{t("loading")}</p>}</main>
  if (!session.value.open && !session.value.signed_in) return <SignIn />
  const Page = pages.find((p) => p.name === name)?.page
  return (
    <>
      <a class="skip" href="#main">{t("skip")}</a>
      <header>
        <a class="brand" href={href()}>Kindred</a>
        <nav aria-label={t("nav.label")}>
          {pages.map((p) => (
            <a href={p.name === "today" ? href() : href(p.name)} aria-current={p.name === name ? "page" : undefined}>{t(`${p.name}.title`)}</a>
          ))}
        </nav>
        <LanguageChoice />
        {session.value.signed_in && <button type="button" class="plain" onClick={() => void signOut()}>{t("signout", { name: session.value.name ?? "" })}</button>}
      </header>
      {session.value.open && <p class="banner">{t("open")}</p>}
      <main id="main" tabIndex={-1}>
        {name === "people" && id ? (
          <PersonPage key={id} id={id} part={part} />
        ) : name === "audiences" && id ? (
          <AudiencePage key={id} name={id === "new" ? undefined : id} />
        ) : Page ? (
          <Page />
        ) : (
          <h1>{t("page.unknown")}</h1>
        )}
      </main>
      <footer class="quiet">
        Kindred {session.value.version} · {t("footer.zone", { zone: Intl.DateTimeFormat().resolvedOptions().timeZone })} · <a href="/docs">API</a>
      </footer>
    </>
  )
}

async function signOut() {
  session.value = await ask("DELETE", "/v1/session")
}

startRouter()
render(<Console />, document.getElementById("root")!)
