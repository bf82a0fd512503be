// @vitest-environment happy-dom
/** The form of a source's params, as people see and use it. */
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { afterEach, expect, test } from "vitest";
import { SchemaForm } from "../../src/app/components/SchemaForm";
import type { FieldValues } from "../../src/app/model/schema";

const SOURCE = {
  name: "llm",
  description: "A model.",
  live: true,
  needs_prompt: true,
  available: true,
  params: {
    properties: {
      temperature: {
        type: "number",
        minimum: 0,
        maximum: 2,
        default: 0.7,
        title: "Temperature",
        description: "More is more surprising.",
      },
      loud: { type: "boolean", default: false, title: "Loud" },
      tone: { enum: ["plain", "warm"], default: "plain", title: "Tone" },
    },
  },
};

let held: FieldValues = {};

function Holder({ errors = {} }: { errors?: Record<string, string> }) {
  const [values, setValues] = useState<FieldValues>({});
  return (
    <SchemaForm
      source={SOURCE}
      values={values}
      errors={errors}
      onChange={(changed) => {
        held = changed;
        setValues(changed);
      }}
    />
  );
}

afterEach(() => {
  cleanup();
  held = {};
});

test("each field has its label, its default, its bounds and what it means", () => {
  render(<Holder />);
  const temperature = screen.getByLabelText<HTMLInputElement>("Temperature");
  expect([temperature.type, temperature.value, temperature.min, temperature.max]).toEqual([
    "number",
    "0.7",
    "0",
    "2",
  ]);
  const about = document.getElementById(temperature.getAttribute("aria-describedby") ?? "");
  expect(about?.textContent).toContain("More is more surprising. (0 to 2)");
  expect(screen.getByLabelText<HTMLInputElement>("Loud").checked).toBe(false);
  expect(screen.getByLabelText<HTMLSelectElement>("Tone").value).toBe("plain");
});

test("a wrong value is marked at its field, until it is right again", async () => {
  const user = userEvent.setup();
  render(<Holder />);
  const temperature = screen.getByLabelText("Temperature");
  await user.clear(temperature);
  await user.type(temperature, "9");
  expect(temperature.getAttribute("aria-invalid")).toBe("true");
  expect(screen.getByRole("alert").textContent).toContain("This is too large.");
  await user.clear(temperature);
  await user.type(temperature, "1");
  expect(temperature.getAttribute("aria-invalid")).toBe("false");
  expect(screen.queryByRole("alert")).toBeNull();
});

test("choices and switches, and back to the defaults", async () => {
  const user = userEvent.setup();
  render(<Holder />);
  await user.click(screen.getByLabelText("Loud"));
  await user.selectOptions(screen.getByLabelText("Tone"), "warm");
  expect(held).toEqual({ loud: true, tone: "warm" });
  await user.click(screen.getByRole("button", { name: "Back to the defaults" }));
  expect(held).toEqual({});
  expect(screen.getByLabelText<HTMLInputElement>("Loud").checked).toBe(false);
});

test("what the server says is shown at the field", () => {
  render(<Holder errors={{ tone: "Input should be 'plain'" }} />);
  expect(screen.getByRole("alert").textContent).toContain("Input should be 'plain'");
  expect(screen.getByLabelText("Tone").getAttribute("aria-invalid")).toBe("true");
});
