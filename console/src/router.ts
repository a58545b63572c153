// Addresses of pages below /console. They have public ids only: no identifier of a person ends up in a history or a log.
import { signal } from "@preact/signals"

const base = "/console"

const read = () => decodeURI(location.pathname.slice(base.length)).split("/").filter(Boolean)

/** place is the address of the page that is shown, in parts. */
export const place = signal<string[]>(read())

export const href = (...parts: string[]) => [base, ...parts.map(encodeURIComponent)].join("/")

/** go shows a page. With replace, the page before it is not gone back to. */
export function go(address: string, replace = false) {
  if (address !== location.pathname) history[replace ? "replaceState" : "pushState"](null, "", address)
  place.value = read()
}

/** startRouter makes links to pages of the console change the page without loading it again. */
export function startRouter() {
  addEventListener("popstate", () => (place.value = read()))
  document.addEventListener("click", (e) => {
    const link = (e.target as Element).closest?.("a")
    if (!link || e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return
    if (link.target || link.hasAttribute("download") || link.origin !== location.origin) return
    if (link.pathname !== base && !link.pathname.startsWith(base + "/")) return
    if (link.hash && link.pathname === location.pathname) return
    e.preventDefault()
    go(link.pathname)
    scrollTo(0, 0)
    document.getElementById("main")?.focus()
  })
}
