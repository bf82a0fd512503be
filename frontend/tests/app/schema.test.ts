/** From a source's JSON schema to fields, and from what they hold to params. */
import { expect, test } from "vitest";
import { fieldErrors, fieldsOf, paramsOf } from "../../src/app/model/schema";

const SCHEMA = {
  type: "object",
  properties: {
    temperature: {
      type: "number",
      minimum: 0,
      maximum: 2,
      default: 0.7,
      title: "Temperature",
      description: "More is more surprising.",
    },
    top_p: { type: "number", exclusiveMinimum: 0, maximum: 1, default: 0.95 },
    max_tokens: { type: "integer", minimum: 1, maximum: 2048, default: 512 },
    seed: { anyOf: [{ type: "integer", minimum: 0 }, { type: "null" }], default: null },
    system: { type: "string", maxLength: 10, default: "You help." },
    loud: { type: "boolean", default: true },
    tone: { enum: ["plain", "warm"], default: "plain" },
    size: { $ref: "#/$defs/Size" },
    tags: { type: "array", items: { type: "string" }, default: ["a"] },
    name: { type: "string" },
    copies: { type: "integer", default: 1 },
  },
  required: ["name", "copies"],
  $defs: { Size: { enum: [1, 2, 3], title: "Size" } },
};
const FIELDS = fieldsOf(SCHEMA);
const field = (name: string) => FIELDS.find((one) => one.name === name);

test("each property is a field, in its order, of its kind", () => {
  expect(FIELDS.map(({ name, kind }) => [name, kind])).toEqual([
    ["temperature", "number"],
    ["top_p", "number"],
    ["max_tokens", "integer"],
    ["seed", "integer"],
    ["system", "string"],
    ["loud", "boolean"],
    ["tone", "choice"],
    ["size", "choice"],
    ["tags", "json"],
    ["name", "string"],
    ["copies", "integer"],
  ]);
  expect(field("temperature")).toMatchObject({ minimum: 0, maximum: 2, initial: "0.7" });
  expect(field("top_p")).toMatchObject({ above: 0, maximum: 1 });
  expect(field("seed")).toMatchObject({ optional: true, minimum: 0, initial: "" });
  expect(field("size")).toMatchObject({ title: "Size", choices: [1, 2, 3] });
  expect(field("tags")).toMatchObject({ initial: '["a"]' });
  expect(field("name")).toMatchObject({ title: "name", optional: false });
});

test("no schema, or an empty one, has no fields", () => {
  expect(fieldsOf(undefined)).toEqual([]);
  expect(fieldsOf({ type: "object" })).toEqual([]);
});

test("only what differs from the defaults is sent, in its type", () => {
  expect(paramsOf(FIELDS, {}).params).toEqual({});
  const values = {
    temperature: "0",
    max_tokens: "512",
    seed: "7",
    loud: false,
    tone: "warm",
    size: "3",
    tags: '["b"]',
    name: "x",
  };
  expect(paramsOf(FIELDS, values)).toEqual({
    params: { temperature: 0, seed: 7, loud: false, tone: "warm", size: 3, tags: ["b"], name: "x" },
    problems: {},
  });
});

test("a number that is emptied is the server's default; a text that is emptied is empty", () => {
  expect(paramsOf(FIELDS, { temperature: " ", system: "" })).toEqual({
    params: { system: "" },
    problems: {},
  });
});

test.each([
  ["temperature", "2.1", "high"],
  ["temperature", "-1", "low"],
  ["copies", "", "required"],
  ["top_p", "0", "low"],
  ["max_tokens", "1.5", "integer"],
  ["max_tokens", "many", "number"],
  ["system", "far too long", "long"],
  ["tags", "[", "json"],
])("%s of %j is wrong: %s", (name, value, problem) => {
  expect(paramsOf(FIELDS, { [name]: value }).problems).toEqual({ [name]: problem });
});

test("what the server says of a field is found", () => {
  const said = "params of llm: temperature: Input should be less; seed: unknown key; other: x";
  expect(fieldErrors(said, FIELDS)).toEqual({
    temperature: "Input should be less",
    seed: "unknown key",
  });
  expect(fieldErrors("rate: at most 100000", FIELDS)).toEqual({});
});
