import { inspect } from "node:util";
import { expect, test } from "vitest";
import { withoutArguments } from "../../src/client/without-arguments.ts";

test("L4 no command's arguments are left in an error, or in what caused it", () => {
  const command = { name: "auth", args: ["user", "s3cret"] };
  const unknown = new Error("ERR unknown command 'AUTH', with args beginning with: 'user' 's3cret'");
  const cause = Object.assign(new Error("inner"), { command });
  const lastNodeError = Object.assign(new Error("node"), { command });
  const error = Object.assign(new AggregateError([unknown, "text"], "outer", { cause }), { command, lastNodeError });
  expect(withoutArguments(error)).toBe(error);
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("s3cret");
  expect(unknown.message).toBe("ERR unknown command 'AUTH'");
});
