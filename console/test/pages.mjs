// Drives the console in a real Chromium: node pages.mjs CHROMIUM OPEN_URL KEYED_URL ADMIN_KEY VIEWER_KEY PICTURES.
// OPEN_URL asks for no key and has people whose traits are markup; KEYED_URL asks for a key. Prints a line a check, and exits
// with 1 if one fails.
import { readFileSync } from "node:fs"
import { AxeBuilder } from "@axe-core/playwright"
import { chromium } from "playwright-core"

const [executablePath, open, keyed, adminKey, viewerKey, pictures] = process.argv.slice(2)
const texts = Object.fromEntries(["en", "nl"].map((l) => [l, JSON.parse(readFileSync(new URL(`../src/locales/${l}.json`, import.meta.url)))]))

let failed = 0
const check = (ok, text) => {
  if (!ok) failed++
  console.log(`${ok ? "ok  " : "FAIL"} ${text}`)
}
const equal = (got, want, text) => check(got === want, got === want ? text : `${text}: ${JSON.stringify(got)}, want ${JSON.stringify(want)}`)

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"] })

/** visit opens a page in a browser of its own, and notes what it complains about. */
async function visit(address, options = {}) {
  const context = await browser.newContext({ locale: "en-GB", timezoneId: "Europe/Amsterdam", ...options })
  const page = await context.newPage()
  const complaints = []
  page.on("pageerror", (e) => complaints.push(String(e)))
  page.on("console", (m) => m.type() === "error" && !/status of (400|401|403|404|503)/.test(m.text()) && complaints.push(m.text()))
  page.on("dialog", (d) => (complaints.push(`a dialog: ${d.message()}`), d.dismiss()))
  page.on("request", (r) => new URL(r.url()).origin !== new URL(address).origin && !r.url().startsWith("blob:") && complaints.push(`asked ${r.url()}`))
  await page.goto(address)
  return { page, complaints, done: async (name) => (equal(complaints.join("; "), "", `${name}: nothing to complain about`), context.close()) }
}

/** accessible lets axe look at a page, and notes a picture of it. */
async function accessible(page, name) {
  const found = (await new AxeBuilder({ page }).analyze()).violations.filter((v) => ["serious", "critical"].includes(v.impact))
  equal(found.map((v) => `${v.id} ${v.nodes[0].html}`).join("; "), "", `${name}: axe finds nothing serious`)
  await page.screenshot({ path: `${pictures}/${name.replaceAll(/[^a-z0-9]+/gi, "-")}.png`, fullPage: true })
}

/** translated checks that no text of the page is of the other language. */
async function translated(page, language, name) {
  const other = language === "nl" ? "en" : "nl"
  const shown = await page.evaluate(() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    const list = []
    while (walker.nextNode()) if (!walker.currentNode.parentElement.closest("[lang]:not(html)")) list.push(walker.currentNode.data.trim())
    return list
  })
  const foreign = shown.filter((text) => text.length > 2 && Object.values(texts[other]).includes(text) && !Object.values(texts[language]).includes(text))
  equal(foreign.join("; "), "", `${name}: every text is in ${language}`)
}

/** fits checks that a narrow page needs no scrolling from side to side. */
const fits = async (page, name) => equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, `${name}: fits the width`)

const tabTo = async (page, locator, most = 60) => {
  for (let i = 0; i < most; i++) {
    if (await locator.evaluate((e) => e === document.activeElement).catch(() => false)) return true
    await page.keyboard.press("Tab")
  }
  return false
}

