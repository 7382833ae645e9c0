import type { UseCase } from "@papa-events/core";
import { triage } from "./triage-events.ts";

/** Does what triage decided. The pattern makes `ctx` a union, which `ctx.eventName` narrows. */
export function applyTriage(done: Set<string>): UseCase {
  return triage.useCase("apply_triage", { on: "triage.*" }, (_payload, ctx) => {
    const { repository, issue } = ctx.payload;
    switch (ctx.eventName) {
      case "triage.labelled":
        done.add(`${repository}#${issue} is labelled "${ctx.payload.label}"`);
        break;
      case "triage.assigned":
        done.add(`${repository}#${issue} is assigned to ${ctx.payload.assignee}`);
        break;
    }
  });
}
