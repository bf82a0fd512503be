/** Links to a stream, there and back. */
import { expect, test } from "vitest";
import { checkedUrl } from "../../src/client";
import { chosenTransports, serverAddress, type Home } from "../../src/shared/server";
import { fragmentValue } from "../../src/shared/token";
import { watchedId, watchLink, withoutWatch } from "../../src/app/model/share";

const PAGE = "https://app.example/app/?server=http%3A%2F%2Fother%3A1&x=1#there";

test("a link to a stream of the page's own server names the stream only", () => {
  const link = watchLink(PAGE, "aB-_9", "http://s:1", "http://s:1/");
  expect(link).toBe("https://app.example/app/?watch=aB-_9");
  expect(watchedId(new URL(link).search)).toBe("aB-_9");
});

test("a link to another server's stream names the server, and leads there", () => {
  const link = new URL(watchLink(PAGE, "id", "http://other:1", "https://app.example"));
  expect(serverAddress(link, "../")).toBe("http://other:1");
  expect(watchedId(link.search)).toBe("id");
  expect(withoutWatch(link.href)).toBe("https://app.example/app/?server=http%3A%2F%2Fother%3A1");
});

test("a grant is in the fragment, and there only", () => {
  const link = new URL(watchLink(PAGE, "id", "http://s:1", "http://s:1/", "eyJ.a+b/c=.d"));
  expect(link.search).toBe("?watch=id");
  expect(fragmentValue(link.hash, "grant")).toBe("eyJ.a+b/c=.d");
  expect(new URL(withoutWatch(link.href)).search).toBe("");
});

test("servers under two paths of one origin are two", () => {
  const link = new URL(watchLink(PAGE, "id", "https://s/b", "https://s/a/"));
  expect(serverAddress(link, "../")).toBe("https://s/b");
  expect(new URL(watchLink(PAGE, "id", "https://s/a", "https://s/a/")).search).toBe("?watch=id");
  const app = new URL(watchLink(PAGE, "id", "https://s/app", "https://s/a/"));
  expect(checkedUrl(serverAddress(app, "../"))).toBe("https://s/app");
});

test.each(["", "?server=", "?server=&x=1"])(
  "%j names no server: it is the page's own",
  (search) => {
    const own = (page: string, home: Home): string =>
      checkedUrl(serverAddress(new URL(`http://s:1${page}${search}`), home));
    expect(own("/", "./")).toBe("http://s:1");
    expect(own("/demo.html", "./")).toBe("http://s:1");
    expect(own("/app/", "../")).toBe("http://s:1");
    expect(own("/a/b/", "./")).toBe("http://s:1/a/b");
    expect(own("/a/b/lab/index.html", "../")).toBe("http://s:1/a/b");
    // A proxy may have the server where others have a page.
    expect(own("/app/", "./")).toBe("http://s:1/app");
    expect(own("/app/app/", "../")).toBe("http://s:1/app");
  },
);

test.each(["", "?watch=", "?watch=a%20b", "?watch=<script>", `?watch=${"x".repeat(129)}`])(
  "%j asks for no stream",
  (search) => {
    expect(watchedId(search)).toBeUndefined();
  },
);

test.each([
  ["?transports=polling", ["polling"]],
  ["?transports=polling,websocket", ["polling", "websocket"]],
  ["?transports=carrier-pigeon", undefined],
  ["", undefined],
])("the transports of %j", (search, transports) => {
  expect(chosenTransports(search)).toEqual(transports);
});
