import type { Entry, EventNote, SettlementNote } from "./entry.ts";

/** Tells an entry in words; `undefined` for what says nothing. */
export function tellEntry(entry: Entry): string | undefined {
  const who = "process" in entry ? `${entry.process} ` : "";
  switch (entry.kind) {
    case "starts":
      return `${who}starts: version ${entry.version + 1} of ${entry.service}`;
    case "started":
      return entry.error === undefined ? `${who}has started` : `${who}could not start: ${entry.error}`;
    case "stops":
      return `${who}stops, ${entry.by === "handler" ? "asked to by a handler" : "as planned"}`;
    case "stopped":
      return `${who}has stopped${entry.error === undefined ? "" : `: ${entry.error}`}`;
    case "dies":
      return `${who}dies of ${entry.of}`;
    case "learns that it is":
      return `${who}learns that it is cut off`;
    case "clock jumps":
      return `${who}has its clock jump by ${entry.by} ms`;
    case "outage":
      return "the broker cannot be reached";
    case "outage ends":
      return "the broker can be reached again";
    case "refuses":
    case "refuses no longer":
      return `the broker ${entry.kind === "refuses" ? "refuses" : "takes again"} ${entry.what}`;
    case "finish":
      return "the plan is over; what is left is handled";
    case "declares":
      return `${who}declares ${entry.useCase} on ${entry.patterns.join(", ")}`;
    case "withdraws":
      return `${who}withdraws ${entry.patterns.join(", ")} from ${entry.useCase}`;
    case "publishes":
      return `${who}publishes ${names(entry.events)}`;
    case "published":
      return entry.error === undefined
        ? `${who}is told that it is published`
        : `${who}could not publish: ${entry.error.split("\n")[0]}`;
    case "stores":
      return `the broker stores ${names(entry.events)}, ${entry.of === "publish" ? "published" : "returned"} by ${entry.process}`;
    case "subscribes":
      return `${who}consumes ${entry.useCase}, ${entry.readAhead} at once`;
    case "reads ahead":
      return `${who}consumes ${entry.useCase}, ${entry.limit} at once from now on`;
    case "unsubscribes":
      return `${who}consumes ${entry.useCase} no more`;
    case "delivers":
      return `the broker delivers ${called(entry.event)} of ${entry.useCase} to ${entry.process} (attempt ${entry.attempt}, came back ${entry.redeliveries} times)`;
    case "takes back":
      return `the broker takes back what ${entry.process} has: it ${entry.because === "cut" ? "is cut off" : entry.because}`;
    case "loses":
      return `${who}loses ${called(entry.event)} of ${entry.useCase}${entry.unexplained ? " to another" : ""}`;
    case "forgives":
      return `that ${called(entry.event)} of ${entry.useCase} was another's does not count`;
    case "puts back":
      return `${called(entry.event)} of ${entry.useCase} has waited, and is back in its queue`;
    case "takes":
      return `${who}takes ${called(entry.event)} of ${entry.useCase}`;
    case "is told":
      return `${who}is told that ${called(entry.event)} of ${entry.useCase} is ${entry.result} (${entry.settlement})`;
    case "calls":
      return `${who}handles ${called(entry.event)} in ${entry.useCase}, attempt ${entry.attempt}`;
    case "ends":
      return `${who}has handled ${called(entry.event)} in ${entry.useCase}: ${JSON.stringify(entry.ending)}`;
    case "settles":
      return `${who}settles ${called(entry.event)} of ${entry.useCase}: ${settled(entry.settlement)}`;
    case "settled":
      return `the broker has ${entry.result} the settlement of ${called(entry.event)} of ${entry.useCase} by ${entry.process}: ${settled(entry.settlement)}`;
    case "tells of a retry":
      return `${who}tells of a retry of ${called(entry.event)} of ${entry.useCase} after attempt ${entry.attempt}`;
    case "tells of a dead letter":
      return `${who}tells of a dead letter of ${called(entry.event)} of ${entry.useCase}: ${entry.reason}`;
    case "begins a trial":
      return `${who}tries ${entry.id} of ${entry.useCase}, of which ${entry.deaths} trials were never taken back`;
    case "takes a trial back":
      return `${who}takes ${entry.trial === undefined ? "all trials" : "a trial"} of ${entry.id} of ${entry.useCase} back`;
    case "pauses":
      return `${entry.useCase} is paused by an operator`;
    case "resumes":
      return `${entry.useCase} is to go on`;
    case "redrives":
      return `${called(entry.event)} of ${entry.useCase} is redriven`;
    case "purges":
      return `${entry.letters.length} dead letters of ${entry.useCase} are purged`;
    case "rests":
      return "nothing is left to do";
    case "does not rest":
      return `it does not come to rest: ${entry.why}`;
    case "health":
      return entry.healthy ? undefined : `${who}is not healthy: ${entry.reasons.join(", ")}`;
    case "holds":
      return `${entry.useCase} holds ${JSON.stringify(entry.queue)}`;
    case "lists":
      return entry.letters.length === 0
        ? undefined
        : `the dead letters of ${entry.useCase}: ${JSON.stringify(entry.letters)}`;
    case "goes wrong":
      return `this goes wrong: ${entry.what}`;
    case "logs":
      return `${who}logs (${entry.level}): ${entry.message}`;
    default:
      return `${who}${entry.kind}`;
  }
}

function called({ label, id, name }: EventNote): string {
  return `${label === "" ? id : label} (${name})`;
}

function names(events: readonly EventNote[]): string {
  return events.map(called).join(", ");
}

function settled(settlement: SettlementNote): string {
  switch (settlement.kind) {
    case "done":
      return settlement.outputs.length === 0 ? "done" : `done, with ${names(settlement.outputs)}`;
    case "retry":
      return `attempt ${settlement.attempt} in ${settlement.delay} ms`;
    case "forward":
      return `forwarded ${settlement.to === undefined ? `in ${settlement.delay} ms` : `to declaration ${settlement.to}`}`;
    case "dead":
      return `dead (${settlement.reason})`;
    case "release":
      return "given back";
  }
}
