// Makes a page of a shop around the program, for libraries that want a browser: node --import ./browser.mjs PROGRAM.
import { JSDOM } from "jsdom"

const dom = new JSDOM("<!doctype html><html><head><title>Sale</title><script></script></head><body></body></html>", {
  url: "https://shop.example/sale?utm_source=mail",
  pretendToBeVisual: true,
})
dom.window.fetch = globalThis.fetch
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