/** story looks Jansen up, reads why two devices are one, and undoes it and back: by mouse, or by keyboard alone. */
async function story(language, hand) {
  const t = texts[language]
  const name = `${language} ${hand}`
  const { page, done } = await visit(`${open}/console`, { locale: language === "nl" ? "nl-NL" : "en-GB" })
  const press = async (locator) => {
    if (hand === "mouse") return locator.click()
    check(await tabTo(page, locator), `${name}: the keyboard reaches ${await locator.textContent().catch(() => "?")}`)
    await page.keyboard.press("Enter")
  }
  await page.getByText(t["today.people"], { exact: true }).last().waitFor()
  equal(await page.getAttribute("html", "lang"), language, `${name}: the language is that of the browser`)
  await accessible(page, `today ${name}`)
  await translated(page, language, `today ${name}`)

  await press(page.getByRole("link", { name: t["people.title"], exact: true }).first())
  const search = page.getByRole("searchbox")
  await search.waitFor()
  if (hand === "mouse") await search.fill("jansen")
  else check(await tabTo(page, search), `${name}: the keyboard reaches the search`), await page.keyboard.type("jansen")
  const jansen = page.getByRole("link", { name: "Jan Jansen" })
  await jansen.waitFor()
  await accessible(page, `people ${name}`)
  await translated(page, language, `people ${name}`)
  check(!page.url().includes("jansen"), `${name}: the address has no search`)
  await press(jansen)
  await page.getByRole("heading", { level: 1, name: "Jan Jansen" }).waitFor()
  check(!/jansen/i.test(page.url() + (await page.title())), `${name}: address and title have no identifier`)
  await accessible(page, `person ${name}`)
  await translated(page, language, `person ${name}`)
  for (const part of ["timeline", "orders", "scores", "audiences", "identity"]) {
    const tab = page.getByRole("navigation", { name: t["person.parts"] }).getByRole("link", { name: t[`person.${part}`], exact: true })
    await press(tab)
    await tab.and(page.locator("[aria-current]")).waitFor()
    await page.waitForLoadState("networkidle")
    await accessible(page, `${part} ${name}`)
    await translated(page, language, `${part} ${name}`)
  }
  equal(await page.locator("svg.graph circle").count(), 4, `${name}: the picture has every identifier`)
  check(await page.getByText(t["identity.same"]).isVisible(), `${name}: says that they are one person`)

  // Undo with a preview: a stays with the person, b leaves.
  const choices = page.getByRole("combobox").filter({ hasText: "anonymous_id:phone-1" })
  await choices.nth(0).selectOption({ label: "anonymous_id:phone-1" })
  await choices.nth(1).selectOption({ label: "anonymous_id:laptop-1" })
  await press(page.locator("form").getByRole("button", { name: t["change.cannot"] }))
  const dialog = page.getByRole("dialog")
  await dialog.getByText(t["change.after"], { exact: true }).waitFor()
  equal(await dialog.locator(".columns > section:nth-child(1) .card").count(), 1, `${name}: before there is one person`)
  equal(await dialog.locator(".columns > section:nth-child(2) .card").count(), 2, `${name}: after there would be two`)
  await accessible(page, `undo ${name}`)
  await translated(page, language, `undo ${name}`)
  const before = await (await page.request.get(`${open}/v1/profiles/anonymous_id:phone-1/why?with=anonymous_id:laptop-1`)).json()
  equal(before.same, true, `${name}: a preview changes nothing`)
  const note = dialog.getByRole("textbox")
  await note.focus()
  await page.keyboard.type("two sisters")
  await press(dialog.getByRole("button", { name: t["change.confirm"] }))
  await page.getByText(t["change.done"]).waitFor()
  const after = await (await page.request.get(`${open}/v1/profiles/anonymous_id:phone-1/why?with=anonymous_id:laptop-1`)).json()
  equal(after.same, false, `${name}: they are two people now`)
  const back = page.getByRole("button", { name: t["change.withdraw"] }).first()
  await back.waitFor()
  await press(back)
  await dialog.getByText(t["change.after"], { exact: true }).waitFor()
  await dialog.getByRole("textbox").fill("it was one person after all")
  await press(dialog.getByRole("button", { name: t["change.confirm"] }))
  await dialog.waitFor({ state: "hidden" })
  await page.waitForFunction(async (address) => (await (await fetch(address)).json()).same, `/v1/profiles/anonymous_id:phone-1/why?with=anonymous_id:laptop-1`)
  check(true, `${name}: and one again`)
  await done(name)
}

