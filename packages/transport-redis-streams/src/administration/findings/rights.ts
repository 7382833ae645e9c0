import type { Finding } from "@papa-events/core/transport";
import { isReply } from "../../client/errors.ts";
import type { DiagnosisOptions } from "../diagnose.ts";

/** Whether the account may change anything: the server is asked to remove a key that there never is. */
export async function rightsFindings({ keys, connection }: DiagnosisOptions): Promise<readonly Finding[]> {
  try {
    await connection.client.unlink(`${keys.prefix}rights`);
    return [];
  } catch (error) {
    if (!isReply(error)) throw error;
    // Of a replica, or a server that is loading, something else is said.
    if (!error.message.startsWith("NOPERM")) return [];
  }
  return [
    {
      severity: "info",
      what: "this account may only read",
      why: "With it nothing can be paused, resumed, removed, redriven, purged, published or watched live (a tail is a key of its own on the server).",
      remedy: "Connect with an account that may write to the namespace; the guide to Redis has its rights.",
    },
  ];
}
