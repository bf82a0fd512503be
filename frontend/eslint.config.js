/* Which part may import from which: docs/frontend.md. */
import js from "@eslint/js";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

/** Forbid the files of a folder to import what one of the patterns matches. */
function imports(folder, ...patterns) {
  const rules = patterns.map(([regex, message]) => ({ regex, message }));
  return {
    files: [`src/${folder}/**`],
    rules: { "no-restricted-imports": ["error", { patterns: rules }] },
  };
}

const PRIVATE = [
  "^(\\.\\./)+(client|react)/(?!index(\\.js)?$)",
  "This is private to the library: its index.ts has what others may use.",
];
const OUTSIDE = ["^\\.\\./(?!client/index\\.js$)", "The library stands on its own."];

function others(...folders) {
  return [`^(\\.\\./)+(${folders.join("|")})(/|$)`, "Pages share by way of src/shared."];
}

export default tseslint.config(
  { ignores: ["dist"] },
  js.configs.recommended,
  {
    files: ["**/*.{ts,tsx}"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // Numbers in templates are what a page of figures is made of.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
    },
  },
  { files: ["**/*.{ts,tsx}"], ...reactHooks.configs.flat.recommended },
  imports("client", ["^\\.\\./", OUTSIDE[1]]),
  imports("react", OUTSIDE),
  imports("markdown", others("app", "client", "demo", "lab", "react", "shared")),
  imports("shared", PRIVATE, others("app", "demo", "lab", "markdown")),
  imports("app", PRIVATE, others("demo", "lab")),
  imports("demo", PRIVATE, others("app", "lab", "markdown", "react")),
  imports("lab", PRIVATE, others("app", "demo")),
  {
    // The one sink that could turn streamed text into markup stays closed.
    rules: {
      "no-restricted-properties": [
        "error",
        ...["innerHTML", "outerHTML", "insertAdjacentHTML"].map((property) => ({
          property,
          message: "Streamed text is text: use textContent or a text node.",
        })),
      ],
    },
  },
);