// Audiences are defined, and filled from the events that are there.
{
  const context = await browser.newContext()
  const applied = await context.request.post(`${open}/v1/audiences:apply`, {
    data: { audiences: { tents: 'events("Order Completed").any() && has_identifier("email")', strangers: '!has_identifier("email")' } },
  })
  equal(applied.status(), 200, "audiences are defined")
  const traits = await context.request.post(`${open}/v1/traits:apply`, { data: { traits: { buys: 'events("Order Completed").count()' } } })
  equal(traits.status(), 200, "variables are defined")
  for (let tries = 0; tries < 100; tries++) {
    const { version, filled } = await (await context.request.get(`${open}/v1/audiences`)).json()
    if (version === filled) break
    await new Promise((r) => setTimeout(r, 100))
  }
  await context.close()
}

for (const language of ["en", "nl"]) for (const hand of ["mouse", "keyboard"]) await story(language, hand)

// Somebody is in an audience, with the reason.
{
  const { page, done } = await visit(`${open}/console/people`)
  await page.getByRole("searchbox").fill("jansen")
  await page.getByRole("link", { name: "Jan Jansen" }).click()
  await page.getByRole("navigation", { name: texts.en["person.parts"] }).getByRole("link", { name: texts.en["person.audiences"] }).click()
  const row = page.getByRole("row").filter({ hasText: "tents" })
  await row.getByText("did: Order Completed").waitFor()
  equal(await row.getByRole("cell").nth(1).textContent(), "yes", "the buyer is in the audience")
  equal(await page.getByRole("row").filter({ hasText: "strangers" }).getByRole("cell").nth(1).textContent(), "no", "and not in the other")
  await page.getByRole("navigation", { name: texts.en["nav.label"] }).getByRole("link", { name: texts.en["audiences.title"] }).click()
  await page.getByText('has_identifier("email")', { exact: false }).first().waitFor()
  await accessible(page, "audiences")
  await page.getByRole("navigation", { name: texts.en["nav.label"] }).getByRole("link", { name: texts.en["variables.title"] }).click()
  await page.getByRole("row").filter({ hasText: "buys" }).getByText('events("Order Completed").count()').waitFor()
  await accessible(page, "variables")
  await done("audiences")
}

