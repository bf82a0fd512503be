// @vitest-environment happy-dom
/** A part of the page that fails leaves the rest of it alone. */
import { cleanup, fireEvent, render } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { Boundary } from "../../src/app/components/Boundary";
import { en } from "../../src/app/i18n/en";

afterEach(cleanup);

test("what fails says so, what is beside it stays, and it can be shown again", () => {
  const said = vi.spyOn(console, "error").mockImplementation(() => undefined);
  let broken = true;
  function Part() {
    if (broken) throw new Error("broken on purpose");
    return <p>whole</p>;
  }
  const { container, getByRole, getByText } = render(
    <>
      <Boundary>
        <Part />
      </Boundary>
      <p>beside</p>
    </>,
  );
  expect(getByRole("alert").textContent).toContain(en.broken);
  getByText("beside");
  expect(said).toHaveBeenCalled(); // React tells the developer
  broken = false;
  fireEvent.click(getByRole("button", { name: en.tryAgain }));
  expect(container.textContent).toBe("wholebeside");
  said.mockRestore();
});
