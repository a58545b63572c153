// Search people, and copy all of them page by page.
import { Kindred } from "kindred-client";

const kindred = new Kindred({ url: process.env.KINDRED_URL });
const people = ["ann", "bob", "eve"];
await kindred.post("/v1/batch", {
  body: { batch: people.map((userId) => ({ type: "identify", messageId: userId, userId, traits: { city: userId === "eve" ? "Genk" : "Ghent" } })) },
});
const found = await kindred.get("/v1/profiles", { query: { trait: ["city:ghe"], fields: "identifiers" } });
console.log(found.profiles.map((p) => p.identifiers[0].value).sort().join(" "));
const copied = [];
for await (const page of kindred.export({ limit: 2 })) {
  copied.push(...page.people.map((p) => p.identifiers[0].value));
}
console.log(copied.sort().join(" "));
// Output:
// ann bob
// ann bob eve
