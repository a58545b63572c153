import { stop } from "./stop.mjs"
//snippet

const order = { order_id: "O-1", revenue: 42.5, currency: "EUR", products: [{ product_id: "P1", price: 42.5, quantity: 1 }] }
await analytics.identify("jitsu-browser", { email: "jitsu-browser@example.com", plan: "pro" }).catch(() => {})
await analytics.track("Order Completed", order).catch(() => {})
await analytics.page({ name: "Sale" }).catch(() => {})
await analytics.group("g1", { name: "Acme" }).catch(() => {})
await stop()
process.exit(0)
