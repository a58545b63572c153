import { stop } from "./stop.mjs"
import { buildPageView, buildSelfDescribingEvent } from "@snowplow/node-tracker"
//snippet

const shop = "iglu:com.snowplowanalytics.snowplow.ecommerce"
tracker.setUserId("snowplow-node")
tracker.track(buildPageView({ pageUrl: "https://shop.example/sale", pageTitle: "Sale" }))
tracker.track(buildSelfDescribingEvent({ event: { schema: `${shop}/snowplow_ecommerce_action/jsonschema/1-0-2`, data: { type: "transaction" } } }), [
  { schema: `${shop}/transaction/jsonschema/1-0-0`, data: { transaction_id: "O-1", revenue: 42.5, currency: "EUR", payment_method: "card" } },
  { schema: `${shop}/product/jsonschema/1-0-0`, data: { id: "P1", category: "Camping", price: 42.5, quantity: 1, currency: "EUR" } },
  { schema: `${shop}/user/jsonschema/1-0-0`, data: { id: "snowplow-node", email: "snowplow-node@example.com" } },
])
tracker.track(buildSelfDescribingEvent({
  event: { schema: "iglu:com.snowplowanalytics.mobile/screen_view/jsonschema/1-0-0", data: { name: "Basket", id: "7a2b" } },
}))
setInterval(() => tracker.flush(), 300) // what failed is sent again with what follows
await stop()
process.exit(0)
