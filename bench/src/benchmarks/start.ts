import { PapaApp, useCase } from "@papa-events/core";
import { memory } from "@papa-events/transport-memory";
import type { Benchmark, Work } from "../benchmark.ts";

/** Starts and stops an app with so many use cases, a pattern each. */
function startOf(useCases: number): () => Promise<Work> {
  return async () => ({
    run: async (count) => {
      for (let time = 0; time < count; time += 1) {
        const app = new PapaApp({ transport: memory() });
        for (let index = 0; index < useCases; index += 1)
          app.use(useCase(`case_${index}`, { on: `a.b${index}.*` }, () => {}));
        await app.start();
        await app.stop();
      }
    },
  });
}

/** The bar: 1,000 use cases start in under a second. */
export const start: Benchmark = {
  name: "start",
  title: "Start and stop of an app",
  count: 5,
  unit: "starts",
  contenders: [
    { name: "1,000 use cases", prepare: startOf(1_000) },
    { name: "10 use cases", prepare: startOf(10) },
  ],
};
