// Send events, and read the person whom they make.
import { Kindred, KindredError } from "kindred-client";

const kindred = new Kindred({ url: process.env.KINDRED_URL });
await kindred.post("/v1/batch", {
  body: {
    batch: [
      { type: "page", messageId: "m1", anonymousId: "tablet", name: "Home", timestamp: "2026-01-01T09:00:00Z" },
      { type: "identify", messageId: "m2", anonymousId: "tablet", userId: "ann", timestamp: "2026-01-01T09:10:00Z", traits: { email: "Ann@Example.com", plan: "pro" } },
    ],
  },
});
const path = { id: "email:ANN@example.com" };
const profile = await kindred.get("/v1/profiles/{id}", { path, query: { fields: "events,traits.plan" } });
console.log(profile.events, profile.traits.plan);
const { traits } = await kindred.get("/v1/profiles/{id}/traits", { path, query: { verbose: true } });
console.log(traits.plan.message_id);
for await (const page of kindred.pages("/v1/profiles/{id}/events", { path, query: { limit: 1 } })) {
  console.log(page.events[0].type);
}
try {
  await kindred.get("/v1/profiles/{id}", { path: { id: "user_id:nobody/at all" } });
} catch (error) {
  console.log(error instanceof KindredError, error.status, error.code);
}
// Output:
// 2 pro
// m2
// identify
// page
// true 404 not_found
