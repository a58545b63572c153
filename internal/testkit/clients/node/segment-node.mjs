import { stop } from "./stop.mjs"
//snippet

const userId = "segment-node"
const order = { order_id: "O-1", revenue: 42.5, currency: "EUR", products: [{ product_id: "P1", price: 42.5, quantity: 1 }] }
analytics.identify({ userId, traits: { email: "segment-node@example.com", plan: "pro" } })
await analytics.flush()
analytics.track({ userId, event: "Order Completed", properties: order })
analytics.page({ userId, name: "Sale" })
await analytics.flush()
analytics.screen({ userId, name: "Basket" })
analytics.group({ userId, groupId: "g1", traits: { name: "Acme" } })
analytics.alias({ userId, previousId: "old-segment-node" })
await analytics.flush()
await stop()
await analytics.closeAndFlush()
