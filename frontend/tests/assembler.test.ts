/** Chunks in any order, put together. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Assembler } from "../src/client/assembler";

const UNITS = ["a", "字", "e\u0301", "👨‍👩‍👧‍👦", "\r\n", " ", "नि", "🇪🇺"];

test("any order of chunks gives the text: nothing twice, nothing left out", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...UNITS), { maxLength: 30 }),
      fc.array(fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 8 })), { maxLength: 40 }),
      (units, arrivals) => {
        const assembler = new Assembler();
        const chunk = (from: number, to: number) => ({
          id: "s",
          offset: from,
          next: to,
          text: units.slice(from, to).join(""),
        });
        let last = 0;
        for (const [from, size] of [...arrivals, [0, 0] as const]) {
          const first = Math.min(from, units.length);
          const behind = Math.min(first + size, units.length);
          const acceptance = assembler.accept(chunk(first, behind));
          expect(acceptance).toBe(behind <= last ? "known" : first === last ? "new" : "misfit");
          // After a misfit the server begins again where it is asked to.
          if (acceptance === "misfit")
            assembler.accept(chunk(assembler.offset, Math.min(assembler.offset + 3, units.length)));
          last = assembler.offset;
          expect(assembler.text).toBe(units.slice(0, last).join(""));
        }
        assembler.accept(chunk(last, units.length));
        expect(assembler.text).toBe(units.join(""));
      },
    ),
  );
});

test("an overlap that brings new units is not cut: only the server knows where its units are", () => {
  const assembler = new Assembler();
  assembler.accept({ id: "s", offset: 0, next: 2, text: "e\u0301x" });
  expect(assembler.accept({ id: "s", offset: 1, next: 3, text: "xy" })).toBe("misfit");
  expect(assembler.offset).toBe(2);
  expect(assembler.text).toBe("e\u0301x");
});
