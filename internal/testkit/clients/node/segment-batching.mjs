import { stop } from "./stop.mjs"
//snippet

const order = { order_id: "O-1", revenue: 42.5, currency: "EUR", products: [{ product_id: "P1", price: 42.5, quantity: 1 }] }
await analytics.page("Sale")
await analytics.identify("segment-batching", { email: "segment-batching@example.com", plan: "pro" })
await analytics.track("Order Completed", order)
await analytics.screen("Basket")
await analytics.group("g1", { name: "Acme" })
await analytics.alias("segment-batching", "old-segment-batching")
await stop()
process.exit(0)
