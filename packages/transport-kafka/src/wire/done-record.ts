import { DoneRuns, readRuns } from "./done-runs.ts";
import type { FetchedRecord, KafkaRecord } from "./records.ts";

/**
 * What is done above a commit and does not fit in its metadata is a record in the same partition, of which the metadata
 * tells the offset, where older versions stop reading:
 *
 *     record   = key "done", value committed ":" runs      ; in base 36, and as `encodeRuns` has them
 *     metadata = rest / (rest / "1") ",@" offset           ; in base 36
 */
const KEY = "done";
const POINTER = /^1(?:,.*)?,@([0-9a-z]+)(?:,#.*)?$/;

export function doneRecord(committed: number, runs: string): KafkaRecord {
  return { key: KEY, value: Buffer.from(`${committed.toString(36)}:${runs}`) };
}

/** Reads such a record; what is none says that nothing is done. */
export function readDoneRecord({ key, value }: Pick<FetchedRecord, "key" | "value">): DoneRuns {
  const [, committed = "", runs = ""] = /^([0-9a-z]+):(.*)$/.exec(value?.toString() ?? "") ?? [];
  if (key?.toString() !== KEY || committed === "") return DoneRuns.NONE;
  return readRuns(Number.parseInt(committed, 36), runs);
}

export function withPointer(metadata: string, offset: number | undefined): string {
  return offset === undefined ? metadata : `${metadata === "" ? "1" : metadata},@${offset.toString(36)}`;
}

/** Where the record is, if there is one. */
export function readPointer(metadata: string): number | undefined {
  const [, offset] = POINTER.exec(metadata) ?? [];
  return offset === undefined ? undefined : Number.parseInt(offset, 36);
}
