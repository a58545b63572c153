import { stop } from "./stop.mjs"
//snippet

const order = { order_id: "O-1", revenue: 42.5, currency: "EUR", products: [{ product_id: "P1", price: 42.5, quantity: 1 }] }
analytics.page("Sale")
analytics.identify("rudder-browser", { email: "rudder-browser@example.com", plan: "pro" })
analytics.track("Order Completed", order)
analytics.group("g1", { name: "Acme" })
analytics.alias("rudder-browser", "old-rudder-browser")
await stop()
process.exit(0)
