import assert from "node:assert/strict";
import { test } from "vitest";
import { type Cell, readReport, writeReport } from "../src/report/table.ts";

const memory = new Map<string, Cell>([
  ["R1 a|b: it is *kept*", { outcome: "kept", note: undefined }],
  ["L3 restarts", { outcome: "not-offered", note: "it ends with its process" }],
]);
const rabbit = new Map<string, Cell>([
  ["R1 a|b: it is *kept*", { outcome: "broken", note: undefined }],
  ["L3 restarts", { outcome: "weaker", note: "after a while; twice" }],
  ["T6 counts", { outcome: "not-yet", note: "it is still being built" }],
]);

test("a report is read back as it was written, so that brokers which did not run stay in it", () => {
  const report = new Map([
    ["memory in process", memory],
    ["rabbitmq 4.0", rabbit],
  ]);
  const text = writeReport(report);
  assert.deepEqual(readReport(text), report);
  assert.equal(writeReport(readReport(text)), text);
});

test("a test that did not run on a broker says so", () => {
  const text = writeReport(
    new Map([
      ["a", memory],
      ["b", new Map([["T1 more", { outcome: "kept" } as const]])],
    ]),
  );
  assert.match(text, /\| T1 more \| not run \| kept \|/);
});
