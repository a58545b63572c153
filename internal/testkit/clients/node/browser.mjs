// Makes a page of a shop around the program, for libraries that want a browser: node --import ./browser.mjs PROGRAM.
import { JSDOM } from "jsdom"

const dom = new JSDOM("<!doctype html><html><head><title>Sale</title><script></script></head><body></body></html>", {
  url: "https://shop.example/sale?utm_source=mail",
  pretendToBeVisual: true,
})
globalThis.fetch = dom.window.fetch = pageFetch(globalThis.fetch, dom.window.location.origin)
for (const name of Object.getOwnPropertyNames(dom.window)) {
  if (!(name in globalThis)) {
    Object.defineProperty(globalThis, name, { configurable: true, get: () => dom.window[name], set: (v) => (dom.window[name] = v) })
  }
}
for (const name of ["addEventListener", "removeEventListener", "dispatchEvent"]) {
  globalThis[name] = dom.window[name].bind(dom.window)
}
for (const name of ["Event", "CustomEvent", "ErrorEvent"]) {
  Object.defineProperty(globalThis, name, { value: dom.window[name], configurable: true })
}
Object.defineProperty(globalThis, "window", { value: dom.window, configurable: true })
Object.defineProperty(globalThis, "navigator", { value: dom.window.navigator, configurable: true })

// pageFetch is fetch as a page of an origin has it: it asks the server whether the page may send the headers, and gives no
// answer that the server does not let the page read. jsdom has no fetch, and that of Node asks nobody.
function pageFetch(direct, origin) {
  const simple = /^(text\/plain|multipart\/form-data|application\/x-www-form-urlencoded)(;|$)/
  const list = (answer, name) => (answer.headers.get(name) ?? "").toLowerCase().split(/, */)
  const allowed = (answer) => list(answer, "access-control-allow-origin").includes(origin)
  return async (url, init = {}) => {
    if (new URL(url).protocol === "data:") return direct(url, init)
    const { method, headers } = new Request(url, init)
    const asked = [...headers].filter(([name, value]) => name !== "accept" && !(name === "content-type" && simple.test(value))).map(([name]) => name)
    if (asked.length > 0 || !["GET", "HEAD", "POST"].includes(method)) {
      const answer = await direct(url, {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": method, "access-control-request-headers": asked.join(",") },
      })
      const may = list(answer, "access-control-allow-headers")
      if (!answer.ok || !allowed(answer) || !asked.every((name) => may.includes(name))) throw new TypeError(`${method} ${url}: the preflight allows no ${asked}`)
    }
    headers.set("origin", origin)
    const answer = await direct(url, { ...init, headers })
    if (!allowed(answer)) throw new TypeError(`${method} ${url}: the answer is not for ${origin}`)
    return answer
  }
}
