import { describe, expect, it } from "vitest";
import { waitUntilQuiet } from "../../src/waiting/quiet.ts";
import { until } from "../support.ts";

describe("waiting until quiet", () => {
  it("tells of a handler that does not end", async () => {
    await expect(waitUntilQuiet([{ busy: true, progress: 1 }], 20)).rejects.toThrow(
      "settled() waited 20 ms for a handler that does not end; end it, or advance the clock to its timeout.",
    );
  });

  it("waits for however long it takes, as long as something gets done", async () => {
    let left = 50;
    const work = {
      get busy() {
        return left > 0;
      },
      get progress() {
        left -= 1;
        return left;
      },
    };
    await waitUntilQuiet([work], 20);
    await until(() => left <= 0, "all of the work");
  });
});
