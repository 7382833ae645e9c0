import { parentPort, workerData } from "node:worker_threads";
import type { PlantedFault } from "../planted/planted-fault.ts";
import { seal } from "../sealed/seal.ts";
import { loadSources } from "./load-sources.ts";
import type { Answer, Request } from "./messages.ts";

// First the hooks and the seal, then everything that loads what is tested.
loadSources((workerData as { readonly fault: PlantedFault | undefined }).fault);
seal();
const { answer } = await import("./answer.ts");

const port = parentPort;
if (port === null) throw new Error("This is to be run in a thread of its own.");
port.on("message", (request: Request) => {
  answer(request).then(
    (answered: Answer) => port.postMessage(answered),
    (error: unknown) => {
      throw error;
    },
  );
});
