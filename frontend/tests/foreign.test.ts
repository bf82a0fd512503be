// @vitest-environment happy-dom
/** A server that is not the page's own: told apart, asked about once, and left for the page's own. */
import { afterEach, expect, test, vi } from "vitest";
import { confirmServer, foreignOrigin, withOwnServer } from "../src/shared/foreign";

const PAGE = "https://app.example/web/app/?x=1";
const OWN = "https://app.example/web/socket.io/";

afterEach(() => {
  localStorage.clear();
  document.querySelectorAll("dialog").forEach((dialog) => {
    dialog.remove();
  });
  vi.restoreAllMocks();
});

test.each([
  ["https://other.example", "https://other.example"],
  ["https://other.example/stream", "https://other.example"],
  ["http://app.example", "http://app.example"],
  ["https://app.example:8443", "https://app.example:8443"],
  ["https://app.example.other.example", "https://app.example.other.example"],
  ["https://app.example@other.example", "https://other.example"],
  ["https://app.example/stream", undefined],
  ["HTTPS://APP.example:443", undefined],

  ["nonsense:", undefined],
])("%s is of %s", (address, origin) => {
  expect(foreignOrigin(address, OWN, PAGE)).toBe(origin);
});

test("the one that the build names is the page's own, too", () => {
  for (const address of ["https://stream.example/x", "https://app.example"])
    expect(foreignOrigin(address, "https://stream.example", PAGE)).toBeUndefined();
});

test("what was meant for the other goes with it", () => {
  const link = "https://app.example/app/?server=https://evil.example&watch=s1&transports=polling";
  expect(withOwnServer(`${link}#token=t&grant=g&more=1`)).toBe(
    "https://app.example/app/?transports=polling#more=1",
  );
});

const dialog = (): HTMLDialogElement | null => document.querySelector("dialog");

function answer(value: string): void {
  const shown = dialog();
  shown?.close(value);
  // happy-dom may tell later, or not at all.
  shown?.dispatchEvent(new Event("close"));
}

test("the page's own is not asked about", async () => {
  await confirmServer(location.origin, "./");
  await confirmServer("no address", "./");
  expect(dialog()).toBeNull();
});

test("who says yes is asked once for an origin", async () => {
  const confirmed = confirmServer("https://other.example/stream", "./");
  expect(dialog()?.textContent).toContain("https://other.example");
  answer("yes");
  await confirmed;
  expect(dialog()).toBeNull();
  await confirmServer("https://other.example", "./");
  const another = confirmServer("https://other.example:8443", "./");
  expect(dialog()?.textContent).toContain("https://other.example:8443");
  answer("yes");
  await another;
});

test.each(["no", ""])(
  "who says %j gets the page's own server, and is asked again",
  async (said) => {
    const left = vi.spyOn(location, "replace").mockImplementation(() => undefined);
    let over = false;
    void confirmServer("https://other.example", "./").then(() => (over = true));
    answer(said);
    await vi.waitFor(() => {
      expect(left).toHaveBeenCalledWith(withOwnServer(location.href));
    });
    expect(over).toBe(false);
    expect(localStorage.length).toBe(0);
  },
);
