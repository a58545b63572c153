import { stop } from "./stop.mjs"
//snippet

const userId = "rudder-node"
const order = { order_id: "O-1", revenue: 42.5, currency: "EUR", products: [{ product_id: "P1", price: 42.5, quantity: 1 }] }
analytics.identify({ userId, traits: { email: "rudder-node@example.com", plan: "pro" } })
analytics.track({ userId, event: "Order Completed", properties: order })
analytics.page({ userId, name: "Sale" })
analytics.screen({ userId, name: "Basket" })
analytics.group({ userId, groupId: "g1", traits: { name: "Acme" } })
analytics.alias({ userId, previousId: "old-rudder-node" })
analytics.flush()
await stop()
process.exit(0)
