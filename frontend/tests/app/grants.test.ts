// @vitest-environment happy-dom
/** Grants of links: each for its stream, at its server. */
import { afterEach, expect, test } from "vitest";
import { grantFor, shownTo, takeGrant } from "../../src/app/model/grants";
import { takeToken } from "../../src/shared/token";

const SERVER = "https://example.org/stream";

afterEach(() => {
  sessionStorage.clear();
  history.replaceState(null, "", "/app/");
});

test("it is taken off the address, and kept for its stream", () => {
  history.replaceState(null, "", "/app/?watch=s1#grant=g1");
  takeGrant(SERVER, "s1");
  expect(location.href).toMatch(/\/app\/\?watch=s1$/);
  expect(grantFor(SERVER, "s1")).toBe("g1");
  expect(grantFor(SERVER, "s2")).toBeUndefined();
  expect(grantFor("https://other.example", "s1")).toBeUndefined();
  history.replaceState(null, "", "/app/?watch=s2#grant=g2");
  takeGrant(SERVER, "s2");
  expect(grantFor(SERVER, "s1")).toBe("g1");
});

test("who has no token shows the last one", () => {
  expect(shownTo(SERVER)).toEqual({});
  history.replaceState(null, "", "/app/?watch=s1#grant=g1");
  takeGrant(SERVER, "s1");
  expect(shownTo(SERVER)).toEqual({ grant: "g1" });
  history.replaceState(null, "", "/app/#token=t");
  takeToken(SERVER);
  expect(shownTo(SERVER)).toEqual({ token: "t" });
});

test.each([
  ["#grant=g", undefined],
  [`#grant=${"x".repeat(1025)}`, "s1"],
  ["", "s1"],
])("%j for %j is not kept, nor left in the address", (hash, id) => {
  history.replaceState(null, "", `/app/${hash}`);
  takeGrant(SERVER, id);
  expect(location.hash).toBe("");
  expect(shownTo(SERVER)).toEqual({});
});