// An audience is made by clicking: the count moves, the waterfall shows what each condition leaves, and text and chips agree.
for (const language of ["en", "nl"]) for (const hand of ["mouse", "keyboard"]) {
  const t = texts[language]
  const name = `builder ${language} ${hand}`
  const { page, done } = await visit(`${open}/console/audiences`, { locale: language === "nl" ? "nl-NL" : "en-GB" })
  const press = async (locator) => {
    if (hand === "mouse") return locator.click()
    check(await tabTo(page, locator), `${name}: the keyboard reaches ${await locator.textContent().catch(() => "?")}`)
    await page.keyboard.press("Enter")
  }
  await press(page.getByRole("link", { name: t["builder.title"], exact: true }))
  await page.getByText(t["builder.empty"]).waitFor()
  const count = page.locator("dl.figures .card").first().locator("dd").first()
  await page.getByRole("combobox", { name: t["form.kind"] }).selectOption({ label: t["form.identifier"] })
  await page.getByRole("textbox", { name: t["form.namespace"] }).fill("email")
  await press(page.getByRole("button", { name: t["form.add"], exact: true }))
  await count.waitFor()
  const everybody = Number(await count.textContent())
  check(everybody > 0, `${name}: somebody has an address`)
  await page.getByRole("combobox", { name: t["form.kind"] }).selectOption({ label: t["form.bought"] })
  await press(page.getByRole("button", { name: t["form.add"], exact: true }))
  const rows = page.locator("main table tbody tr")
  await rows.nth(1).waitFor()
  const text = page.getByRole("textbox", { name: t["builder.text"] })
  equal(await text.inputValue(), `has_identifier("email") && orders().count() >= 1`, `${name}: the text follows`)
  const asked = await (await page.request.post(`${open}/v1/audiences:preview`, { data: { text: await text.inputValue() } })).json()
  await page.waitForFunction((want) => document.querySelector("dl.figures .card dd").textContent === want, String(asked.members.all.estimate))
  check(asked.members.all.estimate > 0 && asked.members.all.estimate <= everybody, `${name}: buyers are fewer`)
  equal(await page.locator("section ul.tight").first().locator("li").count(), asked.sample.length, `${name}: some members are named`)
  await accessible(page, name)
  await translated(page, language, name)
  await press(rows.nth(1).getByRole("button"))
  await page.waitForFunction((want) => document.querySelector("dl.figures .card dd").textContent === want, String(everybody))
  equal(await text.inputValue(), `has_identifier("email")`, `${name}: what is taken away leaves the text`)
  await text.fill("orders(")
  await page.getByRole("alert").waitFor()
  check(await page.getByRole("button", { name: t["builder.save"], exact: true }).isDisabled(), `${name}: what is wrong can't be saved`)
  await text.fill(`has_identifier("email") && orders().count() >= 1`)
  await page.getByRole("alert").waitFor({ state: "detached" })
  const key = `made_${language}_${hand}`
  await page.getByRole("textbox", { name: t["builder.key"] }).fill(key)
  const save = page.getByRole("button", { name: t["builder.save"], exact: true })
  await save.and(page.locator(":enabled")).waitFor()
  await press(save)
  await page.getByRole("link", { name: key, exact: true }).click()
  await page.getByRole("heading", { level: 1, name: key }).waitFor()
  equal(await page.getByRole("textbox", { name: t["builder.text"] }).inputValue(), `has_identifier("email") && orders().count() >= 1`, `${name}: it is defined`)
  await fits(page, name)
  await done(name)
}

// The language can be changed, and stays.
{
  const { page, done } = await visit(`${open}/console`)
  await page.getByLabel(texts.en["language.label"]).selectOption("nl")
  await page.getByRole("heading", { name: texts.nl["today.title"] }).waitFor()
  await page.reload()
  await page.getByRole("heading", { name: texts.nl["today.title"] }).waitFor()
  check(true, "the language stays")
  await done("language")
}

// Traits, names of events and identifiers that are markup are shown as text.
{
  const { page, done } = await visit(`${open}/console/people`)
  await page.getByRole("searchbox").fill("user_id:markup")
  const link = page.getByRole("link", { name: /<img/ })
  await link.first().click()
  await page.getByRole("heading", { level: 1, name: /<img src=x onerror=alert\(1\)>/ }).waitFor()
  for (const part of ["timeline", "orders", "scores", "identity"]) {
    await page.getByRole("link", { name: texts.en[`person.${part}`], exact: true }).click()
    await page.waitForLoadState("networkidle")
  }
  equal(await page.locator("main img, main script").count(), 0, "markup is shown as text")
  await done("markup")
}

// Narrow, at 200 % zoom, and in the dark.
for (const [name, options] of Object.entries({
  narrow: { viewport: { width: 320, height: 640 } },
  zoomed: { viewport: { width: 640, height: 480 }, deviceScaleFactor: 2 },
  dark: { colorScheme: "dark" },
  contrast: { forcedColors: "active" },
})) {
  const { page, done } = await visit(`${open}/console`, options)
  await page.getByText(texts.en["today.people"], { exact: true }).last().waitFor()
  await fits(page, `today ${name}`)
  await accessible(page, `today ${name}`)
  await page.goto(`${open}/console/people`)
  await page.getByRole("searchbox").fill("jansen")
  await page.getByRole("link", { name: "Jan Jansen" }).click()
  for (const part of ["overview", "timeline", "orders", "scores", "audiences", "identity"]) {
    await page.getByRole("navigation", { name: texts.en["person.parts"] }).getByRole("link", { name: texts.en[`person.${part}`], exact: true }).click()
    await page.waitForLoadState("networkidle")
    await fits(page, `${part} ${name}`)
    await accessible(page, `${part} ${name}`)
  }
  await done(name)
}

