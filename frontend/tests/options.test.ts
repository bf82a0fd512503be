/** The address of the server, as people write it. */
import { afterEach, expect, test, vi } from "vitest";
import {
  checkedUrl,
  serverUrl,
  sessionOptions,
  socketIoPath,
  writtenUrl,
} from "../src/client/options";

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
  [" wss://h/stream ", "https://h/stream", "/stream/socket.io/"],
  ["https://h/stream", "https://h/stream", "/stream/socket.io/"],
  ["https://h/stream/", "https://h/stream", "/stream/socket.io/"],
  ["https://h//a/./b//?x=1#y", "https://h/a/b", "/a/b/socket.io/"],
  ["https://h/流 1", "https://h/%E6%B5%81%201", "/%E6%B5%81%201/socket.io/"],
  ["http://user:password@[::1]:5002/s", "http://[::1]:5002/s", "/s/socket.io/"],
  // What is the server's own, pasted.
  ["https://h/app/", "https://h", "/socket.io/"],
  ["https://h/stream/app/?watch=x", "https://h/stream", "/stream/socket.io/"],
  ["https://h/stream/lab", "https://h/stream", "/stream/socket.io/"],
  ["https://h/stream/api/sources", "https://h/stream", "/stream/socket.io/"],
  ["https://h/socket.io/", "https://h", "/socket.io/"],
  ["https://h/app/socket.io/", "https://h/app", "/app/socket.io/"],
  ["https://h/app/app/", "https://h/app", "/app/socket.io/"],
  ["https://h/apply/", "https://h/apply", "/apply/socket.io/"],
])("the path of %j is a prefix", (url, checked, path) => {
  expect(checkedUrl(url)).toBe(checked);
  expect(checkedUrl(writtenUrl(checked))).toBe(checked);
  expect(socketIoPath(checked)).toBe(path);
});

test.each([
  ["http://h", "/a/socket.io/", "http://h/a"],
  ["http://h/", "/a/b/socket.io", "http://h/a/b"],
  ["http://h", "/socket.io/", "http://h"],
  ["http://h", "/ws/", "http://h"],
  ["http://h/stream", "/a/socket.io/", "http://h/stream"],
])("of %j with the path %j, all else is at %j", (url, path, checked) => {
  expect(serverUrl(url, path)).toBe(checked);
});

test("a path that is named is as it is; else Socket.IO is under the address", () => {
  const path = (url: string, named?: string): string =>
    sessionOptions(url, named === undefined ? {} : { path: named }).path;
  expect(path("https://h/stream")).toBe("/stream/socket.io/");
  expect(path("https://h/stream", "/elsewhere/")).toBe("/elsewhere/");
});
