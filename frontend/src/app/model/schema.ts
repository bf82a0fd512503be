/** From the JSON schema of a source's params to the fields of a form, and back to params. */

export type FieldKind = "number" | "integer" | "string" | "boolean" | "choice" | "json";

export interface Field {
  name: string;
  title: string;
  description: string;
  kind: FieldKind;
  /** Whether it may be left empty. */
  optional: boolean;
  initial: FieldValue;
  minimum?: number;
  maximum?: number;
  /** The bounds themselves are not allowed. */
  above?: number;
  below?: number;
  maxLength?: number;
  choices?: readonly unknown[];
}

/** What a form control holds. */
export type FieldValue = string | boolean;
export type FieldValues = Readonly<Record<string, FieldValue>>;
export type FieldProblem = "required" | "number" | "integer" | "low" | "high" | "long" | "json";
export type FieldProblems = Readonly<Record<string, FieldProblem>>;

type Schema = Record<string, unknown>;

/** The fields of an object schema, in its order. What is not understood is asked for as JSON. */
export function fieldsOf(schema: Schema | undefined): Field[] {
  const properties = asSchema(schema?.properties);
  const required = Array.isArray(schema?.required) ? (schema.required as unknown[]) : [];
  return Object.entries(properties).map(([name, property]) =>
    fieldOf(name, resolved(asSchema(property), schema ?? {}), required.includes(name)),
  );
}

function fieldOf(name: string, schema: Schema, required: boolean): Field {
  const nullable = variants(schema).some(({ type }) => type === "null");
  const typed = { ...schema, ...variants(schema).find(({ type }) => type !== "null") };
  const kind = kindOf(typed);
  const field: Field = {
    name,
    title: typeof schema.title === "string" ? schema.title : name,
    description: typeof schema.description === "string" ? schema.description : "",
    kind,
    optional: nullable || !required,
    initial: initialOf(schema.default, kind),
  };
  const { minimum, maximum, exclusiveMinimum: above, exclusiveMaximum: below, maxLength } = typed;
  for (const [key, value] of Object.entries({ minimum, maximum, above, below, maxLength }))
    if (typeof value === "number") Object.assign(field, { [key]: value });
  const choices = choicesOf(typed);
  return choices ? { ...field, choices } : field;
}

function kindOf(schema: Schema): FieldKind {
  if (choicesOf(schema)) return "choice";
  const { type } = schema;
  if (type === "number" || type === "integer" || type === "string" || type === "boolean")
    return type;
  return "json";
}

function choicesOf({ enum: choices, const: only }: Schema): readonly unknown[] | undefined {
  if (Array.isArray(choices)) return choices as unknown[];
  return only === undefined ? undefined : [only];
}

function variants(schema: Schema): Schema[] {
  const { anyOf, oneOf } = schema;
  const all = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : [];
  return all.length === 2 || all.length === 1 ? all.map(asSchema) : [];
}

function resolved(schema: Schema, root: Schema): Schema {
  const reference = schema.$ref ?? asSchema(Array.isArray(schema.allOf) ? schema.allOf[0] : 0).$ref;
  if (typeof reference !== "string" || !reference.startsWith("#/")) return schema;
  let found: unknown = root;
  for (const step of reference.slice(2).split("/")) found = asSchema(found)[step];
  return { ...asSchema(found), ...schema };
}

function initialOf(value: unknown, kind: FieldKind): FieldValue {
  if (kind === "boolean") return value === true;
  if (value === undefined || value === null) return "";
  if (kind === "json") return JSON.stringify(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}

function asSchema(value: unknown): Schema {
  return typeof value === "object" && value !== null ? (value as Schema) : {};
}

/** The params to send: only what differs from the defaults. `problems` is empty when all is right. */
export function paramsOf(
  fields: readonly Field[],
  values: FieldValues,
): { params: Record<string, unknown>; problems: FieldProblems } {
  const params: Record<string, unknown> = {};
  const problems: Record<string, FieldProblem> = {};
  for (const field of fields) {
    const value = values[field.name] ?? field.initial;
    const problem = problemOf(field, value);
    if (problem) problems[field.name] = problem;
    else if (value !== field.initial) {
      const sent = converted(field, value);
      if (sent !== undefined) params[field.name] = sent;
    }
  }
  return { params, problems };
}

function problemOf(field: Field, value: FieldValue): FieldProblem | undefined {
  if (typeof value === "boolean") return undefined;
  if (value.trim() === "" && field.kind !== "string")
    return field.optional ? undefined : "required"; // Empty: the server's default.
  if (field.kind === "json" && !isJson(value)) return "json";
  if (field.maxLength !== undefined && value.length > field.maxLength) return "long";
  if (field.kind !== "number" && field.kind !== "integer") return undefined;
  const number = Number(value);
  if (!Number.isFinite(number)) return "number";
  if (field.kind === "integer" && !Number.isInteger(number)) return "integer";
  if (number < (field.minimum ?? -Infinity) || number <= (field.above ?? -Infinity)) return "low";
  if (number > (field.maximum ?? Infinity) || number >= (field.below ?? Infinity)) return "high";
  return undefined;
}

function converted(field: Field, value: FieldValue): unknown {
  if (typeof value === "boolean") return value;
  if (field.kind === "choice") return field.choices?.find((choice) => String(choice) === value);
  if (field.kind === "string") return value;
  if (value.trim() === "") return undefined; // The server's default.
  return field.kind === "json" ? (JSON.parse(value) as unknown) : Number(value);
}

function isJson(value: string): boolean {
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}

/**
 * Which field the server's `invalid_request` is about, and what it says of it.
 *
 * It says `params of NAME: FIELD: what; FIELD: what`. Undefined: it is about something else.
 */
export function fieldErrors(message: string, fields: readonly Field[]): Record<string, string> {
  const [, list] = /^params of [^:]*: (.*)$/s.exec(message) ?? [];
  const found: Record<string, string> = {};
  for (const part of list?.split("; ") ?? []) {
    const at = part.indexOf(": ");
    const name = part.slice(0, at);
    if (at > 0 && fields.some((field) => field.name === name)) found[name] = part.slice(at + 2);
  }
  return found;
}