// The server is gone: what is shown stays, with a word about it; a try brings it back.
{
  const { page, done, complaints } = await visit(`${open}/console/people`)
  await page.getByRole("searchbox").fill("jansen")
  await page.getByRole("link", { name: "Jan Jansen" }).waitFor()
  await page.route("**/v1/**", (r) => r.abort())
  await page.getByRole("searchbox").fill("janse")
  await page.getByText(texts.en["problem.unreachable"]).waitFor()
  check(await page.getByRole("link", { name: "Jan Jansen" }).isVisible(), "the server is gone: what was there stays")
  await accessible(page, "server gone")
  await page.unroute("**/v1/**")
  await page.getByRole("button", { name: texts.en.retry }).click()
  await page.getByText(texts.en["problem.unreachable"]).waitFor({ state: "hidden" })
  check(true, "the server is back")
  complaints.splice(0, complaints.length, ...complaints.filter((c) => !c.includes("ERR_FAILED")))
  await done("server gone")
}

// Keys: a wrong one is refused, a viewer can't undo, and who signs out is out.
{
  const { page, done } = await visit(`${keyed}/console/people`)
  const key = page.getByLabel(texts.en["signin.key"])
  await key.waitFor()
  await accessible(page, "sign in")
  await key.fill("rk_nonsense")
  await page.getByRole("button", { name: texts.en.signin }).click()
  await page.getByText(texts.en["problem.unknown_key"]).waitFor()
  check(true, "a wrong key is refused")
  await key.fill(viewerKey)
  await page.getByRole("button", { name: texts.en.signin }).click()
  await page.getByRole("searchbox").fill("jansen")
  await page.getByRole("link", { name: "Jan Jansen" }).click()
  await page.getByRole("link", { name: texts.en["person.identity"], exact: true }).click()
  await page.getByText(texts.en["identity.same"]).waitFor()
  equal(await page.getByRole("button", { name: texts.en["change.cannot"] }).count(), 0, "a viewer is offered no undo")
  equal(await page.evaluate((k) => JSON.stringify({ ...localStorage, ...sessionStorage, cookie: document.cookie }).includes(k), viewerKey), false, "no script can read the key")
  await page.getByRole("link", { name: texts.en["today.title"], exact: true }).click()
  await page.getByText(texts.en["today.noops"]).waitFor()
  check(true, "a viewer is told why there are no numbers")
  await page.getByRole("button", { name: /^Sign out/ }).click()
  await key.waitFor()
  equal((await page.request.get(`${keyed}/v1/profiles`)).status(), 401, "signed out, the browser is out")
  await key.fill(adminKey)
  await page.getByRole("button", { name: texts.en.signin }).click()
  await page.getByText(texts.en["today.merges"]).waitFor()
  check(true, "an administrator sees the numbers")
  await done("keys")
}

// How soon something is to be seen, with the processor slowed down four times: printed, not judged.
{
  const context = await browser.newContext()
  const page = await context.newPage()
  const tools = await context.newCDPSession(page)
  await tools.send("Emulation.setCPUThrottlingRate", { rate: 4 })
  await page.goto(`${open}/console`)
  await page.getByText(texts.en["today.people"], { exact: true }).last().waitFor()
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime)
  console.log(`     first paint at a quarter of the speed: ${Math.round(paint)} ms`)
  await context.close()
}

await browser.close()
process.exit(failed ? 1 : 0)
