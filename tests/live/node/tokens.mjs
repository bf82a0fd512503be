// The client library as it is built, with tokens of a second: each that expires is followed by the next.
import { createHmac } from "node:crypto";
import { StreamClient } from "../../../frontend/dist/lib/client/index.js";

const [, , url, mode, secret, left] = process.argv;
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
let given = 0;

/** Ask the application for a token, as a page would. */
async function auth() {
  given += 1;
  const claims = { sub: "alice", aud: "textstream", exp: Date.now() / 1000 + Number(left) };
  const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
  const signature = createHmac("sha256", secret).update(signed).digest("base64url");
  return { token: `${signed}.${signature}` };
}

const client = new StreamClient(url, { transports: [mode], auth });
const stream = client.start({ source: "text", text: "0123456789 字 👩🏽‍🚀 ".repeat(40), rate: 200 });
let chunks = "";
for await (const { text } of stream) chunks += text;
const { reason, verified } = await stream.done;
const { text, resumes } = stream;
console.log(JSON.stringify({ text, chunks, reason, verified, resumes, given }));
client.close();
