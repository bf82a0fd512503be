// @vitest-environment happy-dom
/** The token of a link: taken once, kept for its server, and shown to no other. */
import { afterEach, expect, test } from "vitest";
import {
  authFor,
  followTokens,
  fragmentValue,
  takeToken,
  tokenFor,
  withoutFragment,
} from "../../src/shared/token";

const SERVER = "https://example.org/stream";

afterEach(() => {
  sessionStorage.clear();
  history.replaceState(null, "", "/app/");
});

test("it is taken off the address, and the rest stays", () => {
  history.replaceState(null, "", "/app/?watch=s1&server=x#token=a.b%2Bc&more=1");
  expect(takeToken(SERVER)).toBe(true);
  expect(location.href).toMatch(/\/app\/\?watch=s1&server=x#more=1$/);
  expect(tokenFor(SERVER)).toBe("a.b+c");
  expect(authFor(SERVER)()).toEqual({ token: "a.b+c" });
  expect(takeToken(SERVER)).toBe(false);
});

test("no fragment is left where there was nothing else", () => {
  history.replaceState(null, "", "/app/#token=t");
  takeToken(SERVER);
  expect(location.href).toMatch(/\/app\/$/);
});

test("another server never gets it", () => {
  history.replaceState(null, "", "/app/#token=t");
  takeToken(SERVER);
  for (const other of [
    "https://example.org",
    "https://example.org/other",
    "http://example.org/stream",
  ])
    expect(authFor(other)()).toEqual({});
  expect(tokenFor(`${SERVER}/app/`)).toBe("t"); // the same one
});

test.each(["", "#", "#token=", "#other=t", "#tokens=t"])("%j has none", (hash) => {
  history.replaceState(null, "", `/app/${hash}`);
  expect(takeToken(SERVER)).toBe(false);
  expect(authFor(SERVER)()).toEqual({});
});

test("what is too long, or for no server, is dropped and not left in the address", () => {
  history.replaceState(null, "", `/app/#token=${"x".repeat(8193)}`);
  expect(takeToken(SERVER)).toBe(false);
  expect(location.hash).toBe("");
  history.replaceState(null, "", "/app/#token=t");
  expect(takeToken("no address")).toBe(false);
  expect(tokenFor("no address")).toBeUndefined();
});

test("a link that is opened in the same tab is followed", () => {
  let taken = 0;
  followTokens(SERVER, () => (taken += 1));
  history.replaceState(null, "", "/app/#token=newer");
  dispatchEvent(new HashChangeEvent("hashchange"));
  dispatchEvent(new HashChangeEvent("hashchange"));
  expect(taken).toBe(1);
  expect(tokenFor(SERVER)).toBe("newer");
});

test("entries of a fragment", () => {
  expect(fragmentValue("#a=1&b=2", "b")).toBe("2");
  expect(fragmentValue("", "b")).toBeUndefined();
  expect(withoutFragment("https://h/?q=1#a=1&b=2", "a")).toBe("https://h/?q=1#b=2");
});
