/** What the command ends with, so that scripts can tell. */
export const EXIT = {
  done: 0,
  /** A finding, or nothing found where something was asked for. */
  found: 1,
  /** The command was given wrongly; nothing was done. */
  wrongUse: 2,
  /** The broker was not reached, does not let this account in, or did not answer. */
  notReached: 3,
  /** Ended by Ctrl-C, as shells have it; what was done until then is said. */
  interrupted: 130,
} as const;
