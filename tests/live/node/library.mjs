// The client library as it is built: streams a text, and goes on after its connection was lost.
import { StreamClient } from "../../../frontend/dist/lib/client/index.js";

const [, , url, mode] = process.argv;
const client = new StreamClient(url, { transports: [mode] });
const described = [];
let stream;
client.on("state", (state) => {
  if (state !== "connected" || stream?.id === undefined) return;
  described.push(client.describe(stream.id).then(({ source }) => source));
});
stream = client.start({ source: "text", text: "0123456789 字 👩🏽‍🚀 ".repeat(20), rate: 200 });
// Once: units that were at hand still come, and a second cut would meet what was asked since.
let cut = false;
for await (const { next } of stream) {
  if (cut || next <= 40) continue;
  cut = true;
  client.dropConnection();
}
const { reason, verified } = await stream.done;
const { text, resumes } = stream;
const result = { url: client.url, text, reason, verified, resumes };
console.log(JSON.stringify({ ...result, described: await Promise.all(described) }));
client.close();
