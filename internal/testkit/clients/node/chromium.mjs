// Runs a program in a page of a real Chromium: node ./chromium.mjs CHROMIUM PROGRAM. The page has an origin of its own.
import { createServer } from "node:http"
import { build } from "esbuild"
import { chromium } from "playwright-core"
import { stop } from "./stop.mjs"

// A page does not end: this process closes the browser.
const [executablePath, program] = process.argv.slice(2)
const inPage = { name: "in-page", setup: (b) => b.onLoad({ filter: /\/stop\.mjs$/ }, () => ({ contents: "export const stop = () => new Promise(() => {})" })) }
const bundle = await build({ entryPoints: [program], bundle: true, write: false, format: "esm", platform: "browser", logLevel: "error", plugins: [inPage] })

const files = {
  "/sale": ["text/html", '<!doctype html><title>Sale</title><link rel="icon" href="data:,"><script type="module" src="/program.js"></script>'],
  "/program.js": ["text/javascript", bundle.outputFiles[0].text],
}
const shop = createServer((request, response) => {
  const [type, text] = files[new URL(request.url, "http://shop").pathname] ?? []
  response.writeHead(type ? 200 : 404, { "content-type": `${type ?? "text/plain"}; charset=utf-8` }).end(text)
})
await new Promise((resolve) => shop.listen(0, "127.0.0.1", resolve))

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
})
const page = await browser.newPage()
page.on("console", (line) => console.log(line.text()))
page.on("pageerror", (error) => {
  console.log(error)
  process.exitCode = 1
})
page.on("request", (request) => {
  const url = new URL(request.url())
  if (url.protocol === "data:" || url.protocol === "blob:" || url.hostname === "127.0.0.1") return
  console.log(`the page asked ${url.origin}`)
  process.exitCode = 1
})
await page.goto(`http://127.0.0.1:${shop.address().port}/sale?utm_source=mail`)
await stop()
await browser.close()
process.exit()
