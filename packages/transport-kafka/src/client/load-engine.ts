import { PapaError } from "@papa-events/core";
import type { Engine } from "./engine.ts";
import { kafkajsEngine } from "./kafkajs-engine.ts";
import type { EngineName } from "./options.ts";
import { platformaticEngine } from "./platformatic-engine.ts";

/** Loads what an engine needs. @throws PapaError `invalid-option` where its package is missing or cannot be loaded */
export async function loadEngine(name: EngineName): Promise<Engine> {
  if (name === "kafkajs") return kafkajsEngine;
  try {
    return platformaticEngine(await import("@platformatic/kafka"));
  } catch (cause) {
    const option = "kafka: engine";
    const problem = `"platformatic" needs the package @platformatic/kafka (npm install @platformatic/kafka@2), and Node.js 22.22, 24.6 or newer`;
    throw new PapaError("invalid-option", `${option}: ${problem}.`, { option, problem }, { cause });
  }
}
