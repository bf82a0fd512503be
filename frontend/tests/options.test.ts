/** The address of the server, as people write it. */
import { afterEach, expect, test, vi } from "vitest";
import { checkedUrl, sessionOptions, socketIoPath } from "../src/client/options";

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
  expect(() => checkedUrl("/")).toThrow("an address looks like");
  vi.stubGlobal("location", new URL("http://page.example:8000/app/"));
  expect(checkedUrl("/")).toBe("http://page.example:8000");
  expect(checkedUrl("/stream/")).toBe("http://page.example:8000/stream");
  expect(checkedUrl("http://127.0.0.1:5002")).toBe("http://127.0.0.1:5002");
});

test.each([
  ["http://h:1", "http://h:1", "/socket.io/"],
  ["HTTP://H:80/", "http://h", "/socket.io/"],
  ["https://h/stream", "https://h/stream", "/stream/socket.io/"],
  ["https://h/stream/", "https://h/stream", "/stream/socket.io/"],
  ["https://h/a/b//?x=1#y", "https://h/a/b", "/a/b/socket.io/"],
  ["https://h/stream/app/", "https://h/stream/app", "/stream/app/socket.io/"],
  ["https://h/流 1", "https://h/%E6%B5%81%201", "/%E6%B5%81%201/socket.io/"],
  ["http://user:password@[::1]:5002/s", "http://[::1]:5002/s", "/s/socket.io/"],
])("the path of %j is a prefix", (url, checked, path) => {
  expect(checkedUrl(url)).toBe(checked);
  expect(checkedUrl(checked)).toBe(checked);
  expect(socketIoPath(checked)).toBe(path);
});

test("a path that is named is as it is; else Socket.IO is under the address", () => {
  const path = (url: string, named?: string): string =>
    sessionOptions(url, named === undefined ? {} : { path: named }).path;
  expect(path("https://h/stream")).toBe("/stream/socket.io/");
  expect(path("https://h/stream", "/elsewhere/")).toBe("/elsewhere/");
});
