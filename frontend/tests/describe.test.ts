/** Asking how a stream is, read here or not. */
import { expect, test } from "vitest";
import { settle } from "./support/clock.js";
import { DESCRIBED, FakeServer, fakeClient, refusal } from "./support/fake.js";

test("what the server says of a stream", async () => {
  const server = new FakeServer();
  const { client } = await fakeClient(server);
  server.script = () => ({ ok: true, stream: DESCRIBED });
  await expect(client.describe("s9")).resolves.toEqual(DESCRIBED);
  server.script = () => ({ ok: true, stream: { ...DESCRIBED, readers: -1 } });
  await expect(client.describe("s9")).rejects.toMatchObject({ code: "protocol_error" });
  server.script = () => refusal("unknown_stream");
  await expect(client.describe("s9")).rejects.toMatchObject({ code: "unknown_stream" });
  client.close();
});

test("without a connection, or when it is lost meanwhile, asking fails and does not wait", async () => {
  const server = new FakeServer();
  const { client } = await fakeClient(server);
  server.answering = false;
  const asked = client.describe("s9");
  await settle();
  server.wire.lose();
  await expect(asked).rejects.toMatchObject({ code: "unreachable", retryable: true });
  await expect(client.describe("s9")).rejects.toMatchObject({ code: "unreachable" });
  client.close();
});
