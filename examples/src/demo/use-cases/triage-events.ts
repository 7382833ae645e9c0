import { defineEvents, forEvents } from "@papa-events/core";
import { z } from "zod";

const issue = { repository: z.string(), issue: z.number().int() };

/** The events that triage publishes: their names and payloads are checked at compile time, and again when handled. */
const triageEvents = defineEvents({
  "triage.labelled": z.object({ ...issue, label: z.string() }),
  "triage.assigned": z.object({ ...issue, assignee: z.string() }),
});

export const triage = forEvents(triageEvents);
