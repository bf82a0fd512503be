/** The address of the server, as people write it. */
import { afterEach, expect, test, vi } from "vitest";
import { checkedUrl } from "../src/client/options";

const NONE: readonly string[] = [
  "127.0.0.1:5002",
  "localhost:5002",
  "stream.example.org",
  "stream.example.org/app",
  "?x=1",
  "",
  "nonsense:",
  "ftp://stream.example.org",
];

afterEach(() => {
  vi.unstubAllGlobals();
});

test.each(NONE)("%j is no address, in a page and elsewhere", (url) => {
  expect(() => checkedUrl(url)).toThrow("an address looks like");
  vi.stubGlobal("location", new URL("http://page.example:8000/app/"));
  expect(() => checkedUrl(url)).toThrow("an address looks like");
});

test("an address has a scheme; in a page, one that begins with a slash is the page's own", () => {
  expect(checkedUrl("https://stream.example.org/app/")).toBe("https://stream.example.org");
  expect(() => checkedUrl("/")).toThrow("an address looks like");
  vi.stubGlobal("location", new URL("http://page.example:8000/app/"));
  expect(checkedUrl("/")).toBe("http://page.example:8000");
  expect(checkedUrl("http://127.0.0.1:5002")).toBe("http://127.0.0.1:5002");
});
