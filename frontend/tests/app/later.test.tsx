// @vitest-environment happy-dom
/** Parts that are loaded later, and those that cannot be. */
import { act, cleanup, render } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { Later, useLater } from "../../src/app/later";

afterEach(cleanup);

function Shown({ later }: { later: Later<string> }) {
  const { part, failed } = useLater(later);
  return failed ? "failed" : (part ?? "loading");
}

test("it is loaded once, and is there at once for who comes later", async () => {
  let loads = 0;
  const later = new Later(() => {
    loads += 1;
    return Promise.resolve("there");
  });
  const first = render(<Shown later={later} />);
  expect(first.container.textContent).toBe("loading");
  await act(() => later.load());
  expect(first.container.textContent).toBe("there");
  expect(render(<Shown later={later} />).container.textContent).toBe("there");
  expect(loads).toBe(1);
});

test("one that has failed is tried again by the next that needs it", async () => {
  let broken = true;
  const later = new Later(() =>
    broken ? Promise.reject(new Error("no network")) : Promise.resolve("there"),
  );
  const first = render(<Shown later={later} />);
  await act(() => expect(later.load()).rejects.toThrow("no network"));
  expect(first.container.textContent).toBe("failed");
  broken = false;
  const second = render(<Shown later={later} />);
  await act(() => later.load());
  expect(second.container.textContent).toBe("there");
});
